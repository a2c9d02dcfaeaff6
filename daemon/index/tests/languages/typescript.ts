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

import type { Shape as Other } from './shape';
import fs = require('fs');

class Mentions<T extends Shape<T>> extends Base<T> implements Named, space.Inner {
  constructor(private readonly all: Map<string, Array<Other>>) { super(all); }
  @Input({ required: true }) value!: keyof typeof settings;
  get<K>(key: K, ...rest: unknown[]): key is Named {
    const made = new Mentions<Named>(this.all as Other);
    return fs.read<T>(key)!.map((x: T): Promise<void> => overloaded(x)) satisfies Named['name'];
  }
}
