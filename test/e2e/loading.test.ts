/** A start with much to load: clients are told so meanwhile, and it can be stopped in the middle. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Client, ReplyError } from "./support/client.ts";
import { until } from "./support/poll.ts";
import { keys, Terminal } from "./support/screen.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const KEYS = 1_000_000;
const KEYS_AT_ONCE = 20_000;

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
  // A checkpoint would be loaded before anybody could look.
  await workspace.write("kvdb.config.json", {
    persistence: { use: "wal", compaction: { ratio: 0 } },
  });
  await using server = await Server.start(workspace, { args: ["--appendfsync", "no"] });
  const client = await server.connect();
  for (let first = 0; first < KEYS; first += KEYS_AT_ONCE) {
    await client.send(setsFrom(first), KEYS_AT_ONCE);
  }
  expect(await client.call("DBSIZE")).toBe(KEYS);
  expect(await server.stop()).toBe(0);
}, 120_000);

afterAll(() => workspace[Symbol.asyncDispose]());

/** Texts of one length, so that all commands have one form. */
function setsFrom(first: number): string {
  let text = "";
  for (let number = first; number < first + KEYS_AT_ONCE; number++) {
    const digits = String(number).padStart(8, "0");
    text += `*3\r\n$3\r\nSET\r\n$12\r\nkey:${digits}\r\n$14\r\nvalue ${digits}\r\n`;
  }
  return text;
}

async function firstConnection(server: Server): Promise<Client> {
  return until("somebody listens", async () => {
    if (server.exitCode !== null) throw new Error(`the server ended: ${server.log}`);
    return server.connect().catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ECONNREFUSED") throw error;
      return undefined;
    });
  });
}

test("V2: while it loads, commands get LOADING, and INFO tells how far it is", async () => {
  await using server = await Server.start(workspace, { awaitReady: false });
  const client = await firstConnection(server);
  const [get, set, info] = await client.pipeline([
    ["GET", "key:00000000"],
    ["SET", "a", 1],
    ["INFO"],
  ]);
  expect(get).toBeInstanceOf(ReplyError);
  expect((get as ReplyError).code).toBe("LOADING");
  expect((set as ReplyError).code).toBe("LOADING");
  expect(String(info)).toContain("loading:1\r\n");
  await until("some is loaded", async () => {
    const text = String(await client.call("INFO", "persistence"));
    const [, total] = /^loading_total_bytes:(\d+)\r$/m.exec(text) ?? [];
    const [, percent] = /^loading_loaded_perc:(\d+\.\d\d)\r$/m.exec(text) ?? [];
    return Number(total) > KEYS && Number(percent) > 0 && Number(percent) < 100;
  });
  // Answered meanwhile, as Redis does: by LOADING, again and again, and then by PONG.
  let answers = 0;
  await until("it is ready", async () => {
    answers++;
    return (await client.ask("PING")) === "PONG";
  });
  expect(answers).toBeGreaterThan(3);
  expect(await client.call("DBSIZE")).toBe(KEYS);
  expect(await client.call("GET", "key:00999999")).toBe("value 00999999");
  expect(await infoNumber(client, "loading")).toBe(0);
});

test("V11: a signal while it loads ends it in order, and nothing is lost", async () => {
  {
    await using server = await Server.start(workspace, { awaitReady: false });
    const client = await firstConnection(server);
    const reply = await client.ask("GET", "key:00000000");
    expect((reply as ReplyError).code).toBe("LOADING");
    expect(await server.stop()).toBe(0);
    expect(server.log).not.toContain("ready persistence");
  }
  await using server = await Server.start(workspace);
  expect(await (await server.connect()).call("DBSIZE")).toBe(KEYS);
});

/** `loading [####   ] 20 %, 9.5 MiB of 47.7 MiB, 1.0 s left` */
const SHOWN = /^loading \[#* *\] \d+ %, [\d.]+ \w+ of [\d.]+ MiB(, [\d.]+ m?s left)?$/;

test("R13: the shell shows how far it is, and then the prompt", async () => {
  await using terminal = new Terminal(workspace);
  await terminal.until("progress", (screen) => SHOWN.test(screen[0] ?? ""));
  await terminal.line(".kvdb>");
  expect(terminal.output).not.toContain("LOADING");
  terminal.enter("dbsize");
  await terminal.row(String(KEYS));
});

test("R13: Ctrl-C leaves a shell that still loads", async () => {
  await using terminal = new Terminal(workspace);
  await terminal.until("progress", (screen) => (screen[0] ?? "").startsWith("loading ["));
  terminal.type(keys.ctrlC);
  expect(await terminal.ended()).toBe(0);
});
