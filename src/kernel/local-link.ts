/**
 * A link to the engine of this process. `run` answers at once, within the turn; `ask` also runs commands
 * that answer later, one after the other. What they show may not be durable yet, and `settled` tells when
 * it is. `call` is `ask` and that.
 */
import { AnswerRecorder } from "../client/answer-recorder.ts";
import type { Link, LinkClient, Part } from "../client/link.ts";
import { Arguments } from "../commands/arguments.ts";
import { notDurable } from "../commands/not-durable.ts";
import type { Reply } from "../commands/reply.ts";
import { KvdbError } from "../errors.ts";
import { MAX_BULK_BYTES } from "../limits.ts";
import type { Client, Revision, WriteReply } from "../plugin.ts";
import type { Answer } from "../resp/answer.ts";
import type { Origin, Session } from "../session/session.ts";
import type { RunCommand } from "../transaction/transactions.ts";
import type { Engine } from "./engine-port.ts";

/** What must be durable before an answer may be shown. */
export interface Wait {
  /** 0: nothing. */
  readonly revision: Revision;
  /** The answer is to a change, and not only to a look at one. */
  readonly isChange: boolean;
}

/** An answer, perhaps before it may be shown. */
export interface EarlyAnswer {
  readonly answer: Answer;
  readonly wait: Wait;
}

/** A command that runs when the one before it has answered. */
interface Asked {
  readonly parts: readonly Part[];
  readonly answer: PromiseWithResolvers<EarlyAnswer>;
}

/** A message that waits for the end of the command in hand, and until it may be shown. */
interface HeldMessage {
  readonly message: Answer;
  readonly hold: Revision;
}

interface Waiting {
  readonly revision: Revision;
  /** False: the disk refuses. */
  resolve(isDurable: boolean): void;
  reject(error: KvdbError): void;
}

export class LocalLink implements Link {
  readonly #engine: Engine;
  readonly #session: Session;
  readonly #args = new Arguments();
  readonly #recorder = new AnswerRecorder();
  /** What the last answer waits for. */
  #hold = 0;
  #isChange = false;
  /** A command of it has changed something since `ready` was asked last. */
  #hasWritten = false;
  /** Called when a turn has ended, and when the link is closed. */
  readonly #turns = new Set<() => void>();
  readonly #waiting = new Set<Waiting>();
  /** The command that answers later, and behind it those that were asked meanwhile. */
  #later: PromiseWithResolvers<EarlyAnswer> | undefined;
  #queue: Asked[] = [];
  #unsubscribe: (() => void) | undefined;
  readonly #client: LinkClient;
  #messages: HeldMessage[] = [];
  #messageBytes = 0;
  #isOpen = true;
  #isRunning = false;

