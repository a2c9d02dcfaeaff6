interface Before { a: string }

class Middle {
  method(): void {}
  broken(x: : number {
    return x +;
  }
  another(): void {}
}

function after(x: number): void {}
enum Last { A }
