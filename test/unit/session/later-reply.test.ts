/** A reply that comes later, from the side of its command: when it is written, how often, and who is told when it is not. */
import { describe, expect, test } from "bun:test";
import { CommandError } from "../../../src/commands/command-error.ts";
import type { LaterReply } from "../../../src/session/later-reply.ts";
import type { Session } from "../../../src/session/session.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { ValueReply } from "../../suites/value-reply.ts";

interface Waiting {
  readonly db: EngineHarness;
  readonly session: Session;
  readonly later: LaterReply;
  readonly reply: ValueReply;
  /** How often the client was told that its reply is ready. */
  told(): number;
  abandoned(): number;
}

/** A client whose command answers later, and writes what the client gets when it is told. */
function wait(db = new EngineHarness()): Waiting {
  const reply = new ValueReply();
  let [told, abandoned] = [0, 0];
  let later: LaterReply | undefined;
  db.addCoreCommand("SLOW", (of) => {
    later = of.answerLater();
    later.onAbandoned = () => abandoned++;
  });
  const session = db.connect({
    replyReady: () => {
      told++;
      session.later?.write(reply);
    },
  });
  void db.askIn(session, "SLOW");
  if (later === undefined) throw new Error("SLOW did not run");
  return { db, session, later, reply, told: () => told, abandoned: () => abandoned };
}

test("is written as the turn ends, not in the middle of another command", () => {
  const { db, session, later, reply, told } = wait();
  db.addCoreCommand("WAKE", (_session, _args, to) => {
    later.settle((answer) => answer.integer(1));
    expect(told()).toBe(0);
    to.ok();
  });
  expect(session.later).toBe(later);
  expect(db.run("WAKE")).toBe("OK");
  expect([told(), reply.take(), session.later]).toEqual([1, 1, null]);
  db.endTurn();
  expect(told()).toBe(1);
});

test("an error is written or thrown, and takes the place of what was half written", () => {
  const answers: ((later: LaterReply) => void)[] = [
    (later) => later.settle((to) => to.error("ERR", "no")),
    (later) =>
      later.settle((to) => {
        to.array(2);
        to.integer(1);
        throw new CommandError("ERR", "no");
      }),
  ];
  for (const answer of answers) {
    const { db, later, reply } = wait();
    answer(later);
    db.endTurn();
    expect(reply.take()).toEqual({ error: "ERR no" });
  }
});

test("what it shows waits for the disk, like any other reply", () => {
  const { db, session, later, reply } = wait();
  db.persistence.holdsSyncs = true;
  db.run("SET", "k", "1");
  const find = () => db.session.database.find(Buffer.from("k"), 0, 1);
  later.settle((to) => to.boolean(find() !== 0));
  db.endTurn();
  expect([reply.take(), session.hold]).toEqual([true, 1]);
});

describe("exactly one", () => {
  test("a second answer is a defect", () => {
    const { later } = wait();
    later.settle((to) => to.ok());
    expect(() => later.settle((to) => to.ok())).toThrow("one answer");
  });

  test("none is a defect", () => {
    const { db, later } = wait();
    later.settle(() => {});
    expect(() => db.endTurn()).toThrow("without a reply");
  });

  test("one at once and one later is a defect", async () => {
    const db = new EngineHarness();
    db.addCoreCommand("BOTH", (session, _args, reply) => {
      session.answerLater();
      reply.ok();
    });
    const session = db.connect();
    await expect(db.askIn(session, "BOTH")).rejects.toThrow("has answered already");
  });

  test("a command that is not flagged blocking must not", async () => {
    const db = new EngineHarness();
    const run = (session: Session) => void session.answerLater();
    db.addCoreCommand("HIDDEN", run, { flags: ["readonly"] });
    const session = db.connect();
    await expect(db.askIn(session, "HIDDEN")).rejects.toThrow('"blocking"');
  });

  test("a command that throws has answered by that", async () => {
    const db = new EngineHarness();
    let abandoned = 0;
    db.addCoreCommand("FAILS", (session) => {
      session.answerLater().onAbandoned = () => abandoned++;
      throw new CommandError("ERR", "changed its mind");
    });
    const session = db.connect();
    expect(await db.askIn(session, "FAILS")).toEqual({ error: "ERR changed its mind" });
    expect([session.later, abandoned]).toEqual([null, 1]);
  });
});

describe("nobody waits", () => {
  test("the client is gone: the command is told once, and its answer dropped", () => {
    const { db, session, later, told, abandoned } = wait();
    db.engine.disconnect(session);
    expect([session.later, abandoned()]).toEqual([null, 1]);
    later.abandon();
    later.settle((to) => to.ok());
    db.endTurn();
    expect([told(), abandoned()]).toEqual([0, 1]);
  });

  test("gone between answer and end of the turn: there is nothing to tell the command", () => {
    const { db, session, later, told, abandoned } = wait();
    later.settle((to) => to.ok());
    db.engine.disconnect(session);
    db.endTurn();
    expect([told(), abandoned()]).toEqual([0, 0]);
  });

  test("where the answer is needed at once, it is an error, before anything began", () => {
    const db = new EngineHarness();
    let began = 0;
    db.addCoreCommand("SLOW", (session) => {
      session.answerLater();
      began++;
    });
    expect(db.run("SLOW")).toEqual({ error: expect.stringContaining("nobody who could wait") });
    expect(began).toBe(0);
  });

  test("kvdb stops: the client gets UNBLOCKED, the command is told, and nobody may begin to wait", async () => {
    const { db, session, later, reply, abandoned } = wait();
    await db.engine.beginStop();
    expect(reply.take()).toEqual({ error: expect.stringMatching(/^UNBLOCKED /) });
    expect(abandoned()).toBe(1);
    later.settle((to) => to.ok());
    db.endTurn();
    const refused = await db.askIn(session, "SLOW");
    expect(refused).toEqual({ error: expect.stringMatching(/^UNBLOCKED /) });
  });

  test("kvdb stops when the answer is known: that is what the client gets", async () => {
    const { db, later, reply, abandoned } = wait();
    later.settle((to) => to.ok());
    await db.engine.beginStop();
    expect([reply.take(), abandoned()]).toEqual(["OK", 0]);
  });
});

test("CLIENT LIST and INFO show who waits", () => {
  const { db, session, later } = wait();
  const flagsOf = () => /flags=(\w+)/.exec(String(db.run("CLIENT", "LIST", "ID", session.id)))?.[1];
  const blocked = () => /blocked_clients:(\d)/.exec(String(db.run("INFO", "clients")))?.[1];
  expect([flagsOf(), blocked()]).toEqual(["b", "1"]);
  later.settle((to) => to.ok());
  db.endTurn();
  expect([flagsOf(), blocked()]).toEqual(["N", "0"]);
});
