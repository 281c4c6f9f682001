/**
 * U15: messages through the executable: the client libraries that people use, `kvdb subscribe` in a terminal and in a pipe,
 * the shell, and a subscriber that does not read.
 */
import { describe, expect, test } from "bun:test";
import { connectBunClient, connectIoredis, connectNodeRedis } from "./support/client-libraries.ts";
import { until, within } from "./support/poll.ts";
import { cleanEnvironment, kvdb } from "./support/run.ts";
import { keys, Terminal } from "./support/screen.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

/** What comes, and a way to wait for so much. */
class Heard {
  readonly messages: unknown[] = [];

  readonly add = (...message: unknown[]): void => {
    this.messages.push(message);
  };

  async count(count: number): Promise<unknown[]> {
    await until(`${count} messages`, () => this.messages.length >= count);
    return this.messages.splice(0);
  }
}

describe("U15: client libraries", () => {
  test("ioredis: channels, patterns, bytes, and commands again afterwards", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    await using subscriber = await connectIoredis(server);
    await using publisher = await connectIoredis(server);
    const heard = new Heard();
    subscriber.on("message", (channel, message) => heard.add(channel, message));
    subscriber.on("pmessageBuffer", (pattern, channel, message) =>
      heard.add(String(pattern), String(channel), message),
    );
    expect(await subscriber.subscribe("a", "b")).toBe(2);
    expect(await subscriber.psubscribe("n*")).toBe(3);
    expect(await publisher.publish("b", "hello")).toBe(1);
    const bytes = Buffer.from([0, 255, 13, 10]);
    await publisher.publish("news", bytes);
    expect(await heard.count(2)).toEqual([
      ["b", "hello"],
      ["n*", "news", bytes],
    ]);
    // Names: ioredis 6 does not understand how the end of all is confirmed in RESP3, by Redis neither.
    await subscriber.unsubscribe("a", "b");
    await subscriber.punsubscribe("n*");
    expect(await subscriber.get("k")).toBeNull();
    expect(await publisher.publish("a", "nobody")).toBe(0);
  });

  test.each([2, 3] as const)("node-redis, RESP%d, shards too", async (RESP) => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    await using subscriber = await connectNodeRedis(server, RESP);
    await using publisher = await connectNodeRedis(server, RESP);
    const heard = new Heard();
    await subscriber.subscribe(["a", "b"], heard.add);
    await subscriber.pSubscribe("n*", heard.add);
    await subscriber.sSubscribe("a", heard.add);
    for (const channel of ["a", "news"]) expect(await publisher.publish(channel, "m")).toBe(1);
    expect(await publisher.sPublish("a", "s")).toBe(1);
    expect(await heard.count(3)).toEqual([
      ["m", "a"],
      ["m", "news"],
      ["s", "a"],
    ]);
    if (RESP === 3) expect(await subscriber.get("k")).toBeNull();
    await subscriber.unsubscribe();
    await subscriber.pUnsubscribe();
    await subscriber.sUnsubscribe();
    expect(await subscriber.get("k")).toBeNull();
  });

  test("Bun.RedisClient", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    using subscriber = await connectBunClient(server);
    using publisher = await connectBunClient(server);
    const heard = new Heard();
    await subscriber.subscribe("a", heard.add);
    expect(await publisher.publish("a", "hello")).toBe(1);
    expect(await heard.count(1)).toEqual([["hello", "a"]]);
  });
});

/** `kvdb subscribe …` as it runs; what it has printed so far. */
class ListeningRun implements AsyncDisposable {
  text = "";
  errors = "";
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;

