/** One end of a copy: a server that is named by its URL, or the data folder of the configuration. What it is, it is asked. */
import type { Part } from "../client/link.ts";
import { SocketLink } from "../client/socket-link.ts";
import { KvdbError } from "../errors.ts";
import { displayPath } from "../kernel/display-path.ts";
import type { Answer } from "../resp/answer.ts";
import { parseServerUrl } from "./server-url.ts";
import { answered, awaitLater, type Send, type TransferRun, withData } from "./transfer-data.ts";
import type { World } from "./world.ts";

/** Sends commands all at once; an error reply is an answer. */
export type Ask = (commands: readonly (readonly Part[])[]) => Promise<readonly Answer[]>;

export interface CopyPlace {
  /** How messages name it. */
  readonly name: string;
  /** The one database that its URL names; undefined: all. */
  readonly database: number | undefined;
  readonly ask: Ask;
  readonly send: Send;
  /** It has VALUE.IMPORT, VALUE.EXPORT, and documents. */
  readonly isKvdb: boolean;
  /** Of the Redis that it is, or whose commands it has: 7.2 as 702. */
  readonly version: number;
  /** Of the process. */
  readonly runId: string;
}

/** Whoever can be asked what databases there are. */
export type Asked = Pick<CopyPlace, "name" | "ask">;

/** How long a server may take to greet. */
const GREETING_LIMIT_MS = 10_000;

export async function withServer<Result>(
  url: string,
  world: World,
  use: (place: CopyPlace) => Promise<Result>,
): Promise<Result> {
  const { name, address, credentials, database } = parseServerUrl(url, world.environment);
  const patience = new AbortController();
  const timer = world.platform.clock.after(GREETING_LIMIT_MS, () => patience.abort());
  let link: SocketLink;
  try {
    link = await SocketLink.connect(address, credentials, patience.signal);
  } finally {
    timer.cancel();
  }
  try {
    const ask: Ask = (commands) => link.callAll(commands);
    const send: Send = async (parts) => {
      const answer = link.call(parts);
      awaitLater(answer);
      return { answer };
    };
    return await use({ name, database, ask, send, ...(await lookAt(name, ask)) });
  } finally {
    await link.close();
  }
}

export function withFolder<Result>(
  run: TransferRun,
  world: World,
  use: (place: CopyPlace) => Promise<Result>,
): Promise<Result> {
  const name = displayPath(run.loaded.config.dir, world.surroundings.currentFolder);
  return withData(run, 0, world, async (_call, send) => {
    const ask: Ask = async (commands) => {
      const sent = [];
      for (const parts of commands) sent.push(await send(parts));
      return Promise.all(sent.map(({ answer }) => answer));
    };
    return use({ name, database: undefined, ask, send, ...(await lookAt(name, ask)) });
  });
}

async function lookAt(
  name: string,
  ask: Ask,
): Promise<Pick<CopyPlace, "isKvdb" | "version" | "runId">> {
  const answers = await ask([
    ["INFO", "server"],
    ["COMMAND", "INFO", "VALUE.EXPORT"],
  ]);
  const [info, command] = answers as [Answer, Answer];
  if (info.kind === "error" && info.code === "NOAUTH") {
    const message = `${name} wants a password: redis://:password@${name}, or redis://user:password@${name}`;
    throw new KvdbError("COMMAND", message);
  }
  const text = textOf(at(name, info));
  const [, major = "0", minor = "0"] = /^redis_version:(\d+)\.(\d+)/m.exec(text) ?? [];
  const [, runId = ""] = /^run_id:(\w+)/m.exec(text) ?? [];
  const isKvdb = command.kind === "array" && command.items[0]?.kind === "array";
  return { isKvdb, version: 100 * Number(major) + Number(minor), runId };
}

/** Databases that have keys, with their number. */
export async function filledDatabases({ name, ask }: Asked): Promise<ReadonlyMap<number, number>> {
  const [answer] = await ask([["INFO", "keyspace"]]);
  const text = textOf(at(name, answer as Answer));
  const lines = text.matchAll(/^db(\d+):keys=(\d+)/gm);
  return new Map([...lines].map(([, index, keys]) => [Number(index), Number(keys)]));
}

/** All that it has room for, of a kvdb. */
export async function allDatabases({ name, ask }: Asked): Promise<readonly number[]> {
  const [answer] = await ask([["CONFIG", "GET", "databases"]]);
  const told = at(name, answer as Answer);
  const [, value] = told.kind === "map" ? (told.entries[0] ?? []) : [];
  const count = value?.kind === "bulk" ? Number(value.bytes.toString()) : 0;
  return Array.from({ length: count }, (_, index) => index);
}

/** Throws an error reply, with the place. */
export function at(name: string, answer: Answer): Answer {
  try {
    return answered(answer);
  } catch (error) {
    throw error instanceof KvdbError ? error.prefix(name) : error;
  }
}

function textOf(answer: Answer): string {
  if (answer.kind === "verbatim") return answer.text;
  return answer.kind === "bulk" ? answer.bytes.toString() : "";
}
