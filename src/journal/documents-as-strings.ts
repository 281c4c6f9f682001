/**
 * Documents that Redis took for strings: it knows no other value with a text, and what it has written of one (APPEND, SETBIT)
 * is for strings alone. Here such a document becomes the string that it was in Redis, and the command runs again.
 */
import { Arguments } from "../commands/arguments.ts";
import { keyArguments, takesKeys } from "../commands/command-keys.ts";
import type { Session } from "../session/session.ts";
import { CHUNK_SHIFT, copyBytes } from "../store/arena.ts";
import { JSON_TEXT, typeOf, valueAt, valueWord } from "../store/entry.ts";
import { storedEntry } from "./key-words.ts";

/** The commands that make strings of the documents among the keys of the command in `args`. */
export function stringsOfDocuments({ server, database }: Session, args: Arguments): Arguments[] {
  const command = server.commands.get(args.latin(0).toUpperCase());
  if (command === undefined || !takesKeys(command)) return [];
  const { arena } = database;
  const found: Arguments[] = [];
  for (const index of keyArguments(command, args, 0)) {
    const key = args.bytes(index);
    const entry = storedEntry(database, { bytes: key, start: 0, end: key.length });
    if (entry === 0 || typeOf(arena, entry) !== JSON_TEXT) continue;
    const at = valueAt(arena, entry);
    const text = Buffer.alloc(valueWord(arena, entry));
    copyBytes(arena.bytes[entry >>> CHUNK_SHIFT], at, text, 0, text.length);
    const set = new Arguments();
    set.assign(["SET", key, text, "KEEPTTL"]);
    found.push(set);
  }
  return found;
}
