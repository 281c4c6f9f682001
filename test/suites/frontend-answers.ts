/** Of `frontendSuite`: whether clients get the right answers, and not before they may. */
import { expect } from "bun:test";
import type { FrontendAbilities, FrontendAnswer, FrontendClient } from "./frontend-case.ts";
import type { FrontendTest } from "./frontend-suite.ts";
import { MIB, type Trial } from "./frontend-trial.ts";

const PASSWORD = "a password";

/** Of another client, in which an answer that is not held back would have come long ago. */
const ROUND_TRIPS = 10;

/** What a frontend may keep of the input behind an answer that comes later. */
const MOST_KEPT_MIB = 6;

export function answerTests(test: FrontendTest, supports: FrontendAbilities): void {
  test("what is written is read: texts and keys of every kind", async (trial) => {
    const client = await trial.connect(await trial.start());
    for (const [key, value] of TEXTS) {
      expect(isError(await trial.within("writing", client.set(key, value)))).toBe(false);
      expect(await trial.within("reading", client.get(key))).toBe(value);
    }
    expect(await trial.within("reading", client.get("nobody"))).toBeNull();
  });

  test("every answer goes to the one who asked", async (trial) => {
    const running = await trial.start();
    const clients = await Promise.all(Array.from({ length: 10 }, () => trial.connect(running)));
    const conversations = clients.map(async (client, index) => {
      for (let round = 0; round < 20; round++) {
        await client.set(`key ${index}`, `${index} ${round}`);
        expect(await client.get(`key ${index}`)).toBe(`${index} ${round}`);
      }
    });
    await trial.within("all conversations", Promise.all(conversations));
  });

  test("an answer that waits for the disk does not leave before; others do", async (trial) => {
    const running = await trial.start();
    const [writer, reader, other] = [
      await trial.connect(running),
      await trial.connect(running),
      await trial.connect(running),
    ];
    await trial.within("writing", writer.set("before", "1"));
    const { persistence } = running.host;
    persistence.holdsSyncs = true;
    const written = trial.watch(writer.set("key", "2"));
    await trial.until("the write is handed to the disk", () => persistence.waiting > 0);
    const read = trial.watch(reader.get("key"));
    for (let round = 0; round < ROUND_TRIPS; round++) {
      expect(await trial.within("reading", other.get("before"))).toBe("1");
    }
    expect([written.state(), read.state()]).toEqual(["pending", "pending"]);
    persistence.sync();
    await trial.until("the answers leave", () => read.state() === "2");
    await trial.until("the answers leave", () => written.state() !== "pending");
    expect(isError(written.state())).toBe(false);
  });

  test("when the disk refuses, what waits for it is an error; the rest is read, and service resumes", async (trial) => {
    const running = await trial.start();
    const [writer, reader, other] = [
      await trial.connect(running),
      await trial.connect(running),
      await trial.connect(running),
    ];
    await trial.within("writing", writer.set("before", "1"));
    const { persistence } = running.host;
    persistence.holdsSyncs = true;
    const waiting = [writer.set("key", "2"), reader.get("key")].map((one) => trial.watch(one));
    await trial.until("the write is handed to the disk", () => persistence.waiting > 0);
    for (let round = 0; round < ROUND_TRIPS; round++) {
      await trial.within("reading", other.get("before"));
    }
    persistence.refuse(new Error("no space left, as the test wants"));
    const refused = { error: "MISCONF" };
    await trial.until("both are answered", () => waiting.every((one) => one.state() !== "pending"));
    expect(waiting.map((one) => one.state())).toEqual([refused, refused]);
    expect(await trial.within("reading", other.get("key"))).toEqual(refused);
    expect(await trial.within("reading", other.get("before"))).toBe("1");
    expect(await trial.within("writing", writer.set("another", "3"))).toEqual(refused);
    persistence.holdsSyncs = false; // and is asked again
    await trial.until("what was applied is read", async () => (await reader.get("key")) === "2");
    expect(isError(await trial.within("writing", writer.set("key", "3")))).toBe(false);
  });

  test("LOADING is told while the data is loaded", async (trial) => {
    const running = await trial.start({ loading: true });
    const client = await trial.connect(running);
    expect(await trial.within("reading", client.get("key"))).toEqual({ error: "LOADING" });
    running.host.finishLoading();
    expect(await trial.within("reading", client.get("key"))).toBeNull();
  });

  test("an answer that comes later is given when it is there; others are not delayed", async (trial) => {
    const running = await trial.start();
    const [client, other] = [await trial.connect(running), await trial.connect(running)];
    await trial.within("writing", other.set("slow", "1"));
    const late = running.host.answerLater("slow");
    const answer = trial.watch(client.get("slow"));
    await trial.until("the command waits", () => late.waiting === 1);
    for (let round = 0; round < ROUND_TRIPS; round++) {
      await trial.within("reading", other.get("nobody"));
    }
    expect(answer.state()).toBe("pending");
    late.answer();
    await trial.until("the answer leaves", () => answer.state() !== "pending");
    expect(answer.state()).toBe("1");
    expect(late.abandoned).toBe(0);
  });

  test("who waits for an answer that comes later gets UNBLOCKED when kvdb stops", async (trial) => {
    const running = await trial.start();
    const client = await trial.connect(running);
    const late = running.host.answerLater("slow");
    const answer = trial.watch(client.get("slow"));
    await trial.until("the command waits", () => late.waiting === 1);
    await running.host.engine.beginStop();
    await trial.until("the answer leaves", () => answer.state() !== "pending");
    expect(answer.state()).toEqual({ error: "UNBLOCKED" });
    expect(late.abandoned).toBe(1);
  });

  if (supports.pipelining) pipeliningTests(test);
  if (supports.pipelining) laterPipeliningTests(test);
  if (supports.password) passwordTests(test);
  else trustTests(test);
}

