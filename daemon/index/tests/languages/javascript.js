#!/usr/bin/env node
'use strict';
import fs from 'fs';
const path = require('path');
const { join, resolve } = require('path');

/** How many. */
export const LIMIT = 10, OTHER = 20;
let state;
var old = 1;

/**
 * Adds two numbers.
 * @param {number} a
 */
function add(a, b) {
  const local = 1;
  var hoisted = 2;
  function nested() {}
  const arrow = () => { const deeper = 1; };
  return a + b;
}

function* generate() {}
async function wait() {}
export default function main() {}

// An arrow.
export const double = (x) => x * 2;
const triple = async function (x) {
  return x * 3;
};
var one = function () {}, two = function named() {};

/** A shape. */
@decorated({ of: 'it' })
export class Shape extends Base {
  static sides = 0;
  #secret = 1;
  handler = (event) => {
    const local = 1;
  };
  'quoted name' = 1;

  /** Makes one. */
  constructor(name) {
    super();
    this.describe = function () {};
  }

  get area() { return 0; }
  set area(value) {}
  static of() {}
  async *each() {}
  #hidden() {}
  [computed]() {}
  static { const local = 1; }
}

const Expression = class Named {
  method() {}
};

/** On the prototype. */
Shape.prototype.rotate = function (angle) {};
Shape.from = () => {};
Shape.version = 1;
a.b.c = function () {};

exports.first = function () {};
exports.second = 1;
exports.second = 2;
module.exports.third = () => {};
module.exports = {
  fourth: 1,
  fifth() {},
  sixth: function () {},
  add,
};

const object = {
  /** A number. */
  number: 1,
  method() { const local = 1; },
  function: () => {},
  nested: {
    unseen: 1,
    seen() {},
  },
  get computed() { return 1; },
  'quoted': 2,
};

global = function () {};

(function () {
  var hidden = 1;
  function inside() {}
})();

if (state) {
  const inBlock = 1;
}

call({ callback: function () {}, option: 1 });
describe('x', () => {
  const local = 1;
});

import whole, { part as renamed, other } from './module.js';
import * as space from 'space';
export { forwarded as default } from './forward';
export * as everything from 'all';
const path = require('node:path');

class Mentions extends Base.Inner {
  #secret = state;
  run({ a, b: { c } }, ...rest) {
    const made = new space.Thing(a, `text ${whole(c)} more`);
    this.#secret.go(rest[0]?.item?.());
    tag`text ${made}`;
    loop: for (const one of made.all) { if (one) break loop; }
    return import('./late.js').then(other);
  }
}
const element = <Mentions key={state}><div id="x">{renamed}</div><space.Item /></Mentions>;
