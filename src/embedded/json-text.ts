/**
 * The JSON text of a value that a program stores. What `JSON.stringify` would leave out or change
 * without a word (a function, NaN, a Map, a promise) is refused, with the place within the value; a
 * property that is `undefined` is left out, as everybody expects of `{ ...user, nick: undefined }`.
 */
import { KvdbError } from "../errors.ts";
import { MAX_JSON_DEPTH } from "../limits.ts";

/** Of a place, characters: a circle has a place of a thousand steps. */
const MAX_SHOWN = 100;

/** Throws a KvdbError USAGE. */
export function jsonText(value: unknown): string {
  const fault = faultIn(value, 0);
  if (fault === undefined) return JSON.stringify(value);
  const { place, problem } = fault;
  const shown = place.length > MAX_SHOWN ? `${place.slice(0, MAX_SHOWN)}…` : place;
  throw new KvdbError("USAGE", `value${shown}: ${problem}`);
}

interface Fault {
  /** Within the value that was looked at: `.tags[2]`. Put together on the way out alone. */
  readonly place: string;
  readonly problem: string;
}

function faultIn(value: unknown, depth: number): Fault | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : { place: "", problem: `JSON has no ${value}` };
    case "object":
      return value === null ? undefined : faultInObject(value, depth);
    default:
      return { place: "", problem: `JSON has no ${typeof value}` };
  }
}

function faultInObject(value: object, depth: number): Fault | undefined {
  if (depth === MAX_JSON_DEPTH) {
    const problem = `a circle, or nested deeper than ${MAX_JSON_DEPTH} levels`;
    return { place: "", problem };
  }
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") {
    return within(".toJSON()", faultIn(toJSON.call(value, ""), depth + 1));
  }
  if (Array.isArray(value)) return faultInArray(value, depth);
  // "[object Map]", "[object Promise]", "[object Uint8Array]": what they hold is in no property.
  const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
  if (kind !== "Object") return { place: "", problem: `JSON has no ${kind}` };
  for (const name of Object.keys(value)) {
    const property = (value as Readonly<Record<string, unknown>>)[name];
    if (property === undefined) continue;
    const fault = faultIn(property, depth + 1);
    if (fault !== undefined) return within(`.${name}`, fault);
  }
  return undefined;
}

/** A hole reads as undefined. */
function faultInArray(array: readonly unknown[], depth: number): Fault | undefined {
  for (let index = 0; index < array.length; index++) {
    const fault = faultIn(array[index], depth + 1);
    if (fault !== undefined) return within(`[${index}]`, fault);
  }
  return undefined;
}

function within(place: string, fault: Fault | undefined): Fault | undefined {
  return fault && { place: place + fault.place, problem: fault.problem };
}
