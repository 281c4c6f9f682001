/**
 * The host of a frontend in tests: a real engine, with the context that the kernel makes of it, and
 * an account of what a frontend took from it and has not given back. Time is the system's, for
 * sockets keep no other; the disk syncs at once, or when the test says so (`persistence.holdsSyncs`).
 */
import { frontendContext } from "../../src/kernel/context.ts";
import { Engine } from "../../src/kernel/engine.ts";
import { type Clock, systemClock, type Timer } from "../../src/platform/clock.ts";
import { systemFiles } from "../../src/platform/files.ts";
import { silentLog } from "../../src/platform/log.ts";
import { seededRandom } from "../../src/platform/random.ts";
import type { FrontendContext, LoadReport } from "../../src/plugin.ts";
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
    this.engine.finishLoading(this.persistence, NOTHING_LOADED);
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
      onDurable: (listener) =>
        this.#called("onDurable", () => this.#lend("onDurable", context.onDurable(listener))),
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

const NOTHING_LOADED: LoadReport = {
  records: 0,
  bytes: 0,
  lastRevision: 0,
  clean: true,
  dropped: [],
};
