/**
 * A link to the engine of this process. `run` answers at once, within the turn; what it shows may not
 * be durable yet, and `settled` tells when it is. `call` is both.
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
  #unsubscribe: (() => void) | undefined;
  #isOpen = true;
  #isRunning = false;

  /** Origin `internal` needs no password: whoever runs kvdb on the data folder itself. */
  constructor(engine: Engine, client: LinkClient, origin: Origin = "client") {
    this.#engine = engine;
    this.#session = engine.connect(
      { ...NO_CONNECTION, ...client, localAddress: client.address },
      origin,
    );
  }

  /**
   * Runs one command now. An error reply is an answer. Throws a KvdbError: UNAVAILABLE when the link is
   * closed, USAGE for what is no command.
   */
  run(parts: readonly Part[]): Answer {
    if (parts.length === 0) throw new KvdbError("USAGE", "a command has at least its name");
    if (parts.some(isTooLong)) {
      throw new KvdbError("USAGE", `an argument is longer than ${MAX_BULK_BYTES} bytes`);
    }
    this.requireIdle();
    this.#args.assign(parts);
    this.dispatch(this.#args, this.#recorder);
    return this.#recorder.isEmpty ? NO_REPLY : this.#recorder.take();
  }

  /**
   * Throws while a command of this link runs: a plugin's command that came back by the program's own
   * way would write over the arguments and the answer of the one that is running.
   */
  requireIdle(): void {
    if (!this.#isRunning) return;
    throw new KvdbError(
      "COMMAND",
      "a command of a plugin is running: it calls others with its session",
    );
  }

  /** `run` for who has arguments and a reply of its own. */
  dispatch(args: Arguments, reply: Reply): void {
    if (!this.#isOpen) throw closed();
    const session = this.#session;
    this.#isRunning = true;
    try {
      this.#engine.dispatch(session, args, reply);
    } finally {
      this.#isRunning = false;
    }
    if (session.hold > this.#hold) this.#hold = session.hold;
    session.hold = 0;
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
    const answer = this.run(parts);
    await this.settled();
    return answer;
  }

  /** False while so much is unsynced that no further command should be run: wait for `settled`. */
  get acceptsInput(): boolean {
    return this.#engine.journal.acceptsInput;
  }

  /** What waits for durability still gets it when the kernel stops; see `abandon`. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#engine.disconnect(this.#session);
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
const NO_REPLY: Answer = { kind: "status", text: "OK" };

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
