/**
 * A link to the engine of this process. `run` answers at once, within the turn; `ask` also runs commands
 * that answer later, one after the other. What they show may not be durable yet, and `settled` tells when
 * it is. `call` is `ask` and that.
 */
import { AnswerRecorder } from "../client/answer-recorder.ts";
import type { Link, LinkClient, Part } from "../client/link.ts";
import { Arguments } from "../commands/arguments.ts";
import type { Reply } from "../commands/reply.ts";
import { KvdbError } from "../errors.ts";
import { MAX_BULK_BYTES } from "../limits.ts";
import type { Client } from "../plugin.ts";
import type { Answer } from "../resp/answer.ts";
import type { Origin, Session } from "../session/session.ts";
import type { Engine } from "./engine-port.ts";

/** A command that runs when the one before it has answered. */
interface Asked {
  readonly parts: readonly Part[];
  readonly answer: PromiseWithResolvers<Answer>;
}

interface Waiting {
  readonly revision: number;
  readonly impatient: boolean;
  resolve(): void;
  reject(error: KvdbError): void;
}

export class LocalLink implements Link {
  readonly #engine: Engine;
  readonly #session: Session;
  readonly #args = new Arguments();
  readonly #recorder = new AnswerRecorder();
  /** What the answers so far wait for. */
  #hold = 0;
  readonly #waiting = new Set<Waiting>();
  /** The command that answers later, and behind it those that were asked meanwhile. */
  #later: PromiseWithResolvers<Answer> | undefined;
  #queue: Asked[] = [];
  #unsubscribe: (() => void) | undefined;
  #isOpen = true;
  #isRunning = false;

