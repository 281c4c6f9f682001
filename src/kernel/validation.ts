/**
 * Turns what ajv found into what a person needs: where, what was expected, what was found, the
 * nearest valid name. Works on compiled validators, so it looks at the schema itself for what was
 * expected. ajv is loaded only for the schema of a third-party plugin: compiling takes longer than
 * a whole `kvdb get`.
 */
import type { ErrorObject } from "ajv";
import { suggestion } from "../suggest.ts";
import type { Issue } from "./config-issues.ts";
import { pathOf, pointerOf, valueAt } from "./json-pointer.ts";

/**
 * A function that ajv made. Fills in defaults, so the value it is given must be the caller's own
 * copy.
 */
export interface Validator {
  (value: unknown): boolean;
  errors?: readonly ErrorObject[] | null;
}

export interface Validation {
  readonly validator: Validator;
  readonly schema: object;
  /** Where the value stands within the whole configuration, a JSON Pointer. */
  readonly pointer: string;
  /** Where a place of the configuration was written: `kvdb.config.json:4`. */
  readonly placeOf: (pointer: string) => string;
}

export function validate(value: unknown, validation: Validation): Issue[] {
  if (validation.validator(value)) return [];
  const errors = validation.validator.errors ?? [];
  return errors
    .filter((error) => !isBranch(error, errors))
    .map((error) => explain(error, value, validation));
}

/**
 * Makes a validator for a third-party plugin's schema. Throws what ajv says when the schema is
 * none.
 */
export async function compileValidator(schema: object): Promise<Validator> {
  const { Ajv } = await import("ajv");
  return new Ajv(ajvOptions).compile(closed(schema)) as Validator;
}

/** The same for schemas compiled ahead (scripts/schemas.ts) and at run time. */
export const ajvOptions = {
  allErrors: true,
  useDefaults: true,
  allowUnionTypes: true,
  strictTypes: false,
  formats: { path: true },
  // Lengths in UTF-16 units: for anything else a compiled validator would import a part of ajv at
  // run time.
  unicode: false,
  logger: false,
} as const;

/** An unknown option is an error also where the author of a schema forgot to say so. */
export function closed(schema: object): object {
  const open =
    "additionalProperties" in schema || "patternProperties" in schema || "$ref" in schema;
  return open || !("properties" in schema) ? schema : { ...schema, additionalProperties: false };
}

/**
 * ajv reports a failed anyOf and the failures of each of its branches; the branches say too much.
 */
function isBranch(error: ErrorObject, errors: readonly ErrorObject[]): boolean {
  return errors.some(
    (other) =>
      (other.keyword === "anyOf" || other.keyword === "oneOf") &&
      error.schemaPath.startsWith(`${other.schemaPath}/`),
  );
}

function explain(error: ErrorObject, value: unknown, validation: Validation): Issue {
  const { schema, pointer, placeOf } = validation;
  const node = nodeOf(schema, error.schemaPath);
  if (error.keyword === "additionalProperties") {
    const key = String(error.params["additionalProperty"]);
    const at = `${pointer}${error.instancePath}${pointerOf([key])}`;
    return { place: placeOf(at), path: pathOf(at), message: unknownKey(key, keysOf(node)) };
  }
  const at = pointer + error.instancePath;
  const message =
    error.keyword === "required"
      ? `missing key "${String(error.params["missingProperty"])}"`
      : expectation(error, node, valueAt(value, error.instancePath));
  return { place: placeOf(at), path: pathOf(at), message };
}

export function unknownKey(key: string, known: readonly string[]): string {
  if (known.length === 0) return "unknown key, expected none at all";
  const names = known.map((name) => `"${name}"`).join(", ");
  return `unknown key, expected one of ${names}${suggestion(key, known)}`;
}

function expectation(error: ErrorObject, node: SchemaNode | undefined, found: unknown): string {
  if (node === undefined) return error.message ?? error.keyword;
  const near =
    node.enum !== undefined && typeof found === "string"
      ? suggestion(
          found,
          node.enum.filter((name) => typeof name === "string"),
        )
      : "";
  const expected = describe(node);
  // A keyword that describe() has no words for: ajv's own are better than half of the truth.
  if (expected === undefined) return error.message ?? error.keyword;
  return `expected ${expected}, found ${show(found, node.writeOnly === true)}${near}`;
}

interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly writeOnly?: boolean;
  readonly properties?: object;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
}

/**
 * The part of the schema that a keyword stands in: `#/properties/port/maximum` to what describes
 * `port`.
 */
function nodeOf(schema: object, schemaPath: string): SchemaNode | undefined {
  const inside = decodeURIComponent(schemaPath.replace(/^[^#]*#/, ""));
  const node = valueAt(schema, inside.slice(0, inside.lastIndexOf("/")));
  return typeof node === "object" && node !== null ? (node as SchemaNode) : undefined;
}

function keysOf(node: SchemaNode | undefined): string[] {
  return Object.keys(node?.properties ?? {});
}

function describe(node: SchemaNode): string | undefined {
  if (node.title !== undefined) return node.title;
  if (node.enum !== undefined) return oneOf(node.enum.map((value) => JSON.stringify(value)));
  if ("const" in node) return JSON.stringify(node.const);
  const branches = node.anyOf ?? node.oneOf;
  if (branches !== undefined) {
    const described = branches.map(describe);
    return described.includes(undefined) ? undefined : described.join(" or ");
  }
  if (node.type === undefined) return undefined;
  const types = typeof node.type === "string" ? [node.type] : node.type;
  const suffix = node.pattern === undefined ? "" : ` that matches ${node.pattern}`;
  return types.map((type) => typeWords[type] ?? type).join(" or ") + range(node) + suffix;
}

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? values[0] : `one of ${values.join(", ")}`;
}

function range({ minimum, maximum }: SchemaNode): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return maximum === undefined ? "" : ` of at most ${maximum}`;
}

const typeWords: Readonly<Record<string, string>> = {
  string: "a string",
  integer: "an integer",
  number: "a number",
  boolean: "true or false",
  object: "an object",
  array: "an array",
  null: "null",
};

const MAX_SHOWN = 60;

/** What was found, short; of a secret only its kind. */
function show(value: unknown, secret: boolean): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  if (value === null) return "null";
  if (secret) return `a ${typeof value}`;
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
