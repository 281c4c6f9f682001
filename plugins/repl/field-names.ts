/**
 * Names of fields and indexes from the live store, for completion: those that are indexed, and those of some documents. The
 * store is asked a bounded number of times, and never for a whole document.
 */
import type { Answer, Clock, Part } from "kvdb";

export interface NameSource {
  readonly clock: Clock;
  /** Undefined: no answer. */
  call(parts: readonly Part[]): Promise<Answer | undefined>;
}

const SEARCH_LIMIT_MS = 50;
const SEARCH_STEPS = 10;
const SEARCH_STEP_KEYS = 200;
/** Documents whose names are asked for. */
const SAMPLE_DOCUMENTS = 10;

/** A name that stands without quotes. */
const PLAIN_NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_-]*$/u;
/** The fields above the one that is typed: `user.address.`. */
const ABOVE = /^(?:[\p{L}\p{N}_][\p{L}\p{N}_-]*\.)+/u;

/** Fields that begin as `typed` does, as they are written in a filter. */
export async function fieldNames(typed: string, source: NameSource): Promise<string[]> {
  const [indexed, sampled] = await Promise.all([
    indexedFields(source),
    sampledFields(ABOVE.exec(typed)?.[0] ?? "", source),
  ]);
  return [...new Set([...indexed, ...sampled, "@key"])].filter((name) => name.startsWith(typed));
}

export async function indexNames(source: NameSource): Promise<string[]> {
  return textsOf(await source.call(["INDEX", "LIST"]));
}

export async function indexKinds(source: NameSource): Promise<string[]> {
  const answer = await source.call(["INDEX", "KINDS"]);
  return answer?.kind === "map" ? answer.entries.map(([name]) => textOf(name)) : [];
}

async function indexedFields(source: NameSource): Promise<string[]> {
  const answer = await source.call(["INDEX", "INFO"]);
  const indexes = answer?.kind === "array" ? answer.items : [];
  return indexes.flatMap((index) => {
    const entries = index.kind === "map" ? index.entries : [];
    const [, fields] = entries.find(([name]) => textOf(name) === "fields") ?? [];
    // Commas within quotes are in few names: those are left out.
    const text = fields === undefined ? "" : textOf(fields);
    return text.includes('"') ? [] : text.split(",").filter((field) => field !== "");
  });
}

async function sampledFields(above: string, source: NameSource): Promise<string[]> {
  const path = above === "" ? [] : [`.${above.slice(0, -1)}`];
  const names: string[] = [];
  for (const key of await documentKeys(source)) {
    names.push(...textsOf(await source.call(["JSON.OBJKEYS", key, ...path])));
  }
  return names.map((name) => above + (PLAIN_NAME.test(name) ? name : JSON.stringify(name)));
}

async function documentKeys({ clock, call }: NameSource): Promise<Buffer[]> {
  const begunMs = clock.monotonicMs();
  const keys: Buffer[] = [];
  let cursor = "0";
  for (let steps = 0; steps < SEARCH_STEPS && keys.length < SAMPLE_DOCUMENTS; steps++) {
    const count = ["COUNT", String(SEARCH_STEP_KEYS)];
    const answer = await call(["SCAN", cursor, ...count, "TYPE", "ReJSON-RL"]);
    const [next, found] = answer?.kind === "array" ? answer.items : [];
    for (const key of found?.kind === "array" ? found.items : []) {
      if (key.kind === "bulk") keys.push(key.bytes);
    }
    cursor = next?.kind === "bulk" ? next.bytes.toString() : "0";
    if (cursor === "0" || clock.monotonicMs() - begunMs > SEARCH_LIMIT_MS) break;
  }
  return keys.slice(0, SAMPLE_DOCUMENTS);
}

function textsOf(answer: Answer | undefined): string[] {
  return answer?.kind === "array" ? answer.items.map(textOf).filter((text) => text !== "") : [];
}

function textOf(answer: Answer): string {
  if (answer.kind === "bulk") return answer.bytes.toString();
  return answer.kind === "status" ? answer.text : "";
}
