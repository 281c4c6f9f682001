import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

const db = new EngineHarness();

describe("COMMAND INFO", () => {
  test("has the ten fields of Redis 7.0", () => {
    expect(db.run("COMMAND", "INFO", "mget")).toEqual([
      [
        "mget",
        -2,
        new Set(["readonly", "fast"]),
        1,
        -1,
        1,
        new Set(["@read", "@string", "@fast"]),
        new Set(["request_policy:multi_shard"]),
        new Set([
          new Map<string, unknown>([
            ["flags", new Set(["RO", "access"])],
            [
              "begin_search",
              new Map<string, unknown>([
                ["type", "index"],
                ["spec", new Map([["index", 1]])],
              ]),
            ],
            [
              "find_keys",
              new Map<string, unknown>([
                ["type", "range"],
                ["spec", new Map(Object.entries({ lastkey: -1, keystep: 1, limit: 0 }))],
              ]),
            ],
          ]),
        ]),
        new Set(),
      ],
    ] as never);
  });

  test("of subcommands, containers and unknown names", () => {
    const [id, client, unknown] = db.run("COMMAND", "INFO", "CLIENT|ID", "client", "nope") as [
      unknown[],
      unknown[],
      unknown,
    ];
    expect(id.slice(0, 2)).toEqual(["client|id", 2]);
    expect(client[9]).toContainEqual(id);
    expect(unknown).toBeNull();
  });

  test("COMMAND alone, INFO without names and COUNT tell of the same commands", () => {
    const all = db.run("COMMAND") as unknown[];
    expect(db.run("COMMAND", "INFO")).toEqual(all as never);
    expect(db.run("COMMAND", "COUNT")).toBe(all.length);
  });
});

describe("COMMAND LIST", () => {
  test("filters by pattern, category, module", () => {
    expect(db.run("COMMAND", "LIST", "FILTERBY", "PATTERN", "CLIENT|SET*")).toEqual([
      "client|setinfo",
      "client|setname",
    ]);
    expect(db.run("COMMAND", "LIST", "FILTERBY", "ACLCAT", "Admin")).toContain("config|set");
    expect(db.run("COMMAND", "LIST", "FILTERBY", "ACLCAT", "nope")).toEqual([]);
    expect(db.run("COMMAND", "LIST", "FILTERBY", "MODULE", "nope")).toEqual([]);
  });

  test("has the subcommands too", () => {
    const names = db.run("COMMAND", "LIST") as string[];
    expect(names).toContain("client");
    expect(names).toContain("client|id");
  });
});

describe("COMMAND DOCS", () => {
  const docs = (name: string) =>
    (db.run("COMMAND", "DOCS", name) as Map<string, Map<string, unknown>>).get(name);

  test("of a command", () => {
    const get = docs("get");
    expect([get?.get("since"), get?.get("group")]).toEqual(["1.0.0", "string"]);
    expect(get?.get("arguments")).toEqual([
      new Map<string, unknown>([
        ["name", "key"],
        ["type", "key"],
        ["key_spec_index", 0],
      ]),
    ]);
  });

  test("of options", () => {
    const [list] = (docs("command|list")?.get("arguments") ?? []) as Map<string, unknown>[];
    expect(list?.get("token")).toBe("FILTERBY");
    expect(list?.get("flags")).toEqual(new Set(["optional"]));
    expect(list?.get("arguments")).toHaveLength(3);
  });

  test("of a container has its subcommands; of no arguments, no arguments", () => {
    const client = docs("client");
    const subcommands = client?.get("subcommands") as Map<string, Map<string, unknown>> | undefined;
    const id = subcommands?.get("client|id");
    expect(id).toEqual(docs("client|id"));
    expect([...(id?.keys() ?? [])]).toEqual(["summary", "since", "group", "complexity"]);
  });

  test("leaves out what it does not know", () => {
    expect(db.run("COMMAND", "DOCS", "nope")).toEqual(new Map());
  });
});

describe("COMMAND GETKEYS", () => {
  test.each([
    [
      ["MSET", "a", "1", "b", "2"],
      ["a", "b"],
    ],
    [["OBJECT", "ENCODING", "a"], ["a"]],
    [
      ["SINTERCARD", "2", "a", "b", "LIMIT", "1"],
      ["a", "b"],
    ],
    [["BLMPOP", "0", "1", "a", "LEFT"], ["a"]],
    [
      ["XREAD", "COUNT", "1", "STREAMS", "a", "b", "0", "0"],
      ["a", "b"],
    ],
    [
      ["DEL", "a", "b"],
      ["a", "b"],
    ],
    [
      ["RENAME", "a", "b"],
      ["a", "b"],
    ],
  ])("%p", (words, keys) => {
    expect(db.run("COMMAND", "GETKEYS", ...words)).toEqual(keys);
  });

  test.each([
    ["SORT a STORE b", ["a", "b"]],
    ["SORT a BY store STORE b GET store store c", ["a", "c"]],
    ["SORT a LIMIT store store STORE", ["a"]],
    ["SORT a STORE STORE c", ["a", "c"]],
    ["SORT_RO a BY b_*", ["a"]],
    ["GEORADIUS a 1 2 3 m", ["a"]],
    ["GEORADIUS a 1 2 3 m STOREDIST c STORE b STORE d", ["a", "b", "c"]],
    ["GEORADIUS a STORE x STORE y STORE b", ["a", "b"]],
    ["GEORADIUS a 1 2 3 m COUNT 1 STORE", ["a"]],
    ["GEORADIUSBYMEMBER a m 3 m STORE b", ["a", "b"]],
  ])("of options: %s", (command, keys) => {
    expect(db.run("COMMAND", "GETKEYS", ...command.split(" "))).toEqual(keys);
  });

  test.each([
    [["NOPE", "a"], "ERR Invalid command specified"],
    [["CLIENT", "a"], "ERR Invalid command specified"],
    [["SINTERCARD", "3", "a", "b"], "ERR Invalid arguments specified for command"],
    [["SINTERCARD", "0", "a", "b"], "ERR Invalid arguments specified for command"],
    [["SINTERCARD", "x", "a", "b"], "ERR Invalid arguments specified for command"],
    [["XREAD", "COUNT", "1", "a"], "ERR Invalid arguments specified for command"],
    [["PING", "a"], "ERR The command has no key arguments"],
    [["GET", "a", "b"], "ERR Invalid number of arguments specified for command"],
  ])("%p: %s", (words, error) => {
    expect(db.run("COMMAND", "GETKEYS", ...words)).toEqual({ error });
  });
});
