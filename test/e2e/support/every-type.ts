/** Commands that fill a server with keys of every type of Redis, small and large, some of which expire, in two databases. */
import type { Client } from "./client.ts";

const texts = (count: number, what: string) =>
  Array.from({ length: count }, (_, i) => `${what} ${i}`);
const DAY_MS = 86_400_000;

/** As redis-server 7.0 and kvdb take them. */
export function everyType(nowMs: number): (readonly (string | number | Uint8Array)[])[] {
  return [
    ["SET", "text", "héllo"],
    ["SET", Buffer.from("bin\xff", "latin1"), Buffer.from("\x00\xff\r\n", "latin1")],
    ["SET", "number", "12345"],
    ["SET", "compressible", "compress me ".repeat(100)],
    ["SET", "expires", "later", "PXAT", nowMs + DAY_MS],
    ["RPUSH", "list", "a", "", "b", "a", "17", "x".repeat(5000)],
    ["RPUSH", "list:long", ...texts(3000, "element")],
    ["SADD", "set:numbers", "1", "2", "-300", "70000", "5000000000"],
    ["SADD", "set", ...texts(1000, "member")],
    ["ZADD", "zset", "-inf", "a", "0.1", "b", "1e300", "c", "inf", "d"],
    ["ZADD", "zset:long", ...texts(500, "member").flatMap((text, i) => [String(i / 3), text])],
    ["HSET", "hash", "f", "v", "empty", "", "n", "-17"],
    ["HSET", "hash:long", ...texts(1000, "field").flatMap((text, i) => [text, String(i)])],
    ["PEXPIREAT", "hash", nowMs + DAY_MS],
    ...texts(300, "value").map((text, i) => ["XADD", "stream", `${i + 1}-1`, "f", text]),
    ["XDEL", "stream", "300-1", "7-1"],
    ["XGROUP", "CREATE", "stream", "g", "0"],
    ["XREADGROUP", "GROUP", "g", "Ada", "COUNT", "5", "STREAMS", "stream", ">"],
    ["XDEL", "stream", "2-1"],
    ["XGROUP", "CREATE", "stream:empty", "g", "$", "MKSTREAM"],
    ["SELECT", 3],
    ["SET", "text", "of another database"],
    ["ZADD", "zset", "1", "a"],
    ["SELECT", 0],
  ];
}

/** Runs them; fails when one of them does. */
export async function fill(client: Client): Promise<void> {
  for (const command of everyType(Date.now())) await client.call(...command);
}