function pipeliningTests(test: FrontendTest): void {
  test("commands of one client run, and are answered, in the order they were sent", async (trial) => {
    const client = await trial.connect(await trial.start());
    const answers: Promise<FrontendAnswer>[] = [];
    const order: number[] = [];
    for (let round = 0; round < 200; round++) {
      void client.set("key", String(round));
      const answer = client.get("key");
      void answer.then(() => order.push(round));
      answers.push(answer);
    }
    const rounds = Array.from({ length: 200 }, (_, round) => round);
    expect(await trial.within("all answers", Promise.all(answers))).toEqual(rounds.map(String));
    expect(order).toEqual(rounds);
  });

  test("an answer that waits for the disk is not overtaken by later ones", async (trial) => {
    const { host, ...running } = await trial.start();
    const client = await trial.connect(running);
    host.persistence.holdsSyncs = true;
    const first = trial.watch(client.set("key", "1"));
    await trial.until("the write is handed to the disk", () => host.persistence.waiting > 0);
    const second = trial.watch(client.get("other"));
    const other = await trial.connect(running);
    for (let round = 0; round < ROUND_TRIPS; round++) {
      await trial.within("reading", other.get("other"));
    }
    expect([first.state(), second.state()]).toEqual(["pending", "pending"]);
    host.persistence.sync();
    await trial.until("both answers leave", () => second.state() === null);
  });
}

