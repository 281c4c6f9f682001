/** What users may do, through the gate: the answers of clients, the log of what was refused, and connections that end. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { Session } from "../../../src/session/session.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

const NO_KEY = "NOPERM this user has no permissions to access one of the keys used as arguments";
const noCommand = (name: string) =>
  `NOPERM this user has no permissions to run the '${name}' command`;
const NO_AUTH = "NOAUTH Authentication required.";

let db: EngineHarness;
beforeEach(() => {
  db = new EngineHarness();
});

/** A client that has logged in as a user that these rules make. */
function userWith(...rules: string[]): Session {
  db.run("ACL", "SETUSER", "app", "on", ">pw", ...rules);
  const session = db.connect();
  expect(db.runIn(session, "AUTH", "app", "pw")).toBe("OK");
  return session;
}

function errorIn(session: Session, ...words: string[]): string {
  const answer = db.runIn(session, ...words);
  return typeof answer === "object" && answer !== null && "error" in answer
    ? String(answer.error)
    : `no error: ${JSON.stringify(answer)}`;
}

/** What was changed is told once it is as durable as promised. */
async function nextTurn(): Promise<void> {
  db.endTurn();
  await new Promise<void>((resolve) => setImmediate(resolve));
  db.endTurn();
}

describe("a user limited to app:* and reads", () => {
  test("reads there, and is refused elsewhere", () => {
    db.run("MSET", "app:1", "a", "other", "b");
    const app = userWith("~app:*", "+@read", "-@dangerous");
    expect(db.runIn(app, "GET", "app:1")).toBe("a");
    expect(db.runIn(app, "MGET", "app:1", "app:2")).toEqual(["a", null]);
    expect(errorIn(app, "GET", "other")).toBe(NO_KEY);
    expect(errorIn(app, "MGET", "app:1", "other")).toBe(NO_KEY);
    expect(errorIn(app, "SET", "app:1", "c")).toBe(noCommand("set"));
    expect(errorIn(app, "CONFIG", "GET", "*")).toBe(noCommand("config|get"));
    expect(errorIn(app, "KEYS", "*")).toBe(noCommand("keys"));
    expect(db.run("GET", "app:1")).toBe("a");
  });

  test("and to letters with bytes that are a blank elsewhere", () => {
    // à is C3 A0, Р is D0 A0: alone, A0 is a space that does not break.
    const app = userWith("~à*", "~Россия:*", "&à", "(~à %R~Р +get)", "+@read");
    expect(db.runIn(app, "GET", "à1")).toBe(null);
    expect(db.runIn(app, "GET", "Россия:1")).toBe(null);
    expect(db.runIn(app, "GET", "Р")).toBe(null);
    expect(errorIn(app, "GET", "Р:")).toBe(NO_KEY);
    for (const blank of [" ", "\t", "\v", "\f", "\r", "\n", "\0"]) {
      expect(db.run("ACL", "SETUSER", "app", `~a${blank}b`)).toHaveProperty("error");
    }
  });

  test("may still log in as somebody else, and leave", () => {
    const app = userWith("~app:*", "+@read");
    expect(errorIn(app, "ACL", "WHOAMI")).toBe(noCommand("acl|whoami"));
    expect(db.runIn(app, "AUTH", "default", "")).toBe("OK");
    expect(db.runIn(app, "ACL", "WHOAMI")).toBe("default");
  });
});

