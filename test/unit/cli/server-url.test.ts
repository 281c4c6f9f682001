/** URLs of servers, as people type them: what they name, what they say of TLS, where a password comes from. */
import { describe, expect, test } from "bun:test";
import { parseServerUrl } from "../../../src/cli/server-url.ts";
import type { KvdbError } from "../../../src/errors.ts";

test("the parts of a URL", () => {
  expect(parseServerUrl("redis://ada:s%40y@host:1/2")).toEqual({
    name: "host:1",
    address: { hostname: "host", port: 1, tls: false },
    credentials: { user: "ada", password: "s@y" },
    database: 2,
  });
});

describe("TLS", () => {
  test.each([
    ["", { rejectUnauthorized: true }],
    ["?insecure", { rejectUnauthorized: false }],
    ["?cacert=ca.crt", { rejectUnauthorized: true, caFile: "ca.crt" }],
    [
      "?cert=a.crt&key=a%20b.key",
      { rejectUnauthorized: true, certFile: "a.crt", keyFile: "a b.key" },
    ],
  ])("rediss://host/%s", (words, tls) => {
    const { address } = parseServerUrl(`rediss://host/${words}`);
    expect(address).toEqual({ hostname: "host", port: 6379, tls });
  });

  test.each([
    "rediss://host/?ca=x",
    "rediss://host/?cert=x",
    "redis://host/?cacert=x",
    "rediss://host/1/2",
  ])("%s is refused, and not repeated", (url) => {
    const refused = () => parseServerUrl(url);
    expect(refused).toThrow(expect.objectContaining({ code: "USAGE" }) as unknown as KvdbError);
    expect(refused).not.toThrow(url);
  });
});

test("a password of the environment, where the URL has none", () => {
  const environment = { REDISCLI_AUTH: "secret" };
  const passwordOf = (url: string) => parseServerUrl(url, environment).credentials.password;
  expect(passwordOf("redis://host")).toBe("secret");
  expect(passwordOf("redis://ada@host")).toBe("secret");
  expect(passwordOf("redis://:other@host")).toBe("other");
  expect(parseServerUrl("redis://host").credentials.password).toBeUndefined();
});
