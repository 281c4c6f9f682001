/**
 * Where kvdb's replies may differ from those of redis-server 7.0.15: one list, each entry with its
 * reason. An entry says which commands it is about and what part of the reply it takes out; the
 * rest is still compared byte for byte. Commands that are newer than 7.0 are not generated.
 */

import { toBytes } from "./byte-text.ts";
import { type ReplyNode, readReply } from "./resp-reply.ts";

export type KnownDifference = {
  readonly about: string;
  readonly reason: string;
  readonly matches: (words: readonly string[]) => boolean;
  /** The reply without what may differ. Not called for errors: those must be equal. */
  readonly normalise: (reply: string) => string;
};

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    about: "OBJECT REFCOUNT",
    reason: "kvdb counts no references; Redis shows the sharing of its small integers (2147483647)",
    matches: (words) => startsWith(words, ["OBJECT", "REFCOUNT"]),
    normalise: anyInteger,
  },
  {
    about: "OBJECT IDLETIME",
    reason: "a clock; for the shared small integers Redis even counts from any key's last access",
    matches: (words) => startsWith(words, ["OBJECT", "IDLETIME"]),
    normalise: anyInteger,
  },
  {
    about: "CLIENT ID",
    reason: "counts the connections of each server since its start",
    matches: (words) => startsWith(words, ["CLIENT", "ID"]),
    normalise: anyInteger,
  },
  {
    about: "HELLO",
    reason: "names the server, its version, the connection and the loaded modules",
    matches: (words) => startsWith(words, ["HELLO"]),
    normalise: withoutIdentity,
  },
  {
    about: "XINFO STREAM",
    reason: "radix-tree-nodes: kvdb has another tree; times of deliveries and consumers: clocks",
    matches: (words) => startsWith(words, ["XINFO", "STREAM"]),
    normalise: withoutClocks,
  },
  {
    about: "XINFO CONSUMERS, XPENDING",
    reason: "idle times: clocks",
    matches: (words) =>
      startsWith(words, ["XINFO", "CONSUMERS"]) || startsWith(words, ["XPENDING"]),
    normalise: withoutClocks,
  },
];

/**
 * Differences that no sequence may run into, since all that follows would differ as well.
 */
export const NOT_GENERATED: readonly Pick<KnownDifference, "about" | "reason">[] = [
  {
    about: "deadlines beyond 2^53 ms (the year 287396)",
    reason:
      "kvdb keeps a deadline exactly in a double and refuses later ones as an invalid expire time",
  },
  {
    about: "counts of streams beyond 2^53 (ENTRIESADDED, ENTRIESREAD, RETRYCOUNT)",
    reason: "kvdb keeps them as doubles and shows the nearest one",
  },
  {
    about: "LPOS with RANK -9223372036854775808",
    reason:
      "kvdb refuses it as Redis has since 7.2; 7.0 takes it for -1, since it cannot negate it",
  },
  {
    about: "SORT behind a command with a number that no double holds (1e5000)",
    reason:
      "Redis looks at an error number that the earlier command has left behind, and takes elements that are numbers for none",
  },
  {
    about: "a command's name with a zero byte behind it",
    reason:
      "Redis compares names up to the zero byte, but looks for them by a hash of all bytes with a random key: whether it finds the command is a matter of chance",
  },
];

const IDENTITY_FIELDS = new Set(["server", "version", "id", "modules"]);

function startsWith(words: readonly string[], start: readonly string[]): boolean {
  return start.every((word, index) => words[index]?.toUpperCase() === word);
}

function anyInteger(reply: string): string {
  return reply.replace(/^:\d+/, ":(any)");
}

/** Times since 1970, the idle time in front of a count of deliveries or behind its name, and the number of tree nodes. */
function withoutClocks(reply: string): string {
  return reply
    .replace(/:\d{13}\r\n/g, ":(time)\r\n")
    .replace(/(radix-tree-nodes\r\n|idle\r\n):\d+/g, "$1:(any)")
    .replace(/(\$\d+\r\n[^\r]*\r\n):\d+(\r\n:\d+\r\n)/g, "$1:(any)$2");
}

/** HELLO's fields as text, with the values of the identity fields taken out. */
function withoutIdentity(reply: string): string {
  const node = readReply(toBytes(reply), 0);
  if (node === null) return reply;
  const fields: string[] = [`${node.type}${node.text}`];
  for (let index = 0; index + 1 < node.items.length; index += 2) {
    const [name, value] = node.items.slice(index, index + 2) as [ReplyNode, ReplyNode];
    const isIdentity = IDENTITY_FIELDS.has(name.text ?? "");
    fields.push(`${name.type}${name.text}=${value.type}${isIdentity ? "(any)" : value.text}`);
  }
  return fields.join(" ");
}