describe("keys by what is done with them", () => {
  test.each<[rule: string, words: string[], isAllowed: boolean]>([
    ["%R~k", ["GET", "k"], true],
    ["%R~k", ["SET", "k", "1"], false],
    ["%W~k", ["SET", "k", "1"], true],
    ["%W~k", ["SET", "k", "1", "GET"], false],
    ["%RW~k", ["SET", "k", "1", "GET"], true],
    ["%W~k", ["SET", "k", "1", "IFEQ", "0"], false],
    ["%W~k", ["SET", "k", "1", "IFVERSION", "0"], true],
    ["%R~k", ["LOCK", "k", "PX", "1000"], false],
    ["%R~k", ["VERSION", "k"], true],
    ["%W~k", ["EXISTS", "k"], true],
    ["%W~k", ["APPEND", "k", "x"], true],
    ["%W~k", ["INCR", "k"], false],
    ["%W~k", ["JSON.SET", "k", "$", "1"], true],
    ["%R~k", ["JSON.GET", "k"], true],
    ["%R~k", ["JSON.DEL", "k"], false],
    ["%W~k", ["VALUE.SET", "k", "1"], true],
    ["%R~k", ["VALUE.SET", "k", "1"], false],
    ["%R~k", ["COPY", "k", "to"], false],
    ["~to", ["COPY", "k", "to"], false],
    // Redis looks at the first STORE and stores under the last one; here both are asked about.
    ["~k", ["GEORADIUS", "k", "0", "0", "1", "m", "STORE", "k", "STORE", "other"], false],
    ["~k", ["SORT", "k", "STORE", "other"], false],
    ["~k", ["XREADGROUP", "GROUP", "STREAMS", "c", "STREAMS", "other", ">"], false],
    ["~k", ["XREADGROUP", "COUNT", "1", "GROUP", "g", "STREAMS", "STREAMS", "other", ">"], false],
    ["~k", ["VALUE.BATCH", "k", "SET", "1", "0", "other", "SET", "1", "0"], false],
    ["~k", ["VALUE.EXPORT", "k", "other"], false],
    ["~k", ["JSON.MSET", "k", "$", "1", "other", "$", "1"], false],
  ])("%s: %j", (rule, words, isAllowed) => {
    const app = userWith(rule, "+@all");
    const isRefused = errorIn(app, ...words) === NO_KEY;
    expect(isRefused).toBe(!isAllowed);
  });

  test("of two selectors one must allow the whole command", () => {
    const app = userWith("%R~a", "+get", "(%W~b +set)");
    expect(db.runIn(app, "GET", "a")).toBeNull();
    expect(db.runIn(app, "SET", "b", "1")).toBe("OK");
    expect(errorIn(app, "SET", "a", "1")).toBe(NO_KEY);
    expect(errorIn(app, "DEL", "a")).toBe(noCommand("del"));
  });
});

describe("keys that nobody names", () => {
  test("SORT looks others up for who may read all", () => {
    db.run("RPUSH", "k", "1", "2");
    const app = userWith("~k", "+@all");
    const denied = (option: string) =>
      `ERR ${option} option of SORT denied due to insufficient ACL permissions.`;
    expect(errorIn(app, "SORT", "k", "BY", "w_*")).toBe(denied("BY"));
    expect(errorIn(app, "SORT_RO", "k", "GET", "#")).toBe(denied("GET"));
    expect(db.runIn(app, "SORT", "k", "BY", "nosort")).toEqual(["1", "2"]);
    db.run("ACL", "SETUSER", "app", "%R~*");
    expect(db.runIn(app, "SORT", "k", "BY", "w_*")).toEqual(["1", "2"]);
  });

  test("FIND sees what begins with a prefix that may be read", () => {
    db.run("VALUE.SET", "app:1", '{"a":1}');
    db.run("VALUE.SET", "other", '{"a":1}');
    const app = userWith("%R~app:*", "~x", "+@read");
    const found = [["app:1", '{"a":1}']];
    expect(db.runIn(app, "FIND", "a = 1", "IN", "app:*")).toEqual(found);
    expect(db.runIn(app, "FIND", "a = 1", "IN", "app:1")).toEqual(found);
    expect(db.runIn(app, "FIND", "a = 1", "WITHIN", "app:", "IN", "1")).toEqual([["1", '{"a":1}']]);
    for (const words of [[], ["IN", "ap"], ["IN", "x"], ["IN", "*"], ["PARAMS", "IN", "app:"]]) {
      expect(errorIn(app, "FIND", "a = 1", ...words)).toBe(NO_KEY);
      expect(errorIn(app, "EXPLAIN", "FIND", "a = 1", ...words)).toBe(NO_KEY);
    }
  });

  test("CHANGES tells of keys that may be read", async () => {
    db = new EngineHarness({ durability: "none" });
    db.run("CHANGES", "FROM", "$");
    const app = userWith("%R~app:*", "%W~log", "+changes", "(+get ~secret)");
    db.run("MSET", "app:1", "a", "other", "b", "log", "c", "secret", "d");
    db.run("RENAME", "other", "app:2");
    await nextTurn();
    const [, changes] = (await db.askIn(app, "CHANGES", "FROM", "0")) as [number, unknown[][]];
    expect(changes.map((change) => change.slice(3))).toEqual([
      ["app:1", "mset", ["MSET", "app:1", "a"]],
      ["app:2", "rename", null],
    ]);
  });

  test("an index is made of documents that may be read", () => {
    const app = userWith("~app:*", "+@all");
    const create = ["INDEX", "CREATE", "by_a", "USING", "hash", "FIELD", "a"];
    expect(errorIn(app, ...create)).toBe(NO_KEY);
    expect(errorIn(app, ...create, "PREFIX", "other:")).toBe(NO_KEY);
    expect(db.runIn(app, ...create, "PREFIX", "app:")).toBe(0);
  });
});

