/** What an engine has recorded in Redis's words: as an append-only file, and as single commands. */
import { Arguments } from "../../src/commands/arguments.ts";
import { RECORD_HEADER_BYTES } from "../../src/journal/record.ts";
import { Decoder } from "../../src/resp/decoder.ts";
import type { EngineHarness } from "../suites/engine-harness.ts";
import { encodeArray } from "./step.ts";

const HASH = 35;
const LF = 10;

/** The text of a file that holds all records; a SELECT in front of each. */
export function appendOnlyText(db: EngineHarness): Buffer {
  db.engine.endTurn();
  const parts: Uint8Array[] = [];
  for (const { bytes, start, end } of db.persistence.batches) {
    for (let at = start; at < end; ) {
      const from = at + RECORD_HEADER_BYTES;
      const next = from + bytes.readUInt32LE(at);
      parts.push(Buffer.from(encodeArray(["SELECT", `${bytes.readUInt16LE(at + 4)}`])));
      parts.push(bytes.subarray(from, next));
      at = next;
    }
  }
  return Buffer.concat(parts);
}

/** The commands in it, without the lines that Redis skips. */
export function commandsForRedis(db: EngineHarness): Buffer[] {
  const text = appendOnlyText(db);
  const decoder = new Decoder();
  const args = new Arguments();
  const commands: Buffer[] = [];
  for (let at = 0; at < text.length; ) {
    if (text[at] === HASH) {
      at = text.indexOf(LF, at) + 1;
      continue;
    }
    const end = decoder.decode(args, text, at, text.length);
    if (end < 0) throw new Error(`no complete command at byte ${at}`);
    commands.push(text.subarray(at, end));
    at = end;
  }
  return commands;
}
