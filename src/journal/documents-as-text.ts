/**
 * What redis-server has done with a document, done here: to it the document was the string of its text, and so APPEND or
 * SETBIT, which a document refuses, went through. The documents that such a command names become those strings, as they have
 * become for Redis; then it is run again.
 */
import { Arguments } from "../commands/arguments.ts";
import type { CommandInfo } from "../commands/command.ts";
import { keyArguments, takesKeys } from "../commands/command-keys.ts";
import type { Gate } from "../commands/dispatch.ts";
import type { Session } from "../session/session.ts";
import { CHUNK_SHIFT } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import { JSON_TEXT, typeOf, valueAt, valueWord } from "../store/entry.ts";
import { ErrorRecorder } from "./error-recorder.ts";
import { type KeyBytes, storedEntry } from "./key-words.ts";

export class DocumentsAsText {
  readonly #gate: Gate;
  readonly #session: Session;
  readonly #setting = new Arguments();
  readonly #reply = new ErrorRecorder();

  constructor(gate: Gate, session: Session) {
    this.#gate = gate;
    this.#session = session;
  }

  /** True: the command named some, which are strings now. */
  take(args: Arguments): boolean {
    const command = this.#session.server.commands.get(args.latin(0).toUpperCase());
    if (command === undefined || !takesKeys(command)) return false;
    let hasTaken = false;
    for (const key of keysOf(command, args)) hasTaken = this.#takeOne(key) || hasTaken;
    return hasTaken;
  }

  #takeOne(key: KeyBytes): boolean {
    const { database } = this.#session;
    const entry = storedEntry(database, key);
    if (entry === 0 || typeOf(database.arena, entry) !== JSON_TEXT) return false;
    const name = Buffer.from((key.bytes as Buffer).subarray(key.start, key.end));
    this.#setting.assign(["SET", name, textOf(database, entry), "KEEPTTL"]);
    this.#gate.dispatch(this.#session, this.#setting, this.#reply);
    return true;
  }
}

function keysOf(command: CommandInfo, args: Arguments): KeyBytes[] {
  return keyArguments(command, args, 0).map((index) => ({
    bytes: args.buffer,
    start: args.start[index] as number,
    end: args.end[index] as number,
  }));
}

function textOf({ arena }: Database, entry: number): Buffer {
  const at = valueAt(arena, entry);
  const bytes = arena.bytes[entry >>> CHUNK_SHIFT] as Buffer;
  return Buffer.from(bytes.subarray(at, at + valueWord(arena, entry)));
}