describe("who has not logged in", () => {
  test("is asked for the password of the default user, and may run what everybody may", () => {
    db.engine.accounts.password = "secret";
    const client = db.connect();
    expect(errorIn(client, "GET", "a")).toBe(NO_AUTH);
    expect(errorIn(client, "AUTH", "wrong")).toStartWith("WRONGPASS ");
    expect(errorIn(client, "AUTH", "nobody", "secret")).toStartWith("WRONGPASS ");
    expect(db.runIn(client, "AUTH", "secret")).toBe("OK");
    expect(db.runIn(client, "GET", "a")).toBeNull();
  });

  test("is let in as soon as the default user needs no password any more", () => {
    db.run("ACL", "SETUSER", "default", ">pw");
    const client = db.connect();
    expect(errorIn(client, "PING")).toBe(NO_AUTH);
    db.run("ACL", "SETUSER", "default", "nopass");
    expect(db.runIn(client, "PING")).toBe("PONG");
    db.run("ACL", "SETUSER", "default", "off");
    expect(errorIn(client, "PING")).toBe(NO_AUTH);
    expect(errorIn(db.connect(), "PING")).toBe(NO_AUTH);
  });

  test("a user that is off cannot log in; who is in stays in", () => {
    const app = userWith("+@all", "~*");
    db.run("ACL", "SETUSER", "app", "off");
    expect(errorIn(db.connect(), "AUTH", "app", "pw")).toStartWith("WRONGPASS ");
    expect(db.runIn(app, "ACL", "WHOAMI")).toBe("app");
  });

  test("RESET brings back the default user", () => {
    const app = userWith("~app:*", "+@read");
    db.run("ACL", "SETUSER", "default", ">pw");
    expect(db.runIn(app, "RESET")).toBe("RESET");
    expect(errorIn(app, "GET", "app:1")).toBe(NO_AUTH);
  });
});

describe("who holds the data folder", () => {
  test("is the default user without a password, whatever is set for others", () => {
    db.run("ACL", "SETUSER", "default", "off", "resetpass", "-@all", "resetkeys");
    const owner = db.connect({ trusted: true });
    expect(db.runIn(owner, "SET", "a", "1")).toBe("OK");
    db.runIn(owner, "ACL", "SETUSER", "app", "on", ">pw", "+get", "~b");
    expect(db.runIn(owner, "AUTH", "app", "pw")).toBe("OK");
    expect(errorIn(owner, "GET", "a")).toBe(NO_KEY);
  });
});

