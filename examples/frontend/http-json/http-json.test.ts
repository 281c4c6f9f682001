/** What every frontend must do, then what this one does. */
import { expect, test } from "bun:test";
import {
  type Address,
  type FrontendAnswer,
  FrontendHost,
  freePort,
  frontendSuite,
} from "kvdb/testing";
import plugin from "./http-json.ts";

frontendSuite({
  name: plugin.name,
  listensOn: "tcp",
  make: (context, address) => create(context, portOf(address)),
  connect: async (address, password) => {
    const url = `http://127.0.0.1:${portOf(address)}/key`;
    const headers = new Headers(
      password === undefined ? {} : { authorization: `Bearer ${password}` },
    );
    const ask = (key: string, init?: RequestInit) =>
      fetch(`${url}/${encodeURIComponent(key)}`, { headers, ...init }).then(answerOf);
    return {
      set: (key, value) => ask(key, { method: "PUT", body: JSON.stringify(value) }),
      get: (key) => ask(key),
      close: () => {},
    };
  },
  getRequest: (key, address) =>
    `GET /key/${encodeURIComponent(key)} HTTP/1.1\r\nHost: 127.0.0.1:${portOf(address)}\r\n\r\n`,
  supports: { sessions: false, pipelining: false, password: true },
});

test("values are JSON, errors have a status", async () => {
  const host = new FrontendHost();
  const port = freePort();
  const frontend = create(host.context, port);
  await frontend.open();
  try {
    const ask = async (method: string, path: string, body?: string) => {
      const init = body === undefined ? { method } : { method, body };
      const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
      return [response.status, await response.text()];
    };
    expect(await ask("PUT", "/key/user", '{"langs": ["en"]}')).toEqual([204, ""]);
    expect(await ask("GET", "/key/user")).toEqual([200, '{"langs":["en"]}']);
    expect(await ask("DELETE", "/key/user")).toEqual([204, ""]);
    for (const [method, path, status] of [
      ["GET", "/key/user", 404],
      ["DELETE", "/key/user", 404],
      ["POST", "/key/user", 405],
      ["GET", "/key/%", 400],
      ["GET", "/", 404],
    ] as const) {
      expect([method, path, (await ask(method, path))[0]]).toEqual([method, path, status]);
    }
  } finally {
    await frontend.close(1000);
  }
});

function create(context: FrontendHost["context"], port: number) {
  if (plugin.frontend === undefined) throw new Error("the plugin brings no frontend");
  return plugin.frontend({ port }, context);
}

function portOf(address: Address): number {
  return address.on === "tcp" ? address.port : 0;
}

async function answerOf(response: Response): Promise<FrontendAnswer> {
  if (response.status === 204) return "";
  const body = (await response.json()) as { error: string; message: string };
  if (response.ok) return String(body);
  return body.message === "no such key" ? null : { error: body.error };
}