  /** Origin `internal` needs no password: whoever runs kvdb on the data folder itself. */
  constructor(engine: Engine, client: LinkClient, origin: Origin = "client") {
    this.#engine = engine;
    this.#client = client;
    const { address, trusted, onMessage } = client;
    this.#session = engine.connect(
      {
        ...NO_CONNECTION,
        ...{ address, localAddress: address },
        ...(trusted === undefined ? {} : { trusted }),
        outputBytes: () => this.#messageBytes,
        replyReady: () => this.#replyReady(),
        ...(onMessage && { push: (write, hold) => this.#push(write, hold) }),
      },
      origin,
    );
    // As a link through a socket asks for: nobody must notice which of the two he has.
    this.#session.protocol = 3;
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
    return this.#takeRecorded();
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
   * Runs `act`, within this call, as one change: what the commands that it runs have changed becomes one record, or never
   * was when it throws, which is thrown here. Throws a KvdbError COMMAND while a command is running.
   */
  transact<Result>(act: (run: RunCommand) => Result): Result {
    this.#requireIdle();
    if (!this.#isOpen) throw closed();
    this.#isRunning = true;
    try {
      return this.#engine.transact(this.#session, act);
    } finally {
      this.#isRunning = false;
      this.#takeHold();
    }
  }

  /**
   * Runs one command, at once unless an earlier one has not answered, and resolves to its answer:
   * NO_REPLY when it writes none. Rejects as `run` throws, and with UNAVAILABLE when the link is closed
   * before it has answered.
   */
  async ask(parts: readonly Part[]): Promise<EarlyAnswer> {
    requireCommand(parts);
    this.#requireIdle();
    if (!this.#isOpen) throw closed();
    const answer = Promise.withResolvers<EarlyAnswer>();
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
    else answer.resolve(this.#takeAnswer());
  }

  #takeAnswer(): EarlyAnswer {
    return { answer: this.#takeRecorded(), wait: this.wait };
  }

  /** Confirmations of subscriptions come as messages, and the last of them is the answer. */
  #takeRecorded(): Answer {
    if (this.#recorder.isEmpty) return NO_REPLY;
    const answers = this.#recorder.takeAll();
    const last = answers.at(-1) as Answer;
    if (last.kind === "push") for (const answer of answers) this.#client.onMessage?.(answer);
    else if (answers.length > 1) throw new Error("a command wrote more than one reply");
    return last;
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

  /** What comes later waits for what its command did, and perhaps for more. */
  #takeHold(): void {
    const session = this.#session;
    if (session.later !== null) return;
    this.#hold = session.hold;
    this.#isChange = session.hasWritten;
    if (this.#isChange) this.#hasWritten = true;
    session.hold = 0;
    session.hasWritten = false;
  }

  /** What the last answer waits for. */
  get wait(): Wait {
    return { revision: this.#hold, isChange: this.#isChange };
  }

  /**
   * Throws while a command of this link runs: a plugin's command that came back by the program's own
   * way would write over the arguments and the answer of the one that is running.
   */
  #requireIdle(): void {
    if (!this.#isRunning) return;
    throw new KvdbError(
      "COMMAND",
      "other commands are running as one: they are called with what their caller was given",
    );
  }

  #replyReady(): void {
    const asked = this.#later;
    this.#later = undefined;
    this.#session.later?.write(this.#recorder);
    if (this.#session.later !== null) {
      // CLIENT PAUSE had it wait, and now it waits by itself.
      this.#later = asked;
      return;
    }
    this.#takeHold();
    asked?.resolve(this.#takeAnswer());
    while (this.#queue.length > 0 && !this.isWaiting) this.#start(this.#queue.shift() as Asked);
  }

  // ---- messages ----

  /** In the middle of somebody's command: who is told may run one of its own, so it waits until that is over. */
  #push(write: WriteReply, hold: Revision): void {
    if (!this.#isOpen) return;
    const recorder = new AnswerRecorder();
    write(recorder);
    const message = recorder.take();
    this.#messages.push({ message, hold });
    this.#messageBytes += sizeOf(message);
    const { hardBytes } = this.#engine.outputLimits.of(this.#session);
    if (hardBytes > 0 && this.#messageBytes >= hardBytes) this.#overflow();
    else if (this.#messages.length === 1) queueMicrotask(() => this.#deliver());
  }

  /** As a server disconnects a client that more waits for than may: here because the disk does not go on. */
  #overflow(): void {
    const error = new KvdbError("UNAVAILABLE", "too many messages wait until they may be shown");
    void this.close();
    this.#client.onLost?.(error);
  }

  /** Messages leave in their order, each when it may be shown. */
  #deliver(): void {
    while (this.#messages.length > 0) {
      const { message, hold } = this.#messages[0] as HeldMessage;
      if (hold > this.#engine.disk.durableRevision) {
        this.#unsubscribe ??= this.#subscribe();
        return;
      }
      this.#messages.shift();
      this.#messageBytes -= sizeOf(message);
      this.#client.onMessage?.(message);
    }
  }

  /**
   * Resolves when an answer, the last one by default, is as durable as promised, and further changes are
   * welcome. Rejects with IO when the disk refuses; a disk that only takes long is waited for.
   */
  async settled({ revision, isChange }: Wait = this.wait): Promise<void> {
    if (await this.#isDurable(revision)) return isChange ? this.#awaitWrites() : undefined;
    const { failure } = this.#engine.disk;
    const reason = failure === null ? "" : ` (${failure.message})`;
    const message = `${notDurable(isChange).message}${reason}`;
    throw new KvdbError("IO", message, { cause: failure });
  }

  /** When the disk refuses, the answer is the error that a client of a server would get. */
  async call(parts: readonly Part[]): Promise<Answer> {
    const { answer, wait } = await this.ask(parts);
    if (await this.#isDurable(wait.revision)) {
      if (wait.isChange) await this.#awaitWrites();
      return answer;
    }
    const { code, message } = notDurable(wait.isChange);
    return { kind: "error", code, text: message };
  }

  /** Whether it is, as soon as that is known. */
  #isDurable(revision: Revision): boolean | Promise<boolean> {
    const { disk } = this.#engine;
    if (revision <= disk.durableRevision) return true;
    if (disk.failure !== null) return false;
    return new Promise((resolve, reject) => {
      this.#waiting.add({ revision, resolve, reject });
      this.#unsubscribe ??= this.#subscribe();
    });
  }

  /**
   * Resolves when a further command may be run: not while so much is unsynced that clients are not read
   * from, nor in a turn that has done enough, nor after a change while none are welcome. Rejects as
   * `settled` does.
   */
  async ready(): Promise<void> {
    const engine = this.#engine;
    const { disk } = engine;
    if (!disk.acceptsInput) {
      await this.settled({ revision: disk.lastRevision, isChange: true });
    }
    while (engine.turnIsFull && this.#isOpen) await this.#turnEnded();
    if (this.#hasWritten) await this.#awaitWrites();
    this.#hasWritten = false;
  }

  /** Whoever has changed something goes on when changes are welcome again. */
  async #awaitWrites(): Promise<void> {
    while (!this.#engine.acceptsWrites && this.#isOpen) await this.#turnEnded();
  }

  #turnEnded(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        unsubscribe();
        this.#turns.delete(done);
        resolve();
      };
      const unsubscribe = this.#engine.onTurnEnd(done);
      this.#turns.add(done);
    });
  }

  /**
   * What waits for durability still gets it when the kernel stops; see `abandon`. A command that has not
   * answered yet is given up, and those behind it never run.
   */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#messages = [];
    this.#messageBytes = 0;
    this.#engine.disconnect(this.#session);
    for (const done of this.#turns) done();
    this.#later?.reject(closed());
    for (const { answer } of this.#queue.splice(0)) answer.reject(closed());
  }

  /** The last flush failed: what still waits will never be durable. */
  abandon(error: KvdbError): void {
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  #subscribe(): () => void {
    const { disk } = this.#engine;
    const unsubscribe = [
      disk.onDurable(() => this.#release()),
      disk.onFailure(() => this.#release()),
    ];
    return () => {
      for (const one of unsubscribe) one();
    };
  }

  #release(): void {
    const { durableRevision, failure } = this.#engine.disk;
    for (const waiting of this.#waiting) {
      const isDurable = waiting.revision <= durableRevision;
      if (!isDurable && failure === null) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(isDurable);
    }
    this.#deliver();
    if (this.#waiting.size > 0 || this.#messages.length > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }
}

/** SHUTDOWN and CLIENT REPLY OFF write nothing when they have done what they were told. */
export const NO_REPLY: Answer = { kind: "status", text: "OK" };

/** Of a message, which is made of strings and small numbers. */
function sizeOf(message: Answer): number {
  if (message.kind === "status") return message.text.length + 64;
  const items = "items" in message ? message.items : [];
  return items.reduce((sum, item) => sum + (item.kind === "bulk" ? item.bytes.length : 8), 64);
}

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
const NO_CONNECTION: Pick<Client, "inputBytes" | "close"> = {
  inputBytes: () => 0,
  close: () => {},
};

function closed(): KvdbError {
  return new KvdbError("UNAVAILABLE", "the data is closed");
}
