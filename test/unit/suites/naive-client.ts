/** A client of the naive frontend, and what the suite is told of both. */
import { connect, type Socket } from "node:net";
import type { Address, FrontendAnswer, FrontendCase, FrontendClient } from "../../suites/index.ts";
import { type Defect, NaiveFrontend } from "./naive-frontend.ts";

export function naiveCase(listensOn: Address["on"], defect?: Defect): FrontendCase {
  return {
    name: defect ?? `naive, ${listensOn}`,
    listensOn,
    make: (context, address) => new NaiveFrontend(context, address, defect),
    connect: connectTo,
    getRequest: (key) => request("GET", key),
    supports: { sessions: true, pipelining: true, password: true },
    ...(defect === undefined ? {} : { patienceMs: 400 }),
  };
}

const request = (...words: readonly string[]) => `${JSON.stringify(words)}\n`;

async function connectTo(address: Address, password?: string): Promise<FrontendClient> {
  const socket = connect(
    address.on === "unix" ? { path: address.path } : { host: "127.0.0.1", port: address.port },
  );
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", resolve);
  });
  const client = new NaiveClient(socket);
  if (password !== undefined) await client.call("AUTH", password);
  return client;
}

interface Waiting {
  resolve(answer: FrontendAnswer): void;
  reject(error: Error): void;
}

class NaiveClient implements FrontendClient {
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #input = "";

  constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.#receive(text));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error("connection lost"));
    });
  }

  set(key: string, value: string): Promise<FrontendAnswer> {
    return this.call("SET", key, value);
  }

  get(key: string): Promise<FrontendAnswer> {
    return this.call("GET", key);
  }

  call(...words: readonly string[]): Promise<FrontendAnswer> {
    if (this.#socket.destroyed) return Promise.reject(new Error("connection lost"));
    this.#socket.write(request(...words));
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(text: string): void {
    const lines = (this.#input + text).split("\n");
    this.#input = lines.pop() ?? "";
    for (const line of lines) {
      const answer = JSON.parse(line) as { value: string | null } | { error: string };
      this.#waiting.shift()?.resolve("error" in answer ? answer : answer.value);
    }
  }
}
