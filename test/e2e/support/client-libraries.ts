/**
 * The client libraries that people use, connected to a server: ioredis (RESP2), node-redis (either), Bun's own (RESP3). Each is
 * disposable; what it does when the connection is lost, its test says.
 */
import { type RedisOptions as IoredisOptions, Redis } from "ioredis";
import { createClient, type RedisClientOptions } from "redis";
import { within } from "./poll.ts";
import type { Server } from "./server.ts";

export async function connectIoredis(
  server: Server,
  options: Pick<IoredisOptions, "db" | "password" | "retryStrategy"> = {},
): Promise<Redis & AsyncDisposable> {
  const client = new Redis({ port: server.port, host: "127.0.0.1", ...options });
  client.on("error", () => undefined); // it reconnects; what a test needs, it awaits
  await within("ioredis is ready", client.ping());
  return Object.assign(client, { [Symbol.asyncDispose]: async () => client.disconnect() });
}

export async function connectNodeRedis<Version extends 2 | 3>(
  server: Server,
  RESP: Version,
  options: Omit<RedisClientOptions, "RESP" | "url" | "socket"> = {},
) {
  const client = createClient({
    ...options,
    url: `redis://127.0.0.1:${server.port}`,
    RESP,
    socket: { reconnectStrategy: 20 },
  });
  client.on("error", () => undefined); // it reconnects; what a test needs, it awaits
  await within("node-redis is ready", client.connect());
  return Object.assign(client, { [Symbol.asyncDispose]: async () => client.destroy() });
}

/** `credentials`: as in a URL, `:password@`. */
export async function connectBunClient(
  server: Server,
  credentials = "",
): Promise<Bun.RedisClient & Disposable> {
  const url = `redis://${credentials}127.0.0.1:${server.port}`;
  const client = new Bun.RedisClient(url, { autoReconnect: true });
  await within("Bun's client is ready", client.connect());
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}
