import { x } from 'y';

/** What has a name. */
export interface Named<T> extends Base {
  /** Its name. */
  name: string;
  readonly id?: T;
  rename(to: string): void;
  get shown(): string;
  new (name: string): Named<T>;
  (call: string): void;
  [key: string]: any;
}

type Text = string | number;
export type Options = {
  flag: boolean;
  on(event: string): void;
};

enum Colour {
  Red,
  Green = 2,
  'Dark Blue',
}
declare const enum Ambient { One }

namespace Outer.Inner {
  export const shown = 1;
  const hidden = 2;
  export function call() {}
}
declare module 'library' {
  export function declared(): void;
  const value: string;
}
declare global {
  interface Window { title: string }
}
declare const CONSTANT: string;
declare let variable: number;
declare var old: number;
declare function external(x: number): void;

/** A shape. */
@Component({
  selector: 'shape',
})
export abstract class Shape<T> implements Named<T> {
  private sides: number = 1;
  static readonly LIMIT = 2;
  declare declared: string;
  @Input() decorated: string;

  /** Makes one. */
  constructor(
    private name: string,
    readonly id: number,
    plain: string,
  ) {}

  abstract area(): number;

  // Overloads.
  rename(to: string): void;
  rename(to: number): void;
  rename(to: any) {
    const local = 1;
  }

  handler = (x: number): void => {
    const local = 1;
  };

  get shown(): string { return ''; }
}

function overloaded(x: string): void;
function overloaded(x: number): void;
function overloaded(x: any) {}

export const settings = { a: 1 } as const;
const checked = { b: 1 } satisfies Options;
const generic = <T,>(x: T): T => x;
let plain: number;
function destructured({ a, b }: { a: string; b: number }) {}
export default class {}

const View: React.FC<Props> = ({ name }) => <div onClick={() => 1}>{name}</div>;
export function Page() {
  const [state, setState] = useState(0);
  return <View name="x" />;
}

import { Child, type Props } from './child';

function Mentions<T>({ all }: Props<T>): JSX.Element {
  const [one] = useState<Props<T>>(() => new Store(all));
  return <Child.Inner {...one} onClick={(e: MouseEvent) => run(e)}><p>{all}</p><View<T> /></Child.Inner>;
}