  /** Origin `internal` needs no password: whoever runs kvdb on the data folder itself. */
  constructor(engine: Engine, client: LinkClient, origin: Origin = "client") {
    this.#engine = engine;
    this.#session = engine.connect(
      {
        ...NO_CONNECTION,
        ...client,
        localAddress: client.address,
        replyReady: () => this.#replyReady(),
      },
      origin,
    );
  }

  /**
   * Runs one command now. An error reply is an answer; one that would answer later answers an error.
   * Throws a KvdbError: UNAVAILABLE when the link is closed, USAGE for what is no command, COMMAND while
   * an earlier command has not answered.
   */
  run(parts: readonly Part[]): Answer {
    requireCommand(parts);
    this.#requireIdle();
    if (this.isWaiting) throw new KvdbError("COMMAND", "an earlier command has not answered yet");
    this.#args.assign(parts);
    this.dispatch(this.#args, this.#recorder);
    return this.#recorder.isEmpty ? NO_REPLY : this.#recorder.take();
  }

  /** `run` for who has arguments and a reply of its own, and runs nothing that answers later. */
  dispatch(args: Arguments, reply: Reply): void {
    this.#session.mayWait = false;
    try {
      this.#dispatch(args, reply);
    } finally {
      this.#session.mayWait = true;
    }
  }

  /**
   * Runs one command, at once unless an earlier one has not answered, and resolves to its answer:
   * NO_REPLY when it writes none. Rejects as `run` throws, and with UNAVAILABLE when the link is closed
   * before it has answered.
   */
  async ask(parts: readonly Part[]): Promise<Answer> {
    requireCommand(parts);
    this.#requireIdle();
    if (!this.#isOpen) throw closed();
    const answer = Promise.withResolvers<Answer>();
    if (this.isWaiting) this.#queue.push({ parts, answer });
    else this.#start({ parts, answer });
    return answer.promise;
  }

  /** A command has not answered yet: what is asked now runs after it. */
  get isWaiting(): boolean {
    return this.#later !== undefined;
  }

  #start({ parts, answer }: Asked): void {
    this.#args.assign(parts);
    this.#dispatch(this.#args, this.#recorder);
    if (this.#session.later !== null) this.#later = answer;
    else answer.resolve(this.#recorder.isEmpty ? NO_REPLY : this.#recorder.take());
  }

  #dispatch(args: Arguments, reply: Reply): void {
    if (!this.#isOpen) throw closed();
    this.#isRunning = true;
    try {
      this.#engine.dispatch(this.#session, args, reply);
    } finally {
      this.#isRunning = false;
    }
    this.#takeHold();
  }

  #takeHold(): void {
    const session = this.#session;
    if (session.hold > this.#hold) this.#hold = session.hold;
    session.hold = 0;
  }

  /**
   * Throws while a command of this link runs: a plugin's command that came back by the program's own
   * way would write over the arguments and the answer of the one that is running.
   */
  #requireIdle(): void {
    if (!this.#isRunning) return;
    throw new KvdbError(
      "COMMAND",
      "a command of a plugin is running: it calls others with its session",
    );
  }

  #replyReady(): void {
    const asked = this.#later;
    this.#later = undefined;
    this.#session.later?.write(this.#recorder);
    this.#takeHold();
    asked?.resolve(this.#recorder.take());
    while (this.#queue.length > 0 && !this.isWaiting) this.#start(this.#queue.shift() as Asked);
  }

  /**
   * Resolves when everything that `run` has shown so far is as durable as promised. While the disk
   * refuses, that waits: the journal tries again until it succeeds. Who ends then instead is `impatient`,
   * and gets an error of code IO.
   */
  settled({ impatient = false } = {}): Promise<void> {
    const { journal } = this.#engine;
    const revision = this.#hold;
    if (revision <= journal.durableRevision) return Promise.resolve();
    if (impatient && journal.failure !== null) return Promise.reject(notDurable(journal.failure));
    return new Promise((resolve, reject) => {
      this.#waiting.add({ revision, impatient, resolve, reject });
      this.#unsubscribe ??= this.#subscribe();
    });
  }

  async call(parts: readonly Part[]): Promise<Answer> {
    const answer = await this.ask(parts);
    await this.settled();
    return answer;
  }

  /** False while so much is unsynced that no further command should be run: wait for `settled`. */
  get acceptsInput(): boolean {
    return this.#engine.journal.acceptsInput;
  }

  /**
   * What waits for durability still gets it when the kernel stops; see `abandon`. A command that has not
   * answered yet is given up, and those behind it never run.
   */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#engine.disconnect(this.#session);
    this.#later?.reject(closed());
    for (const { answer } of this.#queue.splice(0)) answer.reject(closed());
  }

  /** The last flush failed: what still waits will never be durable. */
  abandon(error: KvdbError): void {
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  #subscribe(): () => void {
    const { journal } = this.#engine;
    const unsubscribe = [
      journal.onDurable(() => this.#release()),
      journal.onFailure((failure) => this.#refuse(notDurable(failure))),
    ];
    return () => {
      for (const one of unsubscribe) one();
    };
  }

  #refuse(error: KvdbError): void {
    for (const waiting of this.#waiting) {
      if (!waiting.impatient) continue;
      this.#waiting.delete(waiting);
      waiting.reject(error);
    }
  }

  #release(): void {
    const durable = this.#engine.journal.durableRevision;
    for (const waiting of this.#waiting) {
      if (waiting.revision > durable) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
    if (this.#waiting.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }
}

/** SHUTDOWN and CLIENT REPLY OFF write nothing when they have done what they were told. */
export const NO_REPLY: Answer = { kind: "status", text: "OK" };

function requireCommand(parts: readonly Part[]): void {
  if (parts.length === 0) throw new KvdbError("USAGE", "a command has at least its name");
  if (parts.some(isTooLong)) {
    throw new KvdbError("USAGE", `an argument is longer than ${MAX_BULK_BYTES} bytes`);
  }
}

/** What no client could send, and replay would refuse. A character has at most three bytes a unit. */
function isTooLong(part: Part): boolean {
  if (part.length * 3 <= MAX_BULK_BYTES) return false;
  return (typeof part === "string" ? Buffer.byteLength(part) : part.length) > MAX_BULK_BYTES;
}

/** There is no connection whose bytes could wait. */
const NO_CONNECTION: Omit<Client, "address" | "localAddress"> = {
  inputBytes: () => 0,
  outputBytes: () => 0,
  close: () => {},
};

function notDurable(failure: Error): KvdbError {
  const message = `applied in memory, not durable: ${failure.message}`;
  return new KvdbError("IO", message, { cause: failure });
}

function closed(): KvdbError {
  return new KvdbError("UNAVAILABLE", "the data is closed");
}