describe("a command of a plugin", () => {
  test("calls others with the permissions of its client", () => {
    db.addCommand("READ.ANY", (session, args, reply) => {
      reply.text(String(session.tryCall("GET", args.text(1)).kind));
    });
    db.run("MSET", "app:1", "a", "other", "b");
    const app = userWith("~app:*", "+read.any", "+get");
    expect(db.runIn(app, "READ.ANY", "app:1")).toBe("bulk");
    expect(db.runIn(app, "READ.ANY", "other")).toBe("error");
  });

  test("that comes later is allowed as the rules about all and about categories say", () => {
    const all = userWith("+@all", "-@read", "~*");
    db.addCommand("LATER.READ", (_session, _args, reply) => reply.ok(), { flags: ["readonly"] });
    db.addCommand("LATER.WRITE", (_session, _args, reply) => reply.ok());
    expect(errorIn(all, "LATER.READ")).toBe(noCommand("later.read"));
    expect(db.runIn(all, "LATER.WRITE")).toBe("OK");
    db.run("ACL", "SETUSER", "app", "-@all", "+later.read");
    expect(db.runIn(all, "LATER.READ")).toBe("OK");
  });
});

describe("inside MULTI", () => {
  test("what is refused as it is queued makes EXEC refuse all", () => {
    const app = userWith("~app:*", "+@all");
    db.runIn(app, "MULTI");
    expect(db.runIn(app, "SET", "app:1", "1")).toBe("QUEUED");
    expect(errorIn(app, "SET", "other", "1")).toBe(NO_KEY);
    expect(errorIn(app, "EXEC")).toStartWith("EXECABORT ");
    expect(db.run("EXISTS", "app:1", "other")).toBe(0);
  });

  test("an EXEC that is refused ends it", () => {
    const app = userWith("~app:*", "+@all", "-exec", "-discard");
    db.runIn(app, "WATCH", "app:1");
    db.runIn(app, "MULTI");
    db.runIn(app, "SET", "app:1", "1");
    const refused = `EXECABORT Transaction discarded because of: ${noCommand("exec")}`;
    expect(errorIn(app, "EXEC")).toBe(refused);
    expect(db.runIn(app, "GET", "app:1")).toBe(null);
    expect(errorIn(app, "EXEC")).toBe(refused);
    expect(db.engine.keyspace.changeListener).toBeNull();
  });

  test("what is refused when it is to run answers so, and the others run", () => {
    const app = userWith("~app:*", "+@all");
    db.runIn(app, "MULTI");
    for (const key of ["app:1", "app:2"]) db.runIn(app, "SET", key, "1");
    db.runIn(app, "INCR", "app:n");
    db.run("ACL", "SETUSER", "app", "resetkeys", "~app:[12]", "-incr");
    const changed =
      "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: ";
    const refused = { error: `${changed}no permission to execute the command or subcommand` };
    expect(db.runIn(app, "EXEC")).toEqual(["OK", "OK", refused]);
    const [entry] = db.run("ACL", "LOG", 1) as unknown as Map<string, unknown>[];
    expect([entry?.get("context"), entry?.get("object")]).toEqual(["multi", "incr"]);
    db.runIn(app, "MULTI");
    db.runIn(app, "GET", "app:1");
    db.run("ACL", "SETUSER", "app", "resetkeys");
    const key = { error: `${changed}no permission to touch the specified keys` };
    expect(db.runIn(app, "EXEC")).toEqual([key]);
  });
});

