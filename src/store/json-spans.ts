/**
 * Finds where in the text of a document the values are that a path names: the byte range of each, and the object or array
 * it is in. A plain path, which leads to one place, is followed through the text and nothing is parsed; places that a path
 * library has found in the parsed value are looked up all at once, in one walk that goes only where they are.
 */
import { assert } from "../assert.ts";
import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COMMA,
  findElement,
  findMember,
  isContainer,
  type JsonStep,
  OPEN_ARRAY,
  OPEN_OBJECT,
  stringAt,
  stringEnd,
  valueEnd,
} from "./json-walk.ts";

/** A place in the parsed value, as steps from its root. */
export type JsonLocation = readonly (string | number)[];

/** What was found: number i is bytes[start[i], end[i]). */
export class JsonSpans {
  count = 0;
  readonly start: number[] = [];
  readonly end: number[] = [];
  /** Where the object or array begins that the value is in; -1: it is the root. */
  readonly parent: number[] = [];
  /** Objects and arrays around the value. */
  readonly depth: number[] = [];

  clear(): void {
    this.count = 0;
  }

  set(index: number, start: number, end: number, parent: number, depth: number): void {
    this.start[index] = start;
    this.end[index] = end;
    this.parent[index] = parent;
    this.depth[index] = depth;
    if (index >= this.count) this.count = index + 1;
  }
}

/** Follows a plain path through the document bytes[start, end). What it leads to, or nothing, is put into `spans`. */
export function findSteps(
  bytes: Buffer,
  start: number,
  end: number,
  steps: readonly JsonStep[],
  spans: JsonSpans,
): void {
  spans.clear();
  let at = start;
  let parent = -1;
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i];
    const first = bytes[at];
    parent = at;
    if (typeof step === "number") at = first === OPEN_ARRAY ? findElement(bytes, at, step) : -1;
    else at = first === OPEN_OBJECT ? findMember(bytes, at, step) : -1;
    if (at < 0) return;
  }
  spans.set(0, at, parent < 0 ? end : valueEnd(bytes, at), parent, steps.length);
}

/** Places that have their first steps in common, as a tree. */
class Branch {
  /** Numbers of the places that are here. */
  readonly ends: number[] = [];
  readonly children = new Map<string | number, Branch>();
}

/** Looks up places of the document bytes[start, end): number i of `spans` is that of `locations`. All of them are there. */
export function findLocations(
  bytes: Buffer,
  start: number,
  end: number,
  locations: readonly JsonLocation[],
  spans: JsonSpans,
): void {
  spans.clear();
  const root = new Branch();
  locations.forEach((location, index) => {
    spans.set(index, -1, -1, -1, 0);
    let branch = root;
    for (const step of location) {
      let child = branch.children.get(step);
      if (child === undefined) {
        child = new Branch();
        branch.children.set(step, child);
      }
      branch = child;
    }
    branch.ends.push(index);
  });
  for (const index of root.ends) spans.set(index, start, end, -1, 0);
  if (root.children.size > 0) walk(bytes, start, root, 1, spans);
  for (let i = 0; i < locations.length; i++) {
    assert(spans.start[i] >= 0, "a place that the path library found is in the text");
  }
}

/** Goes over the children of the object or array at `at`, into those that the branch names. Answers where it ends. */
function walk(bytes: Buffer, at: number, branch: Branch, depth: number, spans: JsonSpans): number {
  const isObject = bytes[at] === OPEN_OBJECT;
  let next = at + 1;
  // Nothing was found in an empty one; but of a key that comes twice, in an old record, the parser saw the last value only.
  if (bytes[next] === (isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) return next + 1;
  for (let index = 0; ; index++) {
    let step: string | number = index;
    if (isObject) {
      const keyEnd = stringEnd(bytes, next);
      step = stringAt(bytes, next, keyEnd);
      next = keyEnd + 1;
    }
    const child = branch.children.get(step);
    const start = next;
    next =
      child !== undefined && child.children.size > 0 && isContainer(bytes[start])
        ? walk(bytes, start, child, depth + 1, spans)
        : valueEnd(bytes, start);
    if (child !== undefined) {
      for (const match of child.ends) spans.set(match, start, next, at, depth);
    }
    if (bytes[next] !== COMMA) return next + 1;
    next++;
  }
}
