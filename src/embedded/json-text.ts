/**
 * The JSON text of a value that a program stores. What `JSON.stringify` would leave out or change
 * without a word (a function, NaN, a Map, a promise) is refused, with the place within the value; a
 * property that is `undefined` is left out, as everybody expects of `{ ...user, nick: undefined }`.
 */
import { KvdbError } from "../errors.ts";
import { MAX_JSON_DEPTH } from "../limits.ts";

/** Of a place, characters: one that is nested too deep has a thousand steps. */
const MAX_SHOWN = 100;

/** Throws a KvdbError USAGE. */
export function jsonText(value: unknown): string {
  const fault = faultIn(value, []);
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

/** `around`: the objects that the value lies in, outermost first. */
function faultIn(value: unknown, around: object[]): Fault | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : { place: "", problem: `JSON has no ${value}` };
    case "object":
      return value === null ? undefined : faultInObject(value, around);
    default:
      return { place: "", problem: `JSON has no ${typeof value}` };
  }
}

function faultInObject(value: object, around: object[]): Fault | undefined {
  // Found where it closes: all that a circle holds would be looked at a thousand times otherwise.
  if (around.includes(value)) return { place: "", problem: "a circle" };
  if (around.length === MAX_JSON_DEPTH) {
    return { place: "", problem: `nested deeper than ${MAX_JSON_DEPTH} levels` };
  }
  around.push(value);
  const fault = faultInParts(value, around);
  around.pop();
  return fault;
}

function faultInParts(value: object, around: object[]): Fault | undefined {
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") {
    return within(".toJSON()", faultIn(toJSON.call(value, ""), around));
  }
  if (Array.isArray(value)) return faultInArray(value, around);
  // "[object Map]", "[object Promise]", "[object Uint8Array]": what they hold is in no property.
  const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
  if (kind !== "Object") return { place: "", problem: `JSON has no ${kind}` };
  for (const name of Object.keys(value)) {
    const property = (value as Readonly<Record<string, unknown>>)[name];
    if (property === undefined) continue;
    const fault = faultIn(property, around);
    if (fault !== undefined) return within(`.${name}`, fault);
  }
  return undefined;
}

/** A hole reads as undefined. */
function faultInArray(array: readonly unknown[], around: object[]): Fault | undefined {
  for (let index = 0; index < array.length; index++) {
    const fault = faultIn(array[index], around);
    if (fault !== undefined) return within(`[${index}]`, fault);
  }
  return undefined;
}

function within(place: string, fault: Fault | undefined): Fault | undefined {
  return fault && { place: place + fault.place, problem: fault.problem };
}
