/**
 * The host of a frontend in tests: a real engine, with the context that the kernel makes of it, and
 * an account of what a frontend took from it and has not given back. Time is the system's, for
 * sockets keep no other; the disk syncs at once, or when the test says so (`persistence.holdsSyncs`).
 */
import { Arguments } from "../../src/commands/arguments.ts";
import type { CommandFlag } from "../../src/commands/command.ts";
import type { TableEntry } from "../../src/commands/table.ts";
import { frontendContext } from "../../src/kernel/context.ts";
import { Engine } from "../../src/kernel/engine.ts";
import { type Clock, systemClock, type Timer } from "../../src/platform/clock.ts";
import { systemFiles } from "../../src/platform/files.ts";
import { silentLog } from "../../src/platform/log.ts";
import { seededRandom } from "../../src/platform/random.ts";
import type { FrontendContext, LaterReply, LoadReport, Reply } from "../../src/plugin.ts";
import { RecordingPersistence } from "./recording-persistence.ts";
import { createTestHost } from "./test-host.ts";

export interface HostOptions {
  /** Empty: none. */
  readonly password?: string;
  /** Begins in the loading state; `finishLoading` ends it. */
  readonly loading?: boolean;
  /** Called before each call of the frontend to its host, with its name; may throw. */
  readonly onCall?: (name: string) => void;
}

/** Commands that answer when the test says so. */
export interface LateCommands {
  /** How many wait. */
  readonly waiting: number;
  /** How many were told that nobody waits for them any more. */
  readonly abandoned: number;
  /** Those that wait answer. */
  answer(): void;
}

export class FrontendHost {
  readonly engine: Engine;
  readonly persistence = new RecordingPersistence("always");
  readonly context: FrontendContext;
  readonly #held = new Set<{ readonly name: string }>();
  readonly #onCall: (name: string) => void;

  constructor(options: HostOptions = {}) {
    this.#onCall = options.onCall ?? (() => {});
    this.engine = new Engine({
      databases: 16,
      password: options.password ?? "",
      maxMemoryBytes: 0,
      clock: systemClock,
      random: seededRandom(1),
      log: silentLog,
    });
    const host = createTestHost({
      ...{ engine: this.engine, clock: this.#observedClock() },
      files: systemFiles, // sockets are files of the system
    });
    this.context = this.#observed(frontendContext(host, "frontend-under-test"));
    if (options.loading !== true) this.finishLoading();
  }

  finishLoading(): void {
    this.engine.beginRecording(this.persistence, NOTHING_LOADED);
    this.engine.finishLoading();
  }

  /** From now on every command that reads this key answers later. */
  answerLater(key: string): LateCommands {
    const waiting = new Map<LaterReply, (reply: Reply) => void>();
    let abandoned = 0;
    const wait = (later: LaterReply, write: (reply: Reply) => void) => {
      waiting.set(later, write);
      later.onAbandoned = () => {
        waiting.delete(later);
        abandoned++;
      };
    };
    for (const entry of this.engine.commands.entries()) {
      if (entry.command.flags.includes("readonly")) delay(entry, key, wait);
    }
    return {
      get waiting() {
        return waiting.size;
      },
      get abandoned() {
        return abandoned;
      },
      answer() {
        for (const [later, write] of waiting) later.settle(write);
        waiting.clear();
      },
    };
  }

  /** What a frontend has now of its host: subscriptions, timers, sessions. */
  held(): string[] {
    const sessions = [...this.engine.sessions.values()].map(({ id }) => `session ${id}`);
    return [...[...this.#held].map(({ name }) => name), ...sessions];
  }

  get sessionCount(): number {
    return this.engine.sessions.size;
  }

  /** Commands that were run for clients so far. */
  get commandCount(): number {
    return this.engine.commandsProcessed;
  }

  /** Bytes that wait, as the frontend tells them of its clients. */
  waitingBytes(): { input: number; output: number } {
    const clients = [...this.engine.sessions.values()].map(({ client }) => client);
    return {
      input: clients.reduce((sum, client) => sum + client.inputBytes(), 0),
      output: clients.reduce((sum, client) => sum + client.outputBytes(), 0),
    };
  }

  /** The context with its methods watched; its getters stay getters. */
  #observed(context: FrontendContext): FrontendContext {
    const observed: FrontendContext = {
      ...context,
      connect: (client) => this.#called("connect", () => context.connect(client)),
      openLink: (client) => this.#called("openLink", () => context.openLink(client)),
      addParameter: (parameter) =>
        this.#called("addParameter", () => context.addParameter(parameter)),
      addInfo: (section, lines) => this.#called("addInfo", () => context.addInfo(section, lines)),
      onReload: (listener) =>
        this.#called("onReload", () => this.#lend("onReload", context.onReload(listener))),
      onDurable: (listener) =>
        this.#called("onDurable", () => this.#lend("onDurable", context.onDurable(listener))),
      onDiskFailure: (listener) =>
        this.#called("onDiskFailure", () =>
          this.#lend("onDiskFailure", context.onDiskFailure(listener)),
        ),
      onTurnEnd: (listener) =>
        this.#called("onTurnEnd", () => this.#lend("onTurnEnd", context.onTurnEnd(listener))),
    };
    const descriptors = Object.entries(Object.getOwnPropertyDescriptors(context));
    const getters = descriptors.filter(([, { get }]) => get !== undefined);
    return Object.defineProperties(observed, Object.fromEntries(getters));
  }

  #observedClock(): Clock {
    return {
      ...systemClock,
      after: (delayMs, run) => this.#called("clock.after", () => this.#lendTimer(delayMs, run)),
    };
  }

  #lendTimer(delayMs: number, run: () => void): Timer {
    const loan = { name: "a timer" };
    this.#held.add(loan);
    const timer = systemClock.after(delayMs, () => {
      this.#held.delete(loan);
      run();
    });
    return {
      cancel: () => {
        this.#held.delete(loan);
        timer.cancel();
      },
    };
  }

  #lend(name: string, giveBack: () => void): () => void {
    const loan = { name };
    this.#held.add(loan);
    return () => {
      this.#held.delete(loan);
      giveBack();
    };
  }

  #called<Result>(name: string, run: () => Result): Result {
    this.#onCall(name);
    return run();
  }
}

type Run = NonNullable<TableEntry["run"]>;

/** The command as it is, but later, when it is for this key. */
function delay(
  entry: TableEntry,
  key: string,
  wait: (later: LaterReply, write: (reply: Reply) => void) => void,
): void {
  const atOnce = entry.run as Run;
  const run: Run = (session, args, reply) => {
    if (args.count < 2 || args.text(1) !== key) {
      atOnce(session, args, reply);
      return;
    }
    const kept = new Arguments();
    kept.assign(Array.from({ length: args.count }, (_, index) => args.bytes(index)));
    wait(session.answerLater(), (to) => atOnce(session, kept, to));
  };
  const flags: readonly CommandFlag[] = [...entry.command.flags, "blocking"];
  Object.assign(entry, { run, command: { ...entry.command, flags, run } });
}

const NOTHING_LOADED: LoadReport = {
  records: 0,
  bytes: 0,
  lastRevision: 0,
  clean: true,
  dropped: [],
};
