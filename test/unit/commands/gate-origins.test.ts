/**
 * DESIGN.md, principle 2: one gate. Whatever way a command comes (from a client, a line of a script, a one-shot command, in a
 * transaction, from a plugin's command, in a record that is replayed), it is asked the very steps that its origin and
 * its flags call for, and then runs once. Walks the whole table; what the commands themselves do is replaced.
 */
import { afterEach, beforeEach, describe, expect, type Mock, spyOn, test } from "bun:test";
import { Arguments } from "../../../src/commands/arguments.ts";
import type { Command, Run } from "../../../src/commands/command.ts";
import { CommandError } from "../../../src/commands/command-error.ts";
import { ALONE, type GateStep } from "../../../src/commands/dispatch.ts";
import { gateSteps } from "../../../src/kernel/gate-steps.ts";
import { LocalLink } from "../../../src/kernel/local-link.ts";
import type { Origin } from "../../../src/session/session.ts";
import { TRANSACTION } from "../../../src/transaction/transaction-step.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { ValueReply } from "../../suites/value-reply.ts";

type Words = readonly [string, ...string[]];

const CALLER = "TEST.CALL";
/** They run at once also where a transaction is open. */
const NEVER_QUEUED = ["MULTI", "EXEC", "DISCARD", "WATCH", "QUIT", "RESET"];

/** How a command reaches the gate, and as what. */
interface Way {
  readonly title: string;
  readonly origin: Origin;
  send(db: EngineHarness, words: Words): void;
  /** Commands that do not go this way at all. */
  readonly keepsOut?: (command: Command) => boolean;
  /** Steps that are not asked on this way, besides those that leave its origin alone. */
  readonly leavesOut?: readonly string[];
}

const ways: readonly Way[] = [
  { title: "a client", origin: "client", send: (db, words) => db.runIn(db.connect(), ...words) },
  {
    title: "a line of a script, or a one-shot command, that another process holds the folder for",
    origin: "client",
    send: (db, words) => new LocalLink(db.engine, { address: "", trusted: true }).run(words),
  },
  {
    title: "a line of a script, a one-shot command, or a program on its own folder",
    origin: "internal",
    send: (db, words) => new LocalLink(db.engine, { address: "" }, "internal").run(words),
  },
  {
    title: "a transaction",
    origin: "client",
    send: (db, words) => {
      const session = db.connect();
      for (const command of [["MULTI"], words, ["EXEC"]]) db.runIn(session, ...command);
    },
    keepsOut: ({ name }) => NEVER_QUEUED.includes(name),
  },
  {
    title: "a plugin's command",
    origin: "client",
    send: (db, words) => db.runIn(db.connect(), CALLER, ...words),
    keepsOut: ({ flags }) =>
      flags.includes("noscript") || flags.includes("no_multi") || flags.includes("blocking"),
    // It is its caller that is alone.
    leavesOut: [ALONE],
  },
  {
    title: "a record that is replayed",
    origin: "replay",
    send: (db, words) => {
      const args = new Arguments();
      args.assign(words.map((word) => Buffer.from(word)));
      const session = db.engine.connect(db.session.client, "replay");
      db.engine.gate.replay(session, args, new ValueReply());
    },
  },
];

/** The steps that the command must be asked on this way. */
function stepsFor(way: Way, command: Command): string[] {
  return gateSteps
    .filter((step) => step.origins.includes(way.origin) && step.appliesTo(command))
    .map(({ name }) => name)
    .filter((name) => way.leavesOut?.includes(name) !== true);
}

/** What happened to the command in hand. */
const asked: string[] = [];
const ranAs: Origin[] = [];
let inHand = "";

const note: Run = (session, _args, reply) => {
  ranAs.push(session.origin);
  reply.ok();
};

/** An engine whose commands do nothing but say that they ran. */
function engineWithoutEffects(): EngineHarness {
  const db = new EngineHarness({ auditEvery: 0 });
  for (const entry of db.engine.commands.entries()) {
    if (entry.run === null || NEVER_QUEUED.includes(entry.name)) continue;
    Object.assign(entry, { run: note });
  }
  db.addCommand(CALLER, (session, args, reply) => {
    const words = Array.from({ length: args.count - 1 }, (_, i) => args.text(i + 1));
    reply.answer(session.tryCall(...(words as [string, ...string[]])));
  });
  for (const { name } of gateSteps) if (name !== ALONE) db.engine.gate.setActive(name, true);
  return db;
}

/** So many arguments as it takes at least, its own name included. */
function wordsOf({ name, arity }: Command): Words {
  const [first = "", ...more] = name.split("|");
  const missing = Math.max(0, Math.abs(arity) - 1 - more.length);
  return [first, ...more, ...Array.from({ length: missing }, () => "x")];
}

/** Each command of the table that does something; those that open and end transactions do so here too. */
function commandsOf(db: EngineHarness): Command[] {
  return db.engine.commands
    .all()
    .filter(({ run, name }) => run !== undefined && name !== CALLER && name !== "EXEC");
}

function send(way: Way, db: EngineHarness, command: Command): void {
  asked.length = 0;
  ranAs.length = 0;
  inHand = command.name;
  way.send(db, wordsOf(command));
}

describe.each(ways)("$title", (way) => {
  const spies: Mock<GateStep["check"]>[] = [];
  let refusing: string;

  beforeEach(() => {
    refusing = "";
    for (const step of gateSteps) {
      const check = spyOn(step, "check").mockImplementation((_session, command) => {
        if (command.name !== inHand) return;
        asked.push(step.name);
        if (step.name === refusing) throw new CommandError("STEP", step.name);
      });
      spies.push(check);
    }
  });

  afterEach(() => {
    for (const spy of spies.splice(0)) spy.mockRestore();
  });

  test("every command is asked the steps of its origin, in their order, and runs once", () => {
    const db = engineWithoutEffects();
    for (const command of commandsOf(db)) {
      send(way, db, command);
      const { name } = command;
      if (way.keepsOut?.(command)) continue;
      const isOwn = NEVER_QUEUED.includes(name);
      const steps = stepsFor(way, command);
      expect({ name, asked: [...asked], ranAs: [...ranAs] }).toEqual({
        name,
        asked: steps.filter((step) => step !== ALONE),
        ranAs: isOwn ? [] : [way.origin],
      });
    }
  });

  test("a step that refuses keeps out those that it applies to, and no other", () => {
    const db = engineWithoutEffects();
    for (const step of gateSteps) {
      if (step.name === ALONE || step.name === TRANSACTION) continue;
      refusing = step.name;
      for (const command of commandsOf(db)) {
        const { name } = command;
        if (NEVER_QUEUED.includes(name) || way.keepsOut?.(command)) continue;
        send(way, db, command);
        const isRefused = stepsFor(way, command).includes(step.name);
        const ran = ranAs.length;
        expect({ step: step.name, name, ran }).toEqual({
          step: step.name,
          name,
          ran: isRefused ? 0 : 1,
        });
      }
    }
  });

  test("what does not go this way does not run", () => {
    const db = engineWithoutEffects();
    for (const command of commandsOf(db)) {
      if (!way.keepsOut?.(command) || NEVER_QUEUED.includes(command.name)) continue;
      send(way, db, command);
      expect({ name: command.name, ran: ranAs.length }).toEqual({ name: command.name, ran: 0 });
    }
  });
});
