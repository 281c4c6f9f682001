/**
 * `changes` of the embedded API: page after page of CHANGES, on a link of its own, each asked for when the one before was
 * taken. So a program that is slow with a change holds up nobody, and takes no memory but that of one page.
 */
import { isUtf8 } from "node:buffer";
import { KvdbError } from "../errors.ts";
import type { EarlyAnswer, LocalLink } from "../kernel/local-link.ts";
import type { Answer } from "../resp/answer.ts";
import { requireKeys, requireText } from "./checked-options.ts";
import { replyError } from "./plain-answer.ts";
import type { Change, ChangesOptions } from "./store-types.ts";

/** Some tens of microseconds apiece: a page is made in less than a turn may take. */
const PAGE_CHANGES = 200;

/** The folder, as an iterator needs it. */
export interface ChangesHolder {
  link(index: number): LocalLink;
  closeLink(link: LocalLink): Promise<void>;
  requireOpen(): void;
  refreshClock(): void;
  ask(link: LocalLink, words: readonly string[]): Promise<EarlyAnswer>;
}

interface Start {
  readonly from: string;
  readonly prefix: string;
  readonly signal: AbortSignal | undefined;
}

/** What is changed from this call on belongs to it, whenever it is iterated. */
export function followChanges(
  holder: ChangesHolder,
  options: ChangesOptions = {},
): AsyncGenerator<Change, void, undefined> {
  const { prefix, signal } = readOptions(options);
  const link = holder.link(0);
  holder.refreshClock();
  const answer = link.run(["CHANGES", "FROM", readFrom(options.from), "COUNT", "1"]);
  const from = answer.kind === "error" ? readFrom(options.from) : startOf(answer, options.from);
  return iterate(holder, link, { from, prefix, signal });
}

/** Behind the last change, said in a number; else as it was asked for. */
function startOf(answer: Answer, from: ChangesOptions["from"]): string {
  return from === undefined || from === "now" ? String(pageOf(answer).next) : readFrom(from);
}

async function* iterate(
  holder: ChangesHolder,
  link: LocalLink,
  { from, prefix, signal }: Start,
): AsyncGenerator<Change, void, undefined> {
  const stop = () => void holder.closeLink(link);
  signal?.addEventListener("abort", stop, { once: true });
  const filter = prefix === "" ? [] : ["PREFIX", prefix];
  const end = ["COUNT", String(PAGE_CHANGES), "BLOCK", "0", ...filter];
  let next = from;
  try {
    while (!isAborted(signal)) {
      const page = await readPage(holder, link, ["CHANGES", "FROM", next, ...end], signal);
      if (page === undefined) return;
      for (const change of page.changes) {
        yield change;
        if (isAborted(signal)) return;
      }
      next = String(page.next);
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    await holder.closeLink(link);
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** undefined: it is no longer wanted. */
async function readPage(
  holder: ChangesHolder,
  link: LocalLink,
  words: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Page | undefined> {
  try {
    holder.requireOpen();
    holder.refreshClock();
    const { answer } = await holder.ask(link, words);
    if (answer.kind === "error" && answer.code === "UNBLOCKED") holder.requireOpen();
    return pageOf(answer);
  } catch (error) {
    if (isAborted(signal)) return undefined;
    holder.requireOpen();
    throw error;
  }
}

interface Page {
  readonly next: number;
  readonly changes: readonly Change[];
}

/** Throws what the command has answered, where that is an error. */
function pageOf(answer: Answer): Page {
  if (answer.kind === "error") throw replyError(answer);
  const [next, changes] = itemsOf(answer);
  return { next: numberOf(next), changes: itemsOf(changes).map(changeOf) };
}

function changeOf(answer: Answer): Change {
  const [revision, timeMs, database, key, event, command] = itemsOf(answer);
  return {
    revision: numberOf(revision),
    timeMs: numberOf(timeMs),
    database: numberOf(database),
    key: key?.kind === "bulk" ? textOrBytes(key.bytes) : undefined,
    event: event?.kind === "bulk" ? event.bytes.toString() : "",
    command: command?.kind === "array" ? command.items.map(wordOf) : undefined,
  };
}

function wordOf(answer: Answer): string | Uint8Array {
  return answer.kind === "bulk" ? textOrBytes(answer.bytes) : "";
}

function textOrBytes(bytes: Buffer): string | Uint8Array {
  return isUtf8(bytes) ? bytes.toString() : new Uint8Array(bytes);
}

function itemsOf(answer: Answer | undefined): readonly Answer[] {
  return answer?.kind === "array" ? answer.items : [];
}

function numberOf(answer: Answer | undefined): number {
  return answer?.kind === "integer" ? Number(answer.value) : Number.NaN;
}

// ---- options ----

function readOptions(options: ChangesOptions): Omit<Start, "from"> {
  requireKeys("changes", options, ["from", "prefix", "signal"]);
  const { prefix = "", signal } = options;
  requireText("changes.prefix", prefix);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new KvdbError("USAGE", `changes.signal: expected an AbortSignal, found ${typeof signal}`);
  }
  return { prefix, signal };
}

function readFrom(from: ChangesOptions["from"]): string {
  if (from === undefined || from === "now") return "$";
  if (from === "oldest") return "0";
  if (Number.isSafeInteger(from) && from > 0) return String(from);
  const message = 'expected a revision, "now" or "oldest"';
  throw new KvdbError("USAGE", `changes.from: ${message}, found ${String(from)}`);
}
