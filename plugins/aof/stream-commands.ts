/**
 * A stream's items, as kvdb gives them (src/store/stream-text.ts), as the commands that make them, one
 * after the other, in the way of Redis's own rewriting: entries with their IDs, then what the stream
 * knows beyond them, then each group with its consumers and what is pending. As there, when a consumer
 * was seen last has no command, nor has what is pending of an entry that was deleted.
 */
import type { Word } from "./base-commands.ts";

type Text = string | { readonly start: number; readonly end: number };

export class StreamCommands {
  /** Last ID, greatest deleted, entries ever added. */
  #head: readonly string[] = [];
  #hasEntries = false;
  #isSettled = false;
  /** Names of the group in hand and of its consumers. */
  #group: Uint8Array = new Uint8Array(0);
  #consumers: Uint8Array[] = [];

  begin(): void {
    this.#hasEntries = false;
    this.#isSettled = false;
  }

  /** The commands for an item; the key belongs behind the first word, of XGROUP the second. */
  item([kind, ...texts]: readonly Text[], bytes: Buffer): Word[][] {
    switch (kind) {
      case "stream":
        this.#head = texts as string[];
        return [];
      case "entry":
        this.#hasEntries = true;
        return [["XADD", ...texts]];
      case "group":
        return [...this.settle(), this.#beginGroup(texts, bytes)];
      case "consumer":
        this.#consumers.push(nameIn(texts[0] as Text, bytes));
        return [["XGROUP", "CREATECONSUMER", this.#group, texts[0] as Text]];
      default:
        return [this.#claim(texts as string[])];
    }
  }

  /** What the stream knows beyond its entries, once. */
  settle(): Word[][] {
    if (this.#isSettled) return [];
    this.#isSettled = true;
    const [lastId, deletedId, added] = this.#head as [string, string, string];
    // An ID above zero, which it must be; the next command sets what it is.
    const empty: Word[] = ["XADD", "MAXLEN", "0", "0-1", "x", "y"];
    const settled = ["XSETID", lastId, "ENTRIESADDED", added, "MAXDELETEDID", deletedId];
    return this.#hasEntries ? [settled] : [empty, settled];
  }

  #beginGroup(texts: readonly Text[], bytes: Buffer): Word[] {
    const [name, lastId, read] = texts as [Text, string, string];
    this.#group = nameIn(name, bytes);
    this.#consumers = [];
    const entriesRead = read === "-1" ? [] : ["ENTRIESREAD", read];
    return ["XGROUP", "CREATE", this.#group, lastId, ...entriesRead];
  }

  #claim([id, consumer, deliveredMs, count]: readonly string[]): Word[] {
    const name = this.#consumers[Number(consumer)] as Uint8Array;
    const claim = ["XCLAIM", this.#group, name, "0", id as string, "TIME", deliveredMs as string];
    return [...claim, "RETRYCOUNT", count as string, "FORCE", "JUSTID"];
  }
}

/** Kept: the bytes are those of one part of the stream. */
function nameIn(text: Text, bytes: Buffer): Uint8Array {
  if (typeof text === "string") return Buffer.from(text);
  return Uint8Array.prototype.slice.call(bytes, text.start, text.end);
}