describe("channels", () => {
  const NO_CHANNEL =
    "NOPERM this user has no permissions to access one of the channels used as arguments";

  function listener(...rules: string[]): { session: Session; closings: string[] } {
    const closings: string[] = [];
    db.run("ACL", "SETUSER", "app", "on", "nopass", "+@all", ...rules);
    const session = db.connect({ close: (when) => closings.push(when), push: () => {} });
    db.runIn(session, "HELLO", "3", "AUTH", "app", "");
    return { session, closings };
  }

  test("are those that patterns fit; a pattern must be one of them", () => {
    const { session } = listener("&news:*");
    expect(errorIn(session, "PUBLISH", "other", "x")).toBe(NO_CHANNEL);
    expect(db.runIn(session, "PUBLISH", "news:1", "x")).toBe(0);
    expect(errorIn(session, "SUBSCRIBE", "news:1", "other")).toBe(NO_CHANNEL);
    expect(errorIn(session, "PSUBSCRIBE", "news:1*")).toBe(NO_CHANNEL);
    expect(errorIn(session, "PSUBSCRIBE", "news:*")).toStartWith("no error");
    expect(errorIn(session, "SSUBSCRIBE", "other")).toBe(NO_CHANNEL);
    expect(errorIn(session, "UNSUBSCRIBE", "other")).toStartWith("no error");
  });

  test.each<[subscribe: string[], rules: string[], closes: boolean]>([
    [["SUBSCRIBE", "news:1"], ["resetchannels", "&news:1"], false],
    [["SUBSCRIBE", "news:1"], ["resetchannels", "&news:2"], true],
    [["SUBSCRIBE", "news:1"], ["resetchannels", "(&news:1 +get)"], false],
    [["PSUBSCRIBE", "news:*"], ["resetchannels", "&news:1"], true],
    [["PSUBSCRIBE", "news:*"], ["-publish"], false],
    [["SSUBSCRIBE", "news:1"], ["resetchannels"], true],
  ])("%j, then %j: closed %p", (subscribe, rules, closes) => {
    const { session, closings } = listener("&news:*");
    db.runIn(session, ...subscribe);
    expect(db.run("ACL", "SETUSER", "app", ...rules)).toBe("OK");
    expect(closings).toEqual(closes ? ["now"] : []);
  });
});

describe("removing", () => {
  function watched(): { session: Session; closings: string[] } {
    const closings: string[] = [];
    const session = db.connect({ close: (when) => closings.push(when) });
    db.run("ACL", "SETUSER", "app", "on", "nopass", "+@all", "~*", "&*");
    db.runIn(session, "AUTH", "app", "");
    return { session, closings };
  }

  test("a user closes its connections at once", () => {
    const { closings } = watched();
    expect(db.run("ACL", "DELUSER", "app", "nobody")).toBe(1);
    expect(closings).toEqual(["now"]);
  });

  test("oneself answers first", () => {
    const { session, closings } = watched();
    expect(db.runIn(session, "ACL", "DELUSER", "app")).toBe(1);
    expect(closings).toEqual(["afterReplies"]);
    expect(errorIn(session, "GET", "a")).toBe(noCommand("get"));
  });
});

describe("ACL LOG", () => {
  test("tells what was refused, newest first, and counts repetitions", () => {
    const app = userWith("~app:*", "+@read");
    errorIn(app, "GET", "other");
    errorIn(app, "SET", "app:1", "1");
    db.clock.advance(2500);
    errorIn(app, "GET", "other");
    errorIn(db.connect(), "HELLO", "3", "AUTH", "app", "guess");
    const entries = db.run("ACL", "LOG") as unknown as Map<string, unknown>[];
    const shown = entries.map((entry) =>
      ["count", "reason", "context", "object", "username"].map((name) => entry.get(name)),
    );
    expect(shown).toEqual([
      [1, "auth", "toplevel", "HELLO", "app"],
      [2, "key", "toplevel", "other", "app"],
      [1, "command", "toplevel", "set", "app"],
    ]);
    expect(entries[2]?.get("age-seconds")).toBe(2.5);
    expect(String(entries[1]?.get("client-info"))).toContain(" user=app ");
    expect(JSON.stringify(entries.map((entry) => [...entry]))).not.toContain("guess");
    expect(db.run("ACL", "LOG", 1)).toHaveLength(1);
    expect(db.run("ACL", "LOG", "RESET")).toBe("OK");
    expect(db.run("ACL", "LOG")).toEqual([]);
  });

  test("keeps a bounded number, and of what was tried no more than the beginning", () => {
    const app = userWith("+get");
    errorIn(app, "GET", "x".repeat(1_000_000));
    errorIn(app, "AUTH", "y".repeat(1_000_000), "guess");
    const entries = db.run("ACL", "LOG") as unknown as Map<string, unknown>[];
    expect(entries.map((entry) => [entry.get("username"), entry.get("object")])).toEqual([
      ["y".repeat(1024), "AUTH"],
      ["app", "x".repeat(1024)],
    ]);
    for (let i = 0; i < 300; i++) errorIn(app, "GET", `k${i}`);
    expect(db.run("ACL", "LOG", 1000)).toHaveLength(128);
  });
});
