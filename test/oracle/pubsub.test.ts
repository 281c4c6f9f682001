/**
 * Several clients that subscribe, publish and ask, in RESP2 and RESP3, against redis-server: the same generated steps on both,
 * one after the other, each until everybody has got what it sends out. What each client receives must be the same bytes
 * in the same order, but for what Redis leaves to chance or has changed since: see `comparable`.
 *
 * The seed is new in each run, and printed; KVDB_TEST_SEED=N sets it.
 */
import { test } from "bun:test";
import { type ClientGroup, type ClientStep, openClients, playOnBoth } from "./both-servers.ts";
import { toBytes } from "./byte-text.ts";
import type { ListeningClient } from "./listening-client.ts";
import { Random } from "./random.ts";
import { type ReplyNode, readReply } from "./resp-reply.ts";
import { IS_LONG, REDIS, SEED } from "./run-settings.ts";

const SEQUENCES = IS_LONG ? 200 : 25;
const STEPS = 40;
const CLIENTS = 5;
const CHANNELS = ["a", "b", "ab", "abc", "", "[x]", "\xff\x00"];
const PATTERNS = ["*", "a*", "?", "*b*", "[a-b]", "\\[x\\]", "", "\xff*"];

class StepMaker {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  sequence(): ClientStep[] {
    return Array.from({ length: STEPS }, () => ({
      client: this.#random.integer(0, CLIENTS - 1),
      commands: this.#commands(),
    }));
  }

