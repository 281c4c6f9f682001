/**
 * A frontend as simple as one can be that is right: commands and replies are lines of JSON. It tests
 * the suite and the host; with a defect it shows that the suite finds it. A defect is one line here.
 *
 *   ["SET","key","value"]\n   →   {"value":"OK"}\n
 *   ["GET"]\n                 →   {"error":"ERR"}\n
 */
import { createServer, type Server, type Socket } from "node:net";
import {
  Arguments,
  type Client,
  type CommandError,
  type Frontend,
  type FrontendContext,
  KvdbError,
  notDurable,
  type Session,
} from "../../../src/plugin.ts";
import type { Address } from "../../suites/index.ts";
import { ValueReply } from "../../suites/value-reply.ts";

/** What can be wrong with it, and the test of the suite that must find it. */
export const defects = {
  "listens in the factory": "the factory acquires nothing",
  "cannot be closed unopened": "close works without open",
  "keeps its subscription":
    "close gives back all that open and clients took, and the address can be used again",
  "keeps its port":
    "close gives back all that open and clients took, and the address can be used again",
  "throws what the system threw":
    "an address that is taken: open rejects with UNAVAILABLE, and close gives back the rest",
  "forgets half an open": "whichever call to the host fails in open, close gives back the rest",
  "shares its state": "a second instance stands beside the first, and outlives it",
  "trims texts": "what is written is read: texts and keys of every kind",
  "answers the last who came": "every answer goes to the one who asked",
  "does not wait for the disk":
    "an answer that waits for the disk does not leave before; others do",
  "waits for a disk that refuses":
    "when the disk refuses, what waits for it is an error; the rest is read, and service resumes",
  "hides codes": "LOADING is told while the data is loaded",
  "answers from the end":
    "commands of one client run, and are answered, in the order they were sent",
  "lets answers overtake": "an answer that waits for the disk is not overtaken by later ones",
  "cannot wait": "an answer that comes later is given when it is there; others are not delayed",
  "runs on": "an answer that comes later is not overtaken, and the commands behind it run after it",
  "keeps all":
    "much that comes behind an answer that comes later is neither lost nor kept without bounds",
  "forgets who waits":
    "a client that goes before its answer came: the command is told, the session is gone",
  "trusts everybody": "with a password, who does not give it gets nothing and changes nothing",
  "keeps sessions": "clients that go leave no session behind, also while their answer waits",
  "throws at nonsense": "bytes that are no request hurt nobody else",
  "answers without bounds":
    "a client that does not read is answered within bounds, and delays nobody",
  "tells no output": "a client that does not read is answered within bounds, and delays nobody",
  "tells no input": "the input that waits for its end is told, and forgotten with the client",
  "throws when the host is full":
    "a host without room for a client: he is sent home, the next one is served",
  "does not heed the host": "the host ends a connection: now",
  "does not end after replies": "the host ends a connection: afterReplies",
  "drops replies": "the host ends a connection after its replies: one that waits still leaves",
  "waits for idle clients": "clients that are connected and ask nothing do not delay it",
  "serves on": "lets in nobody afterwards",
  "is rude": "lets an answer leave that waits for the disk",
  "has endless patience":
    "ends at its deadline though an answer still waits, which then never leaves",
  "waits for who does not read": "ends at its deadline though a client does not read",
} as const;

export type Defect = keyof typeof defects;

const MAX_OUTPUT_BYTES = 1024 * 1024;
const MAX_INPUT = 1024 * 1024;
const everybody = new Set<Connection>();

export class NaiveFrontend implements Frontend {
  readonly context: FrontendContext;
  readonly #defect: Defect | undefined;
  readonly #address: Address;
  readonly connections: Set<Connection>;
  readonly #subscriptions: (() => void)[] = [];
  #server: Server | undefined;

  constructor(context: FrontendContext, address: Address, defect?: Defect) {
    this.context = context;
    this.#address = address;
    this.#defect = defect;
    this.connections = this.has("shares its state") ? everybody : new Set();
    if (this.has("listens in the factory")) void this.open();
  }

