/**
 * TLS on the resp frontend, through the executable and with clients that are not ours: who is let in, certificates that change
 * while clients stay, what is told of wrong files. The certificates are made as the test runs.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFile } from "node:fs/promises";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { Redis as Ioredis } from "ioredis";
import { Certificates, OPENSSL } from "./support/certificates.ts";
import { Client } from "./support/client.ts";
import { until, within } from "./support/poll.ts";
import { REDIS_CLI } from "./support/redis.ts";
import { kvdb, run } from "./support/run.ts";
import { Terminal } from "./support/screen.ts";
import { freePort, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const CONFIG = 78;

let workspace: Workspace;
let certificates: Certificates;

beforeAll(async () => {
  workspace = await Workspace.create();
  if (OPENSSL === null) return;
  certificates = await Certificates.create(workspace);
  await certificates.make("server");
  await certificates.make("other");
  await certificates.make("client");
  await certificates.makeAuthority("stranger");
  await certificates.encryptKey("server", "locked");
});
afterAll(() => workspace[Symbol.asyncDispose]());

const pem = (file: string) => certificates.path(file);

interface Started {
  readonly server: Server;
  readonly port: number;
}

async function start(...options: readonly string[]): Promise<Started & AsyncDisposable> {
  const port = freePort();
  const args = [
    ...["--appendonly", "no", "--dir", `data-${port}`, "--tls-port", String(port)],
    ...["--tls-cert-file", pem("server.crt"), "--tls-key-file", pem("server.key")],
    ...["--tls-ca-cert-file", pem("ca.crt"), ...options],
  ];
  const server = await Server.start(workspace, { args });
  return { server, port, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** What a client is answered that shows this certificate, or none; undefined: it is not let in. */
async function answerTo(port: number, name?: string): Promise<string | undefined> {
  const own =
    name === undefined
      ? {}
      : {
          cert: await Bun.file(pem(`${name}.crt`)).text(),
          key: await Bun.file(pem(`${name}.key`)).text(),
        };
  using client = await TlsClient.open(port, own);
  return await client.ask("PING\r\n");
}

