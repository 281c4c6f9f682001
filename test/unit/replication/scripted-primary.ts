// A primary whose words a test writes, at the other end of a link without a network.
import type {
  ConnectPrimary,
  PrimarySocketEvents,
} from "../../../src/replication/primary-socket.ts";

export class ScriptedPrimary {
  /** What the replica has sent since it was last taken. */
  #received = "";
  events: PrimarySocketEvents | undefined;
  isPaused = false;
  isClosed = false;
  connections = 0;
  /** Why it cannot be reached. */
  refusal: Error | undefined;
  #waiting: string[] = [];

  readonly connect: ConnectPrimary = async (_address, _tls, events) => {
    if (this.refusal !== undefined) throw this.refusal;
    this.connections++;
    this.events = events;
    this.isPaused = false;
    this.isClosed = false;
    this.#received = "";
    return {
      ...{ address: "10.0.0.1:6379", localAddress: "10.0.0.2:5000" },
      write: (bytes) => {
        this.#received += bytes.toString("latin1");
      },
      pause: () => {
        this.isPaused = true;
      },
      resume: () => {
        this.isPaused = false;
        this.#flush();
      },
      close: () => {
        this.isClosed = true;
        this.#waiting = [];
      },
    };
  };

  /** The commands that have come, words between spaces; other bytes as they are. */
  take(): string[] {
    const words = this.#received.split("\r\n").filter((line) => !line.startsWith("$"));
    this.#received = "";
    const commands: string[] = [];
    for (const word of words) {
      if (word.startsWith("*")) commands.push("");
      else if (word !== "") commands.push([commands.pop() ?? "", word].join(" ").trim());
    }
    return commands;
  }

  /** In pieces of so many bytes. */
  say(text: string | Buffer, pieceBytes = Number.POSITIVE_INFINITY): void {
    const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : text;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      this.#waiting.push(bytes.toString("latin1", at, Math.min(bytes.length, at + pieceBytes)));
    }
    this.#flush();
  }

  cut(reason = "it closed the connection"): void {
    this.isClosed = true;
    this.events?.closed(reason);
  }

  #flush(): void {
    while (!this.isPaused && !this.isClosed) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.events?.data(Buffer.from(next, "latin1"));
    }
  }
}

/** Everything that was begun and needs no time is over. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
