/**
 * Spoils a few of the generated commands (an argument less, one more, a strange one), and sends a
 * few as inline lines. Works on single commands only: steps of several depend on being right.
 *
 * No strange argument is a number: it could end up as a short time to live or a far offset.
 */

import { quote, quoteAlways } from "../byte-text.ts";
import type { Command, Step } from "../step.ts";
import type { Material } from "./material.ts";

const STRANGE = ["", "abc", "\x00", "\xff\xfe", "a b", "\r\n", "NX", "*", "(nil)", "'", "1abc"];

export function vary(m: Material, step: Step): Step {
  const command = step.kind === "commands" && step.commands.length === 1 ? step.commands[0] : null;
  if (command == null || command.wire !== undefined) return step;
  const varied = m.random.chance(0.08) ? spoil(m, command) : command;
  return { kind: "commands", commands: [m.random.chance(0.04) ? inline(m, varied) : varied] };
}

function spoil(m: Material, command: Command): Command {
  const { words, answer } = command;
  const at = m.random.integer(1, words.length - 1);
  switch (m.random.pick(["less", "more", "strange"] as const)) {
    case "less":
      return { words: words.length > 1 ? words.slice(0, -1) : words, answer };
    case "more":
      return { words: [...words, m.random.pick(STRANGE)], answer };
    case "strange":
      return { words: words.map((word, i) => (i === at ? m.random.pick(STRANGE) : word)), answer };
  }
}

/** The command as a line typed by a person, with the freedom that Redis gives for spaces. */
function inline(m: Material, command: Command): Command {
  const space = m.random.pick([" ", " ", "  ", "\t"]);
  const quoteOne = m.random.pick([quote, quoteAlways, quoteSingle]);
  const line = command.words.map(quoteOne).join(space);
  // A line that begins with a star would be read as a RESP array.
  const before = line.startsWith("*") ? " " : m.random.pick(["", " "]);
  const after = m.random.pick(["\r\n", "\n", " \r\n"]);
  return { ...command, wire: `${before}${line}${after}` };
}

/** Single quotes know no escape but \', so what they cannot hold goes in double quotes. */
function quoteSingle(word: string): string {
  return /^[ -[\]-~]*$/.test(word) ? `'${word.replaceAll("'", "\\'")}'` : quoteAlways(word);
}
