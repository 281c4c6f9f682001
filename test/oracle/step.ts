/**
 * What a generated sequence is made of. A step is the smallest thing that shrinking may drop; it
 * holds several commands when they make sense only together (CLIENT REPLY OFF … ON).
 *
 * Invariant: the rule by which the replies of a step are compared (`Answer`) holds whatever steps
 * stand before it, for shrinking removes steps freely.
 */

import { quote, quoteAlways, toBytes } from "./byte-text.ts";

/**
 * How the replies of the two servers are compared.
 * - exact: byte for byte
 * - none: the command has no reply (CLIENT REPLY OFF, empty lines)
 * - unordered: the elements of an array in any order
 * - presence: a null on both sides or on neither
 * - within: two positive integers may differ by so much (clocks); all else byte for byte
 */
export type Answer = "exact" | "none" | "unordered" | "presence" | { readonly within: number };

export type Command = {
  /** Name and arguments as byte text; empty when only `wire` says what is sent. */
  readonly words: readonly string[];
  readonly answer: Answer;
  /** The bytes to send, when they are not the RESP array of `words` (inline, malformed). */
  readonly wire?: string;
};

export type Step =
  | { readonly kind: "commands"; readonly commands: readonly Command[] }
  /** The server is expected to close the connection; sent apart, so that no reply is lost. */
  | { readonly kind: "closing"; readonly command: Command }
  /** From `cursor` until cursor 0; compared as one set, since cursors and order are free. */
  | {
      readonly kind: "scan";
      /** What stands before the cursor: SCAN, or SSCAN and a key. */
      readonly command: readonly string[];
      readonly cursor: string;
      readonly options: readonly string[];
    };

/** A step of one command, sent as a RESP array. */
export function step(words: readonly string[], answer: Answer = "exact"): Step {
  return { kind: "commands", commands: [{ words, answer }] };
}

export function commandsOf(step: Step): readonly Command[] {
  switch (step.kind) {
    case "commands":
      return step.commands;
    case "closing":
      return [step.command];
    case "scan":
      return [{ words: [...step.command, step.cursor, ...step.options], answer: "exact" }];
  }
}

export function encode(command: Command): Uint8Array {
  return toBytes(command.wire ?? encodeArray(command.words));
}

export function encodeArray(words: readonly string[]): string {
  let request = `*${words.length}\r\n`;
  for (const word of words) request += `$${word.length}\r\n${word}\r\n`;
  return request;
}

/** One line of a script for people: redis-cli quoting, or the raw bytes after a mark. */
export function describe(command: Command): string {
  if (command.wire !== undefined) return `(raw bytes) ${quoteAlways(command.wire)}`;
  return command.words.map(quote).join(" ");
}
