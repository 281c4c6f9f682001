/** A link through a socket, to servers that answer as real ones do, and as none should. */
import { afterEach, expect, test } from "bun:test";
import { SocketLink } from "../../../src/client/socket-link.ts";
import { KvdbError } from "../../../src/errors.ts";

const HELLO = "%1\r\n$6\r\nserver\r\n$4\r\nkvdb\r\n";
const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const step of cleanUp.splice(0)) step();
});

type Answering = (request: string, socket: Bun.Socket) => string;

/** A server that gets each chunk as text. */
function serve(answer: Answering): { hostname: string; port: number; tls: false } {
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data: (socket, chunk) => {
        const text = answer(chunk.toString(), socket);
        if (text !== "") socket.write(text);
      },
    },
  });
  cleanUp.push(() => listener.stop(true));
  return { hostname: "127.0.0.1", port: listener.port, tls: false };
}

const greeting =
  (answer: Answering): Answering =>
  (request, socket) =>
    request.includes("HELLO") ? HELLO : answer(request, socket);

async function failure(promise: Promise<unknown>): Promise<KvdbError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof KvdbError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

test("speaks RESP3 and tells what the server said of itself", async () => {
  const requests: string[] = [];
  const link = await SocketLink.connect(
    serve((request) => {
      requests.push(request);
      return requests.length === 1 ? HELLO : "+PONG\r\n";
    }),
    { user: "ada", password: "secret" },
  );
  expect(requests).toEqual([
    "*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$3\r\nada\r\n$6\r\nsecret\r\n",
  ]);
  expect(link.greeting.get("server")).toEqual({ kind: "bulk", bytes: Buffer.from("kvdb") });
  expect(await link.call(["PING"])).toEqual({ kind: "status", text: "PONG" });
  await link.close();
});

test("calls are answered in their order, pushed messages answer none", async () => {
  const address = serve(greeting(() => ">1\r\n+news\r\n:1\r\n:2\r\n>1\r\n+news\r\n:3\r\n"));
  const link = await SocketLink.connect(address);
  const answers = await Promise.all([link.call(["A"]), link.call(["B"]), link.call(["C"])]);
  expect(answers.map((answer) => answer.kind === "integer" && answer.value)).toEqual([1, 2, 3]);
  await link.close();
});

test("many commands go at once, and have the answers of each", async () => {
  const requests: string[] = [];
  const address = serve(
    greeting((request) => {
      requests.push(request);
      return ":1\r\n-ERR no\r\n:3\r\n:4\r\n";
    }),
  );
  const link = await SocketLink.connect(address);
  const [many, one, none] = await Promise.all([
    link.callAll([["A", Buffer.from("\xff", "latin1")], ["B"], ["C"]]),
    link.call(["D"]),
    link.callAll([]),
  ]);
  expect(requests.join("")).toContain("*2\r\n$1\r\nA\r\n$1\r\n\ufffd\r\n*1\r\n$1\r\nB\r\n*1");
  expect(many).toEqual([
    { kind: "integer", value: 1 },
    { kind: "error", code: "ERR", text: "no" },
    { kind: "integer", value: 3 },
  ]);
  expect([one, none]).toEqual([{ kind: "integer", value: 4 }, []]);
  const late = failure(link.callAll([["A"], ["B"]]));
  await link.close();
  expect((await late).code).toBe("UNAVAILABLE");
  expect((await failure(link.callAll([["A"]]))).code).toBe("UNAVAILABLE");
});

test("a server that does not know HELLO is spoken to in RESP2, with its password", async () => {
  const requests: string[] = [];
  const link = await SocketLink.connect(
    serve((request) => {
      requests.push(request);
      return request.includes("HELLO") ? "-ERR unknown command `HELLO`\r\n" : "+OK\r\n";
    }),
    { password: "secret" },
  );
  expect(requests[1]).toBe("*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n");
  expect(link.greeting.size).toBe(0);
  await link.close();
});

test("without a password it is left to the user to give one", async () => {
  const address = serve(() => "-NOAUTH Authentication required.\r\n");
  const link = await SocketLink.connect(address);
  expect(await link.call(["GET", "k"])).toMatchObject({ kind: "error", code: "NOAUTH" });
  await link.close();
});

test("a wrong password is told as the server tells it", async () => {
  const address = serve(() => "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  const error = await failure(SocketLink.connect(address, { password: "wrong" }));
  expect(error.code).toBe("COMMAND");
  expect(error.message).toContain("WRONGPASS");
  expect(error.message).not.toContain("wrong,");
});

test("nobody there, and somebody who speaks something else: UNAVAILABLE", async () => {
  const free = serve(() => "");
  for (const step of cleanUp.splice(0)) step();
  expect((await failure(SocketLink.connect(free))).code).toBe("UNAVAILABLE");
  expect((await failure(SocketLink.connect({ unix: "/nowhere/kvdb.sock" }))).code).toBe(
    "UNAVAILABLE",
  );
  const http = serve(() => "HTTP/1.1 400 Bad Request\r\n\r\n");
  const error = await failure(SocketLink.connect(http));
  expect(error.code).toBe("UNAVAILABLE");
  expect(error.message).toContain("does not speak RESP");
});

test("when the server goes in the middle, calls under way and later ones are rejected", async () => {
  const address = serve(
    greeting((_, socket) => {
      socket.terminate();
      return "";
    }),
  );
  const link = await SocketLink.connect(address);
  expect((await failure(link.call(["A"]))).code).toBe("UNAVAILABLE");
  expect((await failure(link.call(["B"]))).code).toBe("UNAVAILABLE");
});

test("close rejects what is under way", async () => {
  const link = await SocketLink.connect(serve(greeting(() => "")));
  const call = failure(link.call(["A"]));
  await link.close();
  await link.close();
  expect((await call).message).toContain("was closed");
});

test("a command of 32 MiB arrives whole although the socket takes it in pieces", async () => {
  let received = 0;
  const value = Buffer.alloc(32 * 1024 * 1024, 0x61);
  const wholeBytes = value.length + "*2\r\n$1\r\nA\r\n$33554432\r\n\r\n".length;
  const address = serve(
    greeting((request) => {
      received += request.length;
      return received === wholeBytes ? "+OK\r\n" : "";
    }),
  );
  const link = await SocketLink.connect(address);
  expect(await link.call(["A", value])).toEqual({ kind: "status", text: "OK" });
  await link.close();
});