  has(defect: Defect): boolean {
    return this.#defect === defect;
  }

  async open(): Promise<void> {
    const leave = () => {
      for (const connection of this.connections) connection.leave();
    };
    if (this.has("forgets half an open")) {
      const both = [this.context.onTurnEnd(leave), this.context.onDurable(leave)];
      this.#subscriptions.push(...both);
    } else {
      this.#subscriptions.push(this.context.onTurnEnd(leave));
      this.#subscriptions.push(this.context.onDurable(leave));
    }
    this.#subscriptions.push(this.context.onDiskFailure(leave));
    const server = createServer({ allowHalfOpen: false }, (socket) => this.#accept(socket));
    this.#server = server;
    const place =
      this.#address.on === "unix"
        ? { path: this.#address.path }
        : { host: "127.0.0.1", port: this.#address.port };
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause) => {
        if (this.has("throws what the system threw")) reject(cause);
        else reject(new KvdbError("UNAVAILABLE", `cannot listen: ${cause.message}`, { cause }));
      });
      server.listen(place, resolve);
    });
  }

  #accept(socket: Socket): void {
    try {
      this.connections.add(new Connection(this, socket));
    } catch (error) {
      if (this.has("throws when the host is full")) throw error;
      socket.destroy();
    }
  }

  async close(deadlineMs: number): Promise<void> {
    if (this.has("cannot be closed unopened") && this.#server === undefined) throw new Error("!");
    const { clock } = this.context;
    if (!this.has("keeps its port")) this.#server?.close();
    if (!this.has("waits for idle clients") && !this.has("serves on")) {
      for (const connection of this.connections) connection.close("afterReplies");
    }
    const end = clock.monotonicMs() + (this.has("is rude") ? 0 : deadlineMs);
    const isLate = () =>
      clock.monotonicMs() >= end &&
      !this.has("has endless patience") &&
      !this.has("waits for who does not read");
    while (this.connections.size > 0 && !isLate() && !this.has("serves on")) {
      await new Promise<void>((resolve) => clock.after(2, resolve));
    }
    if (!this.has("serves on")) for (const one of [...this.connections]) one.close("now");
    if (!this.has("keeps its subscription")) for (const end of this.#subscriptions) end();
  }
}

class Connection implements Client {
  readonly address = "client";
  readonly localAddress = "server";
  readonly trusted: boolean;
  readonly #frontend: NaiveFrontend;
  readonly #socket: Socket;
  readonly #session: Session;
  readonly #args = new Arguments();
  readonly #reply = new ValueReply();
  readonly replyReady?: () => void;
  #input = "";
  #waiting: { line: string; readonly revision: number; readonly refusal: CommandError }[] = [];
  #isClosing = false;

  constructor(frontend: NaiveFrontend, socket: Socket) {
    this.#frontend = frontend;
    this.#socket = socket;
    this.trusted = frontend.has("trusts everybody");
    if (!frontend.has("cannot wait")) this.replyReady = () => this.#replyReady();
    this.#session = frontend.context.connect(this);
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.#receive(text));
    socket.on("drain", () => this.#run());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#closed());
  }

  inputBytes(): number {
    return this.#frontend.has("tells no input") ? 0 : this.#input.length;
  }

  outputBytes(): number {
    if (this.#frontend.has("tells no output")) return 0;
    return this.#waiting.reduce((sum, { line }) => sum + line.length, this.#socket.writableLength);
  }

  #receive(text: string): void {
    this.#input += text;
    this.#run();
  }

  /** Runs what is whole, until replies wait: who does not read is not read from. */
  #run(): void {
    const isFull = () =>
      (this.outputBytes() > MAX_OUTPUT_BYTES && !this.#frontend.has("answers without bounds")) ||
      (this.#isWaiting && this.#input.length > MAX_INPUT && !this.#frontend.has("keeps all"));
    while (!isFull() && !this.#isClosing && !this.#isWaiting) {
      const end = this.#input.indexOf("\n");
      if (end < 0) break;
      const line = this.#input.slice(0, end);
      this.#input = this.#input.slice(end + 1);
      this.#command(line);
    }
    if (isFull()) this.#socket.pause();
    else this.#socket.resume();
  }

  #command(line: string): void {
    const words = this.#frontend.has("throws at nonsense") ? JSON.parse(line) : wordsOf(line);
    if (words === undefined) {
      this.close("afterReplies");
      return;
    }
    if (this.#frontend.has("trims texts")) words.push(String(words.pop()).trim());
    this.#args.assign(words);
    this.#frontend.context.dispatch(this.#session, this.#args, this.#reply);
    if (this.#session.later === null) this.#answer();
  }

  get #isWaiting(): boolean {
    return this.#session.later !== null && !this.#frontend.has("runs on");
  }

  #replyReady(): void {
    this.#session.later?.write(this.#reply);
    this.#answer();
    this.#run();
  }

  #answer(): void {
    const { hold, hasWritten } = this.#session;
    Object.assign(this.#session, { hold: 0, hasWritten: false });
    const isHidden = this.#frontend.has("does not wait for the disk");
    const value = this.#reply.take();
    const revision = isHidden ? 0 : hold;
    const refusal = notDurable(hasWritten);
    const reply = { line: `${this.#written(value)}\n`, revision, refusal };
    const others = [...this.#frontend.connections];
    const to = this.#frontend.has("answers the last who came") ? (others.at(-1) ?? this) : this;
    if (this.#frontend.has("answers from the end")) to.#waiting.unshift(reply);
    else to.#waiting.push(reply);
  }

  #written(value: unknown): string {
    const isError = typeof value === "object" && value !== null && "error" in value;
    if (!isError) return JSON.stringify({ value });
    const code = String(value.error).split(" ", 1)[0];
    return JSON.stringify({ error: this.#frontend.has("hides codes") ? "ERR" : code });
  }

  /** What may leave leaves, in order. */
  leave(): void {
    const durable = this.#frontend.context.durableRevision;
    const isRefused =
      this.#frontend.context.diskFailure !== null &&
      !this.#frontend.has("waits for a disk that refuses");
    for (const one of isRefused ? this.#waiting : []) {
      if (one.revision > durable) one.line = `${JSON.stringify({ error: one.refusal.code })}\n`;
    }
    const first = isRefused ? -1 : this.#waiting.findIndex(({ revision }) => revision > durable);
    const count = first < 0 ? this.#waiting.length : first;
    for (const { line } of this.#waiting.splice(0, count)) this.#socket.write(line);
    if (this.#frontend.has("lets answers overtake")) {
      for (const { line } of this.#waiting.filter(({ revision }) => revision <= durable)) {
        this.#socket.write(line);
      }
    }
    this.#endIfDone();
    this.#run();
  }

  close(when: "now" | "afterReplies"): void {
    if (this.#frontend.has("does not heed the host") && !this.#isClosing) return;
    if (this.#frontend.has("does not end after replies") && when === "afterReplies") return;
    this.#isClosing = true;
    if (when === "now" || this.#frontend.has("drops replies")) this.#end();
    else this.#endIfDone();
    this.#frontend.context.endTurnSoon();
  }

  #endIfDone(): void {
    const isDone = this.#waiting.length === 0 && !this.#isWaiting;
    if (this.#isClosing && isDone) this.#socket.destroySoon();
  }

  #end(): void {
    this.#socket.destroy();
    this.#closed();
  }

  #closed(): void {
    this.#isClosing = true;
    this.#frontend.connections.delete(this);
    if (!this.#frontend.has("keeps sessions")) this.#frontend.context.disconnect(this.#session);
  }
}

/** Undefined when the line is no list of words. */
function wordsOf(line: string): string[] | undefined {
  try {
    const words: unknown = JSON.parse(line);
    const isList = Array.isArray(words) && words.length > 0;
    return isList && words.every((word) => typeof word === "string") ? words : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
