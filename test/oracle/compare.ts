/**
 * Whether two replies to one command count as equal: byte for byte, except what the command's
 * `Answer` and the list of known differences allow. Errors are always compared byte for byte.
 */

import { toBytes } from "./byte-text.ts";
import { KNOWN_DIFFERENCES } from "./known-differences.ts";
import { readReply } from "./resp-reply.ts";
import type { Command } from "./step.ts";

export function repliesAgree(command: Command, expected: string, actual: string): boolean {
  if (expected === actual) return true;
  if (isError(expected) || isError(actual)) return false;
  const known = KNOWN_DIFFERENCES.find((difference) => difference.matches(command.words));
  if (known !== undefined) return known.normalise(expected) === known.normalise(actual);
  const { answer } = command;
  if (answer === "unordered") return sorted(expected) === sorted(actual);
  if (answer === "presence") return isNull(expected) === isNull(actual);
  if (typeof answer === "object") return isWithin(answer.within, expected, actual);
  return false;
}

function isError(reply: string): boolean {
  return reply.startsWith("-") || reply.startsWith("!");
}

function isNull(reply: string): boolean {
  return reply === "$-1\r\n" || reply === "*-1\r\n" || reply === "_\r\n";
}

function isWithin(tolerance: number, expected: string, actual: string): boolean {
  const [one, other] = [positiveInteger(expected), positiveInteger(actual)];
  if (one === null || other === null) return false;
  const distance = one > other ? one - other : other - one;
  return distance <= BigInt(tolerance);
}

function positiveInteger(reply: string): bigint | null {
  const digits = /^:([1-9]\d*)\r\n$/.exec(reply)?.[1];
  return digits === undefined ? null : BigInt(digits);
}

/** The reply with the elements of its array in the order of their bytes. */
function sorted(reply: string): string {
  const array = readReply(toBytes(reply), 0);
  if (array === null) return reply;
  const elements = array.items.map((item) => reply.slice(item.start, item.end));
  return [`${array.type}${array.text}`, ...elements.sort()].join("\r\n");
}
