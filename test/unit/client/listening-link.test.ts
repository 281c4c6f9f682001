/** A link through a socket that listens: what is a message and what an answer, and what happens when the server is gone. */
import { afterEach, expect, test } from "bun:test";
import { SocketLink } from "../../../src/client/socket-link.ts";
import type { Answer } from "../../../src/resp/answer.ts";
import { FrontendHarness } from "../resp-plugin/frontend-harness.ts";

const open: FrontendHarness[] = [];
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close();
});

async function listen(): Promise<FrontendHarness> {
  const harness = await FrontendHarness.listen();
  open.push(harness);
  return harness;
}

function textIn(answer: Answer): unknown {
  if (answer.kind === "bulk") return answer.bytes.toString();
  return answer.kind === "integer" ? answer.value : null;
}

/** Messages as they come, and a way to wait for so many. */
class Heard {
  readonly messages: unknown[][] = [];
  #wanted = 0;
  #enough: () => void = () => {};

  readonly onMessage = (message: Answer): void => {
    this.messages.push("items" in message ? message.items.map(textIn) : []);
    if (this.messages.length >= this.#wanted) this.#enough();
  };

  async count(count: number): Promise<unknown[][]> {
    this.#wanted = count;
    if (this.messages.length < count) {
      await new Promise<void>((resolve) => {
        this.#enough = resolve;
      });
    }
    return this.messages.splice(0);
  }
}

function connect(port: number, heard: Heard, onLost: () => void = () => {}): Promise<SocketLink> {
  const address = { hostname: "127.0.0.1", port, tls: false as const };
  const { onMessage } = heard;
  return SocketLink.connect(address, {}, undefined, { onMessage, onLost });
}

test("subscribing resolves to the last confirmation, and answers go on between messages", async () => {
  const { port } = await listen();
  const heard = new Heard();
  const [link, other] = [await connect(port, heard), await connect(port, new Heard())];
  const calls = [
    link.call(["SUBSCRIBE", "a", "b"]),
    link.call(["PSUBSCRIBE", "c*"]),
    link.call(["ECHO", "x"]),
  ];
  const [confirmed, , echoed] = await Promise.all(calls);
  expect(confirmed?.kind === "push" && confirmed.items.map(textIn)).toEqual(["subscribe", "b", 2]);
  expect(echoed).toEqual({ kind: "bulk", bytes: Buffer.from("x") });
  await other.call(["PUBLISH", "a", "1"]);
  await other.call(["PUBLISH", "cd", "2"]);
  expect(await heard.count(5)).toEqual([
    ["subscribe", "a", 1],
    ["subscribe", "b", 2],
    ["psubscribe", "c*", 3],
    ["message", "a", "1"],
    ["pmessage", "c*", "cd", "2"],
  ]);
  const ended = await link.call(["UNSUBSCRIBE"]);
  expect(ended.kind === "push" && ended.items.map(textIn).at(-1)).toBe(1);
  expect(await link.call(["PUNSUBSCRIBE"])).toMatchObject({ kind: "push" });
  expect(await link.call(["UNSUBSCRIBE"])).toMatchObject({ kind: "push" });
  expect((await heard.count(4)).map(([word]) => word)).toEqual([
    ...["unsubscribe", "unsubscribe", "punsubscribe", "unsubscribe"],
  ]);
  await Promise.all([link.close(), other.close()]);
});

test("in RESP2 arrays are messages while something is subscribed to", async () => {
  const { port } = await listen();
  const heard = new Heard();
  const [link, other] = [await connect(port, heard), await connect(port, new Heard())];
  await link.call(["RESET"]);
  await link.call(["RPUSH", "list", "message", "b"]);
  expect(await link.call(["LRANGE", "list", "0", "-1"])).toMatchObject({ kind: "array" });
  expect(await link.call(["SUBSCRIBE", "a"])).toMatchObject({ kind: "array" });
  await other.call(["PUBLISH", "a", "1"]);
  expect(await heard.count(2)).toEqual([
    ["subscribe", "a", 1],
    ["message", "a", "1"],
  ]);
  expect(await link.call(["GET", "k"])).toMatchObject({ kind: "error" });
  await Promise.all([link.close(), other.close()]);
});

test("a refused subscription answers its error", async () => {
  const { port } = await listen();
  const link = await connect(port, new Heard());
  expect(await link.call(["SUBSCRIBE"])).toMatchObject({ kind: "error", code: "ERR" });
  expect(await link.call(["PING"])).toMatchObject({ kind: "status" });
  await link.close();
});

test("who listens is told when the server is gone", async () => {
  const harness = await listen();
  const lost = Promise.withResolvers<void>();
  const link = await connect(harness.port, new Heard(), lost.resolve);
  await link.call(["SUBSCRIBE", "a"]);
  await harness.close();
  await lost.promise;
  expect(link.call(["PING"])).rejects.toMatchObject({ code: "UNAVAILABLE" });
});
