/**
 * The cache for programs: `readThrough` answers what is cached, or loads it. However many ask at once, in
 * this process and in others, one of them loads.
 *
 *   const user = await readThrough(db, {
 *     key: "user:17", ttlMs: 60_000, tags: ["users"],
 *     load: () => api.fetchUser(17),
 *   });
 *
 * Values are JSON, and each caller gets an object of its own. What a caller gets was cached, or was loaded by it,
 * so it is never older than a drop that this caller has awaited.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** The embedded database, or a client of a server such as that of ioredis. */
export interface Caller {
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
}

export interface ReadThroughOptions<Value> {
  readonly key: string;
  readonly ttlMs: number;
  /** Names for CACHE.DROPTAG. */
  readonly tags?: readonly string[];
  /** How long others wait for this loader before one of them tries. Default: 10 s. */
  readonly leaseMs?: number;
  /** For so long after `ttlMs` the old value is answered at once, and loaded anew behind it. */
  readonly stale?: { readonly ms: number; onError(error: unknown): void };
  /** What it throws is thrown to its caller; the next one tries again. */
  load(): Promise<Value> | Value;
}

const LEASE_MS = 10_000;
/** Between two questions while another process loads: from the first, doubling, to the second. */
const PAUSES_MS = [5, 250] as const;

export async function readThrough<Value>(
  client: Caller,
  options: ReadThroughOptions<Value>,
): Promise<Value> {
  const { key, stale, leaseMs = LEASE_MS } = options;
  for (let pauseMs: number = PAUSES_MS[0]; ; pauseMs = Math.min(2 * pauseMs, PAUSES_MS[1])) {
    const words = ["LEASE", leaseMs, ...tagWords(options)];
    const [state, number, text] = (await client.call("CACHE.GET", key, ...words)) as Found;
    const isAnswer = state === "hit" || (text !== null && stale !== undefined);
    if (state === "load") {
      const loaded = load(client, options, number);
      if (!isAnswer) return JSON.parse(await loaded);
      loaded.catch((error) => stale?.onError(error));
    }
    if (isAnswer) return JSON.parse(text as string);
    const here = loadsOf(client).get(key);
    const pause = sleep(Math.min(pauseMs, Math.max(number, 1)));
    await (here === undefined ? pause : Promise.race([pause, here]));
  }
}

/** What CACHE.GET answers: milliseconds to go, or the token. */
type Found = readonly ["hit" | "load" | "wait", number, string | null];

function tagWords({ tags = [] }: { readonly tags?: readonly string[] }): string[] {
  return tags.length === 0 ? [] : ["TAGS", ...tags];
}

async function load<Value>(
  client: Caller,
  options: ReadThroughOptions<Value>,
  token: number,
): Promise<string> {
  const { key, ttlMs, stale } = options;
  const { promise, resolve } = Promise.withResolvers<void>();
  loadsOf(client).set(key, promise);
  try {
    const text: string | undefined = JSON.stringify(await options.load());
    if (text === undefined) throw new TypeError(`what was loaded for ${key} is no JSON`);
    const times = ["PX", ttlMs, ...(stale === undefined ? [] : ["STALE", stale.ms])];
    await client.call("CACHE.SET", key, token, text, ...times, ...tagWords(options));
    return text;
  } catch (error) {
    await client.call("UNLOCK", key, token).catch((failure) => {
      throw new AggregateError([error, failure], `loading ${key}, and giving its lease back`);
    });
    throw error;
  } finally {
    if (loadsOf(client).get(key) === promise) loadsOf(client).delete(key);
    resolve();
  }
}

/** The loads of this process, so that who waits for one of them need not ask again and again. */
const loads = new WeakMap<Caller, Map<string, Promise<void>>>();

function loadsOf(client: Caller): Map<string, Promise<void>> {
  const found = loads.get(client) ?? new Map<string, Promise<void>>();
  loads.set(client, found);
  return found;
}
