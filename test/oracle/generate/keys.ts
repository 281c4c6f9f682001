/**
 * Generators of the commands about keys and databases, whatever type the keys hold, SCAN included.
 */

import { type Step, step } from "../step.ts";
import type { Group } from "./group.ts";
import type { Material } from "./material.ts";

const PATTERNS = [
  ...[
    "*",
    "a",
    "?",
    "[ab]",
    "[^a]",
    "[a-c]",
    "[c-a]",
    "[a",
    "[",
    "k*",
    "*y*",
    "K??",
    "\\*",
    "\\\\*",
  ],
  ...[
    "h\\[a\\]llo",
    "h[[]*",
    "",
    "**",
    "a*b",
    "key:?",
    "[^]",
    "[\xff]*",
    "\x6b\x00*",
    "?*?",
    "[\\a]",
  ],
];
const DATABASES = [
  "0",
  "0",
  "1",
  "1",
  "2",
  "15",
  "16",
  "-1",
  "abc",
  "",
  "9223372036854775807",
  "01",
];

export const keys: Group = {
  name: "keys",
  weight: 5,
  entries: [
    { weight: 2, make: () => step(["DBSIZE"]) },
    { weight: 1, make: (m) => step([m.keyword("FLUSHDB"), ...flushMode(m)]) },
    { weight: 1, make: (m) => step([m.keyword("FLUSHALL"), ...flushMode(m)]) },
    { weight: 2, make: (m) => step([m.keyword("SWAPDB"), database(m), database(m)]) },
    { weight: 3, make: (m) => step([m.keyword("DEL"), ...m.keys(1, 3)]) },
    { weight: 2, make: (m) => step([m.keyword("UNLINK"), ...m.keys(1, 3)]) },
    { weight: 3, make: (m) => step([m.keyword("EXISTS"), ...m.keys(1, 4)]) },
    { weight: 2, make: (m) => step([m.keyword("TYPE"), m.key()]) },
    { weight: 2, make: (m) => step([m.keyword("TOUCH"), ...m.keys(1, 4)]) },
    { weight: 4, make: (m) => step([m.keyword("KEYS"), m.random.pick(PATTERNS)], "unordered") },
    { weight: 1, make: (m) => step([m.keyword("RANDOMKEY")], "presence") },
    { weight: 1, make: randomkeyOfOne },
    { weight: 3, make: (m) => step([m.keyword("RENAME"), m.key(), m.key()]) },
    { weight: 3, make: (m) => step([m.keyword("RENAMENX"), m.key(), m.key()]) },
    { weight: 5, make: copy },
    { weight: 3, make: (m) => step([m.keyword("MOVE"), m.key(), database(m)]) },
    { weight: 4, make: object },
    { weight: 4, make: sort },
    { weight: 2, make: restore },
    { weight: 3, make: scan },
  ],
};

export function database(m: Material): string {
  return m.random.pick(DATABASES);
}

function flushMode(m: Material): string[] {
  return m.random.pick([[], [], [m.keyword("SYNC")], [m.keyword("ASYNC")], ["FOO"]]);
}

/** With a single key in the database there is only one right answer. */
function randomkeyOfOne(m: Material): Step {
  const requests = [["FLUSHDB"], ["SET", m.key(), m.value()], [m.keyword("RANDOMKEY")]];
  return { kind: "commands", commands: requests.map((words) => ({ words, answer: "exact" })) };
}

function copy(m: Material): Step {
  const choices = [
    () => [m.keyword("REPLACE")],
    () => [m.keyword("DB"), database(m)],
    () => (m.random.chance(0.1) ? [m.random.pick(["DB", "", "NX"])] : []),
  ];
  return step([m.keyword("COPY"), m.key(), m.key(), ...m.options(choices, 2)]);
}

/** Without ALPHA and without constants for BY: what is equal there comes in an order that Redis leaves open. */
function sort(m: Material): Step {
  const choices = [
    () => [m.keyword("LIMIT"), m.integer(), m.integer()],
    () => [m.keyword(m.random.pick(["ASC", "DESC"]))],
    () => [m.keyword("BY"), m.random.pick(["*", "k*", "*->f", "key:*"])],
    () => [m.keyword("GET"), m.random.pick(["#", "*", "k*", "*->a", "key:*->field", "a"])],
    () => [m.keyword("STORE"), m.key()],
    () => (m.random.chance(0.1) ? [m.random.pick(["BY", "LIMIT", "FOO", ""])] : []),
  ];
  const command = m.random.pick(["SORT", "SORT", "SORT_RO"]);
  return step([m.keyword(command), m.key(), ...m.options(choices, 3)]);
}

/** No payload: ten zeros are one for Redis, which reads the value from its own checksum. */
function restore(m: Material): Step {
  return step([m.keyword("RESTORE"), m.key(), m.integer(), `${m.value()}.`]);
}

function object(m: Material): Step {
  const question = m.random.pick([
    "ENCODING",
    "ENCODING",
    "ENCODING",
    "REFCOUNT",
    "FREQ",
    "IDLETIME",
  ]);
  if (m.random.chance(0.05)) return step([m.keyword("OBJECT"), m.keyword("HELP")]);
  return step([m.keyword("OBJECT"), m.keyword(question), m.key()]);
}

function scan(m: Material): Step {
  const choices = [
    () => [m.keyword("MATCH"), m.random.pick(PATTERNS)],
    () => [m.keyword("COUNT"), m.random.pick(["1", "2", "10", "1000", "0", "-1", m.integer()])],
    () => [m.keyword("TYPE"), m.keyword(m.random.pick(["string", "list", "set", "", "foo"]))],
    () => (m.random.chance(0.1) ? [m.random.pick(["MATCH", "COUNT", "FOO", ""])] : []),
  ];
  // Any other valid cursor means nothing on a server that did not hand it out.
  const badCursors = ["abc", "", " 0", "1x", "99999999999999999999999"];
  const cursor = m.random.chance(0.9) ? "0" : m.random.pick(badCursors);
  return { kind: "scan", command: ["SCAN"], cursor, options: m.options(choices, 3) };
}
