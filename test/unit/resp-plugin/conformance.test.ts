/**
 * The resp frontend passes the conformance suite: over TCP, over a unix socket, and as the data
 * folder's own socket, where the system decides who may come in.
 */
import resp from "../../../plugins/resp/index.ts";
import type { RespOptions } from "../../../plugins/resp/options.ts";
import type { Frontend, FrontendContext } from "../../../src/plugin.ts";
import { Client, type Reply, ReplyError } from "../../e2e/support/client.ts";
import { type Address, type FrontendAnswer, frontendSuite } from "../../suites/index.ts";

const make =
  (more: RespOptions = {}) =>
  (context: FrontendContext, address: Address): Frontend => {
    if (resp.frontend === undefined) throw new Error("resp contributes no frontend");
    const place =
      address.on === "tcp" ? { port: address.port } : { port: 0, unixsocket: address.path };
    return resp.frontend({ ...place, ...more }, context);
  };

async function connect(address: Address, password?: string) {
  const place =
    address.on === "tcp" ? { host: "127.0.0.1", port: address.port } : { path: address.path };
  const client = await Client.connect(place);
  if (password !== undefined) await client.ask("AUTH", password);
  return {
    set: async (key: string, value: string) => answerOf(await client.ask("SET", key, value)),
    get: async (key: string) => answerOf(await client.ask("GET", key)),
    closed: client.closed,
    close: () => client.close(),
  };
}

function answerOf(reply: Reply): FrontendAnswer {
  if (reply instanceof ReplyError) return { error: reply.code };
  return reply === null ? null : String(reply);
}

function getRequest(key: string): string {
  return `*2\r\n$3\r\nGET\r\n$${Buffer.byteLength(key)}\r\n${key}\r\n`;
}

const common = { connect, getRequest };
const supports = { sessions: true, pipelining: true, password: true };

frontendSuite({ ...common, name: "resp, TCP", listensOn: "tcp", make: make(), supports });
frontendSuite({ ...common, name: "resp, unix socket", listensOn: "unix", make: make(), supports });
frontendSuite({
  ...common,
  name: "resp, the folder's own socket",
  listensOn: "unix",
  make: make({ ownerOnly: true }),
  supports: { ...supports, password: false },
});
