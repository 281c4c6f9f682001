// Whom to follow, as people write it.
import { describe, expect, test } from "bun:test";
import { parsePrimary } from "../../../src/replication/primary-address.ts";

const ADDRESSES: readonly (readonly [string, string, number])[] = [
  ["6379", "127.0.0.1", 6379],
  ["db.example 6380", "db.example", 6380],
  ["  db.example   6380 ", "db.example", 6380],
  ["db.example:6380", "db.example", 6380],
  ["[::1]:6379", "::1", 6379],
  ["::1 6379", "::1", 6379],
  ["65535", "127.0.0.1", 65535],
];

const WRONG = [
  "0",
  "65536",
  "host",
  "host 0",
  "host 70000",
  "host port",
  "::1:6379",
  "a b c",
  ":6379",
];

describe("the address of a primary", () => {
  test.each(ADDRESSES)("%p", (text, host, port) => {
    expect(parsePrimary(text)).toEqual({ host, port });
  });

  test.each(["", "no one", "NO ONE"])("%p is nobody", (text) => {
    expect(parsePrimary(text)).toBeNull();
  });

  test.each(WRONG)("%p is none", (text) => {
    expect(typeof parsePrimary(text)).toBe("string");
  });
});