  #commands(): string[][] {
    const random = this.#random;
    if (random.chance(0.15)) return [["MULTI"], ...this.#some(4, () => this.#command()), ["EXEC"]];
    if (random.chance(0.1)) {
      // RESET ends the silence whatever the client may still run.
      return [["CLIENT", "REPLY", "OFF"], ...this.#some(3, () => this.#command()), ["RESET"]];
    }
    return this.#some(3, () => this.#command());
  }

  #some = <Item>(most: number, make: () => Item) =>
    Array.from({ length: this.#random.integer(1, most) }, make);

  #channel = () => this.#random.pick(CHANNELS);
  #pattern = () => this.#random.pick(PATTERNS);

  #command(): string[] {
    const random = this.#random;
    const make = random.pick([
      () => ["SUBSCRIBE", ...this.#some(3, this.#channel)],
      () => ["PSUBSCRIBE", ...this.#some(2, this.#pattern)],
      () => ["SSUBSCRIBE", ...this.#some(2, this.#channel)],
      () => ["UNSUBSCRIBE", ...this.#some(2, this.#channel)],
      () => ["PUNSUBSCRIBE", ...this.#some(2, this.#pattern)],
      () => ["SUNSUBSCRIBE", ...this.#some(2, this.#channel)],
      () => [random.pick(["UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"])],
      () => ["PUBLISH", this.#channel(), random.pick(["m", "", "x".repeat(100)])],
      () => ["PUBLISH", this.#channel(), random.pick(["m", "\r\n", "y".repeat(20_000)])],
      () => ["PUBLISH", this.#channel(), "n"],
      () => ["SPUBLISH", this.#channel(), "s"],
      () => ["PUBSUB", "NUMSUB", ...CHANNELS],
      () => ["PUBSUB", "SHARDNUMSUB", ...CHANNELS],
      () => ["PUBSUB", "NUMPAT"],
      () => ["PUBSUB", random.pick(["CHANNELS", "SHARDCHANNELS"]), ...this.#some(1, this.#pattern)],
      () => ["PUBSUB", "CHANNELS"],
      () => ["PING", ...random.pick([[], ["hello"]])],
      () => ["GET", "key"],
      () => ["HELLO", random.pick(["2", "3"]), "SETNAME", "n"],
      () =>
        random.pick([
          ["RESET"],
          ["PING"],
          ["SUBSCRIBE"],
          ["PUBLISH", "a"],
          ["NOSUCH"],
          ["PING", "a", "b"],
        ]),
    ]);
    return make();
  }
}

/** Clients of one server, with what each receives in the steps of a sequence. */
class Group implements ClientGroup {
  readonly #clients: ListeningClient[];
  #steps = 0;

  private constructor(clients: ListeningClient[]) {
    this.#clients = clients;
  }

  static async open(port: number): Promise<Group> {
    return new Group(await openClients(port, CLIENTS));
  }

  /** What each client has received when all of them have answered a PING behind the step. */
  async play(step: ClientStep): Promise<unknown[]> {
    const acting = this.#clients[step.client] as ListeningClient;
    for (const words of step.commands) acting.send(...words);
    const mark = `mark-${this.#steps++}`;
    const own = await acting.untilPing(mark);
    const received: unknown[] = [];
    for (const client of this.#clients) {
      if (client === acting) received.push(apart(comparable(own)));
      else received.push(comparable(await client.untilPing(mark)));
    }
    return received;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

const MESSAGE = /^[ps]?message$/;
const CONFIRMATION = /^[ps]?(un)?subscribe$/;

/** A part of what a client has received, in an order that can be compared. */
interface Part {
  readonly isMessage: boolean;
  readonly text: string;
}

/**
 * Since 7.2 a message to the client that publishes it comes behind the reply to the command. Before, it came before it, and
 * stood in the middle of what EXEC answers, in the protocol from before a HELLO there.
 */
function apart(parts: readonly Part[]): unknown {
  const messages = parts.filter(({ isMessage }) => isMessage);
  return {
    messages: messages.map(({ text }) => (JSON.parse(text) as unknown[]).slice(1)),
    replies: parts.filter(({ isMessage }) => !isMessage),
  };
}

/** What Redis leaves to chance is sorted: which pattern comes first, channels in lists, what is ended when none is named. */
function comparable(text: string): Part[] {
  const parts: Part[] = [];
  const bytes = toBytes(text);
  for (let at = 0; at < bytes.length; ) {
    const reply = readReply(bytes, at) as ReplyNode;
    addParts(reply, parts);
    at = reply.end;
  }
  return sortedRuns(parts);
}

function addParts(reply: ReplyNode, parts: Part[]): void {
  const first = reply.items[0]?.text ?? "";
  const words = reply.items.map(({ text }) => text);
  const add = (isMessage: boolean, value: unknown) =>
    parts.push({ isMessage, text: JSON.stringify(value) });
  if (MESSAGE.test(first)) add(true, [reply.type, ...words]);
  else if (first === "server") add(false, ["HELLO", reply.type, words[5]]);
  else if (CONFIRMATION.test(first)) add(false, [reply.type, ...words]);
  else if (words.length > 1 && reply.items.every(({ type }) => type === "$")) {
    add(false, [reply.type, ...words.sort()]);
  } else {
    add(false, [reply.type, reply.text]);
    for (const item of reply.items) addParts(item, parts);
  }
}

/** Neighbours that may stand in any order: one message to several patterns; the names and the counts of confirmations. */
function sortedRuns(parts: readonly Part[]): Part[] {
  const sorted: Part[] = [];
  for (let at = 0; at < parts.length; ) {
    const key = runOf(parts[at] as Part);
    let end = at + 1;
    while (key !== null && end < parts.length && runOf(parts[end] as Part) === key) end++;
    sorted.push(...sortRun(parts.slice(at, end)));
    at = end;
  }
  return sorted;
}

function runOf({ text }: Part): string | null {
  const [, word, , ...rest] = JSON.parse(text) as string[];
  if (word === "pmessage") return JSON.stringify(rest);
  return CONFIRMATION.test(word ?? "") ? (word as string) : null;
}

function sortRun(run: Part[]): Part[] {
  if (run.length === 1) return run;
  const values = run.map(({ text }) => JSON.parse(text) as unknown[]);
  if (values[0]?.[1] === "pmessage") return run.sort((a, b) => (a.text < b.text ? -1 : 1));
  const names = values.map((value) => String(value[2])).sort();
  const counts = values.map((value) => value[3]);
  return [{ isMessage: false, text: JSON.stringify([values[0]?.slice(0, 2), names, counts]) }];
}

test.skipIf(REDIS === null)(`messages as redis-server sends them, seed ${SEED}`, async () => {
  const stepsOf = (number: number) => new StepMaker(SEED + number).sequence();
  await playOnBoth(SEQUENCES, stepsOf, (port) => Group.open(port));
});
