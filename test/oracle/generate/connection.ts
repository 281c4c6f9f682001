/**
 * Generators of the commands about the connection, and of what comes in beside commands: empty
 * lines and malformed requests.
 */

import { type Command, type Step, step } from "../step.ts";
import type { Group } from "./group.ts";
import { database } from "./keys.ts";
import type { Material } from "./material.ts";

const NAMES = ["worker-1", "", "two words", "line\nbreak", "\xc3\xa9", "~!@#", "x".repeat(100)];
/** Each is answered by a protocol error, after which the server closes the connection. */
const MALFORMED = [
  ...["*abc\r\n", "*2147483648\r\n", "*99999999999999999999\r\n", "*1\r\nabc\r\n", "*1\r\n\r\n"],
  ...["*1\r\n$abc\r\n", "*1\r\n$-1\r\n", "*1\r\n$99999999999\r\n", "*2\r\n$4\r\nPING\r\n:1\r\n"],
  ...['SET "a\r\n', "SET 'a\r\n", 'SET "a"b c\r\n', "GET 'a'b\r\n", '"\r\n'],
];
/** Requests of no words: they have no reply. */
const EMPTY = ["\r\n", "\n", "   \r\n", "*0\r\n", "*-1\r\n", "*-5\r\n"];

export const connection: Group = {
  name: "connection",
  weight: 2,
  entries: [
    { weight: 3, make: (m) => step([m.keyword("PING"), ...m.random.pick([[], [m.value()]])]) },
    { weight: 2, make: (m) => step([m.keyword("ECHO"), m.value()]) },
    { weight: 4, make: (m) => step([m.keyword("SELECT"), database(m)]) },
    { weight: 1, make: (m) => step([m.keyword("RESET")]) },
    { weight: 3, make: hello },
    { weight: 6, make: client },
    { weight: 3, make: clientReply },
    { weight: 2, make: (m) => raw(m.random.pick(EMPTY), "none") },
    { weight: 1, make: (m) => ({ kind: "closing", command: malformed(m) }) },
  ],
};

function hello(m: Material): Step {
  const protocol = m.random.pick(["2", "3", "3", "3", "1", "4", "abc", "", "03", "3.0"]);
  const choices = [
    () => [m.keyword("SETNAME"), m.random.pick(NAMES)],
    () => (m.random.chance(0.2) ? [m.random.pick(["FOO", "", "SETNAME", "AUTH"])] : []),
  ];
  const words = m.random.chance(0.15) ? [] : [protocol, ...m.options(choices, 2)];
  return step([m.keyword("HELLO"), ...words]);
}

function client(m: Material): Step {
  const words = m.random.pick([
    ["GETNAME"],
    ["GETNAME"],
    ["SETNAME", m.random.pick(NAMES)],
    ["SETNAME", m.random.pick(NAMES)],
    ["ID"],
    ["NO-EVICT", m.random.pick(["ON", "OFF", "off", "", "maybe"])],
    ["REPLY", m.random.pick(["ON", "on", "", "maybe"])],
  ]);
  return step([m.keyword("CLIENT"), m.keyword(words[0] ?? ""), ...words.slice(1)]);
}

/** Replies that do not come; in one step, since shrinking must not part OFF from ON. */
function clientReply(m: Material): Step {
  const silenced: Command[] = [
    { words: ["CLIENT", "REPLY", "OFF"], answer: "none" },
    { words: ["SET", m.key(), m.value()], answer: "none" },
    { words: ["GET"], answer: "none" },
    { words: ["CLIENT", m.keyword("REPLY"), "SKIP"], answer: "none" },
  ];
  const on: Command = { words: ["CLIENT", "REPLY", m.keyword("ON")], answer: "exact" };
  const skip: Command = { words: ["CLIENT", "REPLY", m.keyword("SKIP")], answer: "none" };
  const skipped: Command = { words: ["INCR", m.key()], answer: "none" };
  return { kind: "commands", commands: m.random.chance(0.5) ? [...silenced, on] : [skip, skipped] };
}

function malformed(m: Material): Command {
  if (m.random.chance(0.2)) return { words: [m.keyword("QUIT")], answer: "exact" };
  return { words: [], wire: m.random.pick(MALFORMED), answer: "exact" };
}

function raw(wire: string, answer: Command["answer"]): Step {
  return { kind: "commands", commands: [{ words: [], wire, answer }] };
}
