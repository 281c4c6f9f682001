/**
 * A value that another server's DUMP answered, as VALUE.IMPORT takes it. Redis later than the one that kvdb knows says so in the
 * version of its payloads, which RESTORE then refuses, although most values look as they did: what counts here is the type of
 * the value.
 */
import { assert } from "../assert.ts";
import {
  hasIntactChecksum,
  payloadVersion,
  readPayload,
  resealPayload,
} from "../rdb/dump-payload.ts";
import { moduleName } from "../rdb/module-name.ts";
import { RdbDamage } from "../rdb/rdb-damage.ts";
import { RdbInput, type Span, wholeOf } from "../rdb/rdb-input.ts";
import { RDB_MODULE, RDB_MODULE_2, RDB_STRING, RDB_VERSION_TIMED } from "../rdb/rdb-types.ts";
import { isKnownType } from "../rdb/value-decoder.ts";
import type { ValueVisitor } from "../rdb/value-visitor.ts";
import { ItemProblem, type TransferEntry } from "./entry.ts";

type Content = Pick<TransferEntry, "kind" | "value">;

/** Throws an ItemProblem for what is no value, and for one that kvdb has no type for. */
export function contentOfPayload(payload: Buffer): Content {
  const span = wholeOf(payload);
  if (!hasIntactChecksum(span)) throw new ItemProblem("what the server answered is no value");
  const [type] = payload;
  if (type === RDB_STRING) return textContent(span);
  const module = moduleTypeOf(payload);
  if (module !== undefined) {
    throw new ItemProblem(`a value of the module type ${module}, which kvdb does not have`);
  }
  if (!isKnownType(type)) {
    const message = `a value of type ${type} of RDB version ${payloadVersion(span)}, which kvdb does not know`;
    throw new ItemProblem(message);
  }
  if (payloadVersion(span) > RDB_VERSION_TIMED) resealPayload(payload, RDB_VERSION_TIMED);
  return { kind: "dump", value: payload };
}

function textContent(span: Span): Content {
  const taker = new TextTaker(span.bytes);
  try {
    const isDocument = readPayload(span, taker);
    return { kind: isDocument ? "json" : "string", value: taker.value };
  } catch (error) {
    if (error instanceof RdbDamage) throw new ItemProblem(`a damaged string: ${error.message}`);
    throw error;
  }
}

class TextTaker implements ValueVisitor {
  value: Buffer = Buffer.alloc(0);
  readonly #payload: Buffer;

  constructor(payload: Buffer) {
    this.#payload = payload;
  }

  /** What was compressed lies in a buffer that is used again. */
  text(bytes: Buffer, start: number, end: number): void {
    const value = bytes.subarray(start, end);
    this.value = bytes === this.#payload ? value : Buffer.from(value);
  }

  begin = isString;
  string = isString;
  integer = isString;
  number = isString;
  endElement = isString;
  streamHead = isString;
}

function isString(): never {
  assert(false, "a string has no elements");
}

/** The type of a module's value, as TYPE says it; undefined: it is none. */
export function moduleTypeOf(payload: Buffer): string | undefined {
  const [type] = payload;
  if (type !== RDB_MODULE && type !== RDB_MODULE_2) return undefined;
  return moduleName(new RdbInput(payload, 1, payload.length).length64());
}
