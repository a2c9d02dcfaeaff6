interface Before { a: string }

class View {
  method(): void {}
  broken(x: : number {
    return x +;
  }
  another(): void {}
}

function after(x: number): void {}
enum Last { A }
const Page = () => <div>{1}</div>;