  constructor(workspace: Workspace, args: readonly string[]) {
    this.#child = Bun.spawn([workspace.executable, ...args], {
      cwd: workspace.folder,
      env: cleanEnvironment(workspace),
      ...{ stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    });
    void this.#read(this.#child.stdout, (text) => {
      this.text += text;
    });
    void this.#read(this.#child.stderr, (text) => {
      this.errors += text;
    });
  }

  async #read(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
  }

  async lines(count: number): Promise<void> {
    await until(`${count} lines`, () => this.text.split("\n").length > count);
  }

  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  get exited(): Promise<number> {
    return within("kvdb subscribe", this.#child.exited);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

describe("U15: kvdb subscribe", () => {
  test("through the server that holds the folder: one JSON object a line, Ctrl-C ends it with code 0", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const publisher = await server.connect();
    await using run = new ListeningRun(workspace, ["--json", "psubscribe", "n*", "x"]);
    await run.lines(2);
    await publisher.call("PUBLISH", "news", '{"a":"é"}');
    await publisher.call("PUBLISH", "x", Buffer.from([0xff]));
    await run.lines(4);
    run.interrupt();
    expect(await run.exited).toBe(0);
    expect(run.text.split("\n")).toEqual([
      '{"type":"psubscribe","pattern":"n*","subscriptions":1}',
      '{"type":"psubscribe","pattern":"x","subscriptions":2}',
      '{"type":"pmessage","pattern":"n*","channel":"news","message":"{\\"a\\":\\"é\\"}"}',
      '{"type":"pmessage","pattern":"x","channel":"x","message":{"$base64":"/w=="}}',
      "",
    ]);
    expect(run.errors).toBe("");
  });

  test("on a folder that nobody holds, others publish through it", async () => {
    await using workspace = await Workspace.create();
    await using run = new ListeningRun(workspace, ["--raw", "subscribe", "a"]);
    await run.lines(3);
    expect(await kvdb(workspace, ["publish", "a", "hello"])).toMatchObject({
      code: 0,
      stdout: "1\n",
    });
    await run.lines(6);
    expect(run.text).toBe("subscribe\na\n1\nmessage\na\nhello\n");
    run.interrupt();
    expect(await run.exited).toBe(0);
  });

  test("ends when the server ends, and says so", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    await using run = new ListeningRun(workspace, ["subscribe", "a"]);
    await run.lines(1);
    await server.stop();
    expect(await run.exited).toBe(69);
    expect(run.errors).toContain("closed the connection");
  });

  test("ends when nobody reads it any more", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const publisher = await server.connect();
    const script = `"$1" --json subscribe a | head -2; echo "head is over"`;
    const child = Bun.spawn(["sh", "-c", script, "sh", workspace.executable], {
      cwd: workspace.folder,
      env: cleanEnvironment(workspace),
      stdout: "pipe",
    });
    await until("it listens", async () => (await publisher.call("PUBLISH", "a", "1")) === 1);
    await until("it is gone", async () => (await publisher.call("PUBLISH", "a", "2")) === 0);
    const text = await child.stdout.text();
    expect(text).toEndWith('{"type":"message","channel":"a","message":"1"}\nhead is over\n');
  });

  test("what is refused is told", async () => {
    await using workspace = await Workspace.create();
    expect(await kvdb(workspace, ["subscribe"])).toMatchObject({ code: 2, stdout: "" });
    const inScript = await kvdb(workspace, [], { input: "subscribe a\n" });
    expect(inScript).toMatchObject({ code: 1, stdout: "" });
    expect(inScript.stderr).toContain("line 1");
  });
});

test.each([true, false])(
  "U15: the shell prints messages as they come, until Ctrl-C, held by a server: %p",
  async (isHeld) => {
    await using workspace = await Workspace.create();
    await using server = isHeld ? await Server.start(workspace) : undefined;
    const prompt = server === undefined ? ".kvdb>" : `.kvdb (pid ${server.pid})>`;
    await using terminal = new Terminal(workspace, { args: ["shell"] });
    await terminal.line(prompt);
    terminal.enter("subscribe news");
    await terminal.row("Reading messages... (press Ctrl-C to quit)");
    await terminal.row('1) "subscribe"');
    expect((await kvdb(workspace, ["publish", "news", "hello"])).stdout).toBe("1\n");
    await terminal.row('3) "hello"');
    terminal.type(keys.ctrlC);
    await terminal.line(prompt);
    expect((await kvdb(workspace, ["publish", "news", "again"])).stdout).toBe("0\n");
    terminal.enter("set a 1");
    await terminal.row("OK");
  },
);

test("U15: a subscriber that does not read is disconnected, and the others hear all", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, {
    args: ["--client-output-buffer-limit", "pubsub 4mb 0 0"],
  });
  await using publisher = await connectIoredis(server);
  await using reader = await connectIoredis(server);
  let heard = 0;
  reader.on("message", () => heard++);
  await reader.subscribe("c");
  const slow = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port,
    socket: { data: (socket) => void socket.pause() },
  });
  slow.write("SUBSCRIBE c\r\n");
  await until("both listen", async () => (await publisher.publish("c", "")) === 2);
  const before = heard;
  const large = "x".repeat(100_000);
  let sent = 0;
  await until("the slow one is gone", async () => {
    sent++;
    return (await publisher.publish("c", large)) === 1;
  });
  expect(sent).toBeLessThan(1000);
  await until("all were heard", () => heard >= before + sent);
  const client = await server.connect();
  expect(await infoNumber(client, "client_output_buffer_limit_disconnections")).toBe(1);
  expect(server.log).toContain("client-output-buffer-limit");
  slow.end();
});
