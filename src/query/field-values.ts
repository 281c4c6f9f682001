/** The values of one field of a document, whole: of an array at the end of its path, each element. */
import type { ReadonlyBytes } from "../store/arena.ts";
import type { FieldPath } from "./field-path.ts";
import { FieldReader } from "./field-reader.ts";
import { PathWalk } from "./path-walk.ts";
import { isArray, parseValue, type Value } from "./value.ts";

export class FieldValues {
  readonly #reader: FieldReader;
  readonly #walk: PathWalk;
  #found: Value[] = [];

  constructor(path: FieldPath) {
    this.#reader = new FieldReader([path]);
    this.#walk = new PathWalk(path, "whole only", (bytes, start, end) => {
      if (start < 0) return false;
      const value = parseValue(bytes, start, end);
      // One by one: as arguments of one call, very many would not fit on the stack.
      if (isArray(value)) for (const element of value) this.#found.push(element);
      else this.#found.push(value);
      return false;
    });
  }

  of(bytes: ReadonlyBytes, start: number, end: number): readonly Value[] {
    this.#found = [];
    this.#reader.read(bytes, start, end);
    this.#reader.some(0, this.#walk);
    return this.#found;
  }
}