class TlsClient implements Disposable {
  readonly #socket: TLSSocket;
  readonly #ended = Promise.withResolvers<undefined>();

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on("error", () => this.#ended.resolve(undefined));
    socket.on("close", () => this.#ended.resolve(undefined));
  }

  static async open(port: number, options: ConnectionOptions = {}): Promise<TlsClient> {
    const ca = await Bun.file(pem("ca.crt")).text();
    return new TlsClient(connect({ host: "127.0.0.1", port, ca, ...options }));
  }

  /** The first piece of the answer; undefined when the connection ends. */
  ask(line: string): Promise<string | undefined> {
    const answer = new Promise<string>((resolve) => {
      this.#socket.once("data", (chunk: Buffer) => resolve(chunk.toString()));
    });
    this.#socket.write(line);
    return within("an answer through TLS", Promise.race([answer, this.#ended.promise]));
  }

  /** Undefined: there was no handshake. */
  get serverName(): string | undefined {
    const name = this.#socket.getPeerCertificate()?.subject?.CN;
    return name === undefined ? undefined : String(name);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** Undefined for who comes in the moment in which certificates change. */
async function serverNameAt(port: number): Promise<string | undefined> {
  using client = await TlsClient.open(port);
  await client.ask("PING\r\n");
  return client.serverName;
}

describe.skipIf(OPENSSL === null)("TLS", () => {
  test.each<[auth: string, nobody: boolean, known: boolean, stranger: boolean]>([
    ["no", true, true, true],
    ["optional", true, true, false],
    ["yes", false, true, false],
  ])("tls-auth-clients %s", async (auth, nobody, known, stranger) => {
    await using started = await start("--tls-auth-clients", auth);
    const { port } = started;
    const answered = (isLetIn: boolean) => (isLetIn ? "+PONG\r\n" : undefined);
    expect(await answerTo(port)).toBe(answered(nobody));
    expect(await answerTo(port, "client")).toBe(answered(known));
    expect(await answerTo(port, "stranger")).toBe(answered(stranger));
    expect(await (await started.server.connect()).call("PING")).toBe("PONG");
  });

  test("a client without TLS at its port gets no answer, and others go on", async () => {
    await using started = await start("--tls-auth-clients", "no");
    const response = await run(workspace, [
      "sh",
      "-c",
      `printf 'PING\\r\\n' | timeout 5 nc 127.0.0.1 ${started.port}`,
    ]);
    expect(response.stdout).not.toContain("PONG");
    expect(await answerTo(started.port)).toBe("+PONG\r\n");
  });

  test("handshakes that nobody ends count as clients, and hold up no other one", async () => {
    await using started = await start("--tls-auth-clients", "no", "--maxclients", "3");
    const { server, port } = started;
    const open = () => Client.connect({ host: "127.0.0.1", port });
    const idle = await Promise.all([1, 2].map(open));
    await until("others are served", async () => (await answerTo(port)) === "+PONG\r\n");
    idle.push(await open());
    await until("there is no room", async () => (await answerTo(port)) === undefined);
    for (const client of idle) client.close();
    await until("there is room again", async () => (await answerTo(port)) === "+PONG\r\n");
    expect(await (await server.connect()).call("PING")).toBe("PONG");
  });

  test("a reply of megabytes arrives whole, in order", async () => {
    await using started = await start("--tls-auth-clients", "no");
    const client = new Ioredis({
      port: started.port,
      tls: { ca: await Bun.file(pem("ca.crt")).text() },
    });
    const value = "0123456789abcdef".repeat(512 * 1024);
    expect(await client.set("big", value)).toBe("OK");
    const replies = await Promise.all([
      client.get("big"),
      client.incr("n"),
      client.getrange("big", 3, 5),
    ]);
    expect(replies).toEqual([value, 1, "345"]);
    client.disconnect();
  });

  test("ioredis with a certificate of its own", async () => {
    await using started = await start();
    const [ca, cert, key] = await Promise.all(
      ["ca.crt", "client.crt", "client.key"].map((file) => Bun.file(pem(file)).text()),
    );
    const client = new Ioredis({ port: started.port, tls: { ca, cert, key } as never });
    expect(await client.set("a", "1")).toBe("OK");
    expect(await client.get("a")).toBe("1");
    client.disconnect();
  });

  test.skipIf(REDIS_CLI === null)("redis-cli --tls", async () => {
    await using started = await start();
    const address = ["-p", String(started.port), "--tls", "--cacert", pem("ca.crt")];
    const own = ["--cert", pem("client.crt"), "--key", pem("client.key")];
    const answer = await run(workspace, ["redis-cli", ...address, ...own, "ping"]);
    expect(answer.stdout).toBe("PONG\n");
    expect((await run(workspace, ["redis-cli", ...address, "ping"])).stdout).not.toContain("PONG");
  });
});

describe.skipIf(OPENSSL === null)("certificates that change", () => {
  test("by CONFIG SET, both names at once; who is connected stays", async () => {
    await using started = await start("--tls-auth-clients", "no");
    const { server, port } = started;
    using before = await TlsClient.open(port);
    expect(await before.ask("SET a 1\r\n")).toBe("+OK\r\n");
    const admin = await server.connect();
    const alone = ["CONFIG", "SET", "tls-cert-file", pem("other.crt")];
    expect(String(await admin.ask(...alone))).toContain("not the key of");
    expect(await serverNameAt(port)).toBe("server");
    expect(await admin.call(...alone, "tls-key-file", pem("other.key"))).toBe("OK");
    expect(await serverNameAt(port)).toBe("other");
    expect(await before.ask("GET a\r\n")).toBe("$1\r\n1\r\n");
    expect(before.serverName).toBe("server");
  });

  test("in the same files, which are read again", async () => {
    for (const kind of ["crt", "key"])
      await copyFile(pem(`server.${kind}`), pem(`renewed.${kind}`));
    const files = ["--tls-cert-file", pem("renewed.crt"), "--tls-key-file", pem("renewed.key")];
    await using started = await start("--tls-auth-clients", "no", ...files);
    const admin = await started.server.connect();
    const again = ["CONFIG", "SET", "tls-cert-file", pem("renewed.crt")];
    await copyFile(pem("ca.key"), pem("renewed.key"));
    expect(String(await admin.ask(...again))).toContain("not the key of");
    expect(await serverNameAt(started.port)).toBe("server");
    for (const kind of ["crt", "key"]) await copyFile(pem(`other.${kind}`), pem(`renewed.${kind}`));
    expect(await admin.call(...again)).toBe("OK");
    expect(await serverNameAt(started.port)).toBe("other");
  });

  test("by SIGHUP; a key that does not fit is told, and the old ones stay", async () => {
    for (const kind of ["crt", "key"]) await copyFile(pem(`server.${kind}`), pem(`hup.${kind}`));
    const files = ["--tls-cert-file", pem("hup.crt"), "--tls-key-file", pem("hup.key")];
    await using started = await start("--tls-auth-clients", "no", ...files);
    const { server, port } = started;
    await copyFile(pem("other.key"), pem("hup.key"));
    server.signal("SIGHUP");
    await until("it is told", () => /resp.*reload failed.*not the key of/.test(server.log));
    expect(await serverNameAt(port)).toBe("server");
    await copyFile(pem("other.crt"), pem("hup.crt"));
    server.signal("SIGHUP");
    await until("the new one is shown", async () => (await serverNameAt(port)) === "other");
  });

  test("the port moves, and one that is taken leaves all as it was", async () => {
    await using started = await start("--tls-auth-clients", "no");
    const admin = await started.server.connect();
    const taken = await admin.ask("CONFIG", "SET", "tls-port", started.server.port);
    expect(String(taken)).toContain("is taken");
    expect(await answerTo(started.port)).toBe("+PONG\r\n");
    const port = freePort();
    expect(await admin.call("CONFIG", "SET", "tls-port", port)).toBe("OK");
    expect(await answerTo(port)).toBe("+PONG\r\n");
    expect(await answerTo(started.port)).toBeUndefined();
  });
});

describe.skipIf(OPENSSL === null)("what a start is refused for", () => {
  test.each<[what: string, options: () => string[], named: string]>([
    ["no certificate", () => [], "tls-cert-file"],
    [
      "a file that is not there",
      () => ["--tls-cert-file", "no.crt", "--tls-key-file", pem("server.key")],
      "no.crt",
    ],
    [
      "the key of another one",
      () => ["--tls-cert-file", pem("server.crt"), "--tls-key-file", pem("other.key")],
      "is not the key of",
    ],
    [
      "a file that is no certificate",
      () => ["--tls-cert-file", pem("server.ext"), "--tls-key-file", pem("server.key")],
      "no PEM file",
    ],
    [
      "a key that is encrypted, without its password",
      () => ["--tls-cert-file", pem("server.crt"), "--tls-key-file", pem("locked.key")],
      "tls-key-file-pass",
    ],
    [
      "a protocol that is none",
      () => [
        "--tls-cert-file",
        pem("server.crt"),
        "--tls-key-file",
        pem("server.key"),
        "--tls-protocols",
        "TLSv9",
      ],
      "tlsv9",
    ],
  ])("%s", async (_what, options, named) => {
    const args = [
      "serve",
      "--port",
      "0",
      "--tls-port",
      String(freePort()),
      "--tls-auth-clients",
      "no",
    ];
    const outcome = await kvdb(workspace, [...args, "--appendonly", "no", ...options()]);
    expect(outcome.code).toBe(CONFIG);
    expect(outcome.stderr).toContain(named);
  });

  test("nobody says who the clients' authorities are", async () => {
    const files = ["--tls-cert-file", pem("server.crt"), "--tls-key-file", pem("server.key")];
    const args = ["serve", "--port", "0", "--tls-port", String(freePort()), "--appendonly", "no"];
    const outcome = await kvdb(workspace, [...args, ...files]);
    expect(outcome.code).toBe(CONFIG);
    expect(outcome.stderr).toContain("tls-ca-cert-file");
  });
});

describe.skipIf(OPENSSL === null)("kvdb as a client", () => {
  const urlOf = (port: number, words = `?cacert=${pem("ca.crt")}`) =>
    `rediss://127.0.0.1:${port}/${words}`;

  test("copies from a server and into one", async () => {
    await using started = await start("--tls-auth-clients", "no");
    await (await started.server.connect()).call("SET", "copied", "1");
    const into = ["--dir", "copy"];
    expect((await kvdb(workspace, [...into, "copy", urlOf(started.port)])).code).toBe(0);
    expect((await kvdb(workspace, [...into, "get", "copied"])).stdout).toContain("1");
    await kvdb(workspace, [...into, "set", "back", "2"]);
    expect((await kvdb(workspace, [...into, "copy", "--to", urlOf(started.port)])).code).toBe(0);
    expect(await (await started.server.connect()).call("GET", "back")).toBe("2");
  });

  test("shows a certificate, and takes none from a stranger", async () => {
    await using started = await start();
    const copy = (words: string) =>
      kvdb(workspace, ["--dir", "none", "copy", "--dry-run", urlOf(started.port, words)]);
    const own = `&cert=${pem("client.crt")}&key=${pem("client.key")}`;
    expect((await copy(`?cacert=${pem("ca.crt")}${own}`)).code).toBe(0);
    expect((await copy(`?insecure${own}`)).code).toBe(0);
    const untrusted = await copy(`?cacert=${pem("stranger.crt")}${own}`);
    expect(untrusted.code).not.toBe(0);
    expect(untrusted.stderr).toContain("TLS handshake");
    expect((await copy(`?cacert=${pem("ca.crt")}`)).code).not.toBe(0);
    const unknown = await copy("?ca=x");
    expect(unknown).toMatchObject({ code: 2 });
  });

  test("has a prompt there", async () => {
    await using started = await start("--tls-auth-clients", "no");
    await using terminal = new Terminal(workspace, { args: ["shell", urlOf(started.port)] });
    await terminal.line(`127.0.0.1:${started.port}>`);
    terminal.enter("set typed 1");
    await terminal.row("OK");
    expect(await (await started.server.connect()).call("EXISTS", "typed")).toBe(1);
  });
});