function laterPipeliningTests(test: FrontendTest): void {
  test("an answer that comes later is not overtaken, and the commands behind it run after it", async (trial) => {
    const running = await trial.start();
    const { host } = running;
    const [client, other] = [await trial.connect(running), await trial.connect(running)];
    const late = host.answerLater("slow");
    const order: number[] = [];
    const answers = ["key", "slow", "key", "slow", "slow", "key"].map((key, index) => {
      const answer = client.get(key);
      void answer.then(() => order.push(index));
      return answer;
    });
    const written = client.set("key", "behind them");
    await trial.until("the first of them waits", () => late.waiting === 1);
    await trial.until("what was before it is answered", () => order.length === 1);
    for (let round = 0; round < ROUND_TRIPS; round++) {
      expect(await trial.within("reading", other.get("key"))).toBeNull();
    }
    const sessions = [...host.engine.sessions.values()];
    expect(sessions.filter(({ later }) => later !== null)).toHaveLength(1);
    for (let answered = 0; answered < 3; answered++) {
      await trial.until("another one waits", () => late.waiting === 1);
      late.answer();
    }
    await trial.within("all answers", Promise.all([...answers, written]));
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await trial.within("reading", other.get("key"))).toBe("behind them");
  });

  test("much that comes behind an answer that comes later is neither lost nor kept without bounds", async (trial) => {
    const running = await trial.start();
    const client = await trial.connect(running);
    const late = running.host.answerLater("slow");
    const first = trial.watch(client.get("slow"));
    await trial.until("the command waits", () => late.waiting === 1);
    const value = "x".repeat(MIB);
    const written = Array.from({ length: MOST_KEPT_MIB * 2 }, (_, index) =>
      client.set(`key ${index}`, value),
    );
    const other = await trial.connect(running);
    for (let round = 0; round < ROUND_TRIPS; round++) {
      await trial.within("reading", other.get("nobody"));
      expect(running.host.waitingBytes().input).toBeLessThan(MOST_KEPT_MIB * MIB);
    }
    late.answer();
    await trial.within("all answers", Promise.all(written));
    expect(first.state()).toBeNull();
    expect(await trial.within("reading", other.get(`key ${MOST_KEPT_MIB * 2 - 1}`))).toBe(value);
  });
}

function passwordTests(test: FrontendTest): void {
  test("with a password, who does not give it gets nothing and changes nothing", async (trial) => {
    const running = await trial.start({ password: PASSWORD });
    const admitted = await trial.connect(running, PASSWORD);
    await trial.within("writing", admitted.set("key", "1"));
    for (const password of [undefined, `${PASSWORD}!`]) {
      expect(await attempt(trial, () => trial.connect(running, password))).toEqual([
        "refused",
        "refused",
      ]);
    }
    expect(await trial.within("reading", admitted.get("key"))).toBe("1");
  });
}

function trustTests(test: FrontendTest): void {
  test("with a password, who the system let in is not asked for it", async (trial) => {
    const running = await trial.start({ password: PASSWORD });
    const client = await trial.connect(running);
    await trial.within("writing", client.set("key", "1"));
    expect(await trial.within("reading", client.get("key"))).toBe("1");
  });
}

/** Reads and writes as a client that should not be able to; it may be refused at once. */
async function attempt(
  trial: Trial,
  connect: () => Promise<FrontendClient>,
): Promise<("refused" | FrontendAnswer)[]> {
  const outcomes: ("refused" | FrontendAnswer)[] = [];
  for (const act of [
    (client: FrontendClient) => client.get("key"),
    (client: FrontendClient) => client.set("key", "2"),
  ]) {
    const [outcome] = await Promise.allSettled([
      trial.within("being refused", connect().then(act)),
    ]);
    const refused = outcome.status === "rejected" || isError(outcome.value);
    outcomes.push(refused ? "refused" : outcome.value);
  }
  return outcomes;
}

export function isError(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "error" in answer;
}

const TEXTS: readonly (readonly [key: string, value: string])[] = [
  ["key", "value"],
  ["empty", ""],
  ["two words", "with spaces  and\ttabs"],
  ["lines", "one\r\ntwo\nthree\r\n\r\n"],
  ["kľúč/with?all&of=them#%20+:", "žltý kôň 🐎"],
  ["quotes", "\"'\\`{}[]"],
  ["looks like JSON", '{"a":[1,null]}'],
  ["looks like a number", "1.50"],
  ["large", "0123456789abcdef".repeat(65_536)],
];
