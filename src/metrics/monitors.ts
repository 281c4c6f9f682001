/**
 * MONITOR: a line for each command that has run, to every connection that asked for them, in Redis's format:
 *
 *   1339518083.107412 [0 127.0.0.1:60866] "keys" "*"
 *
 * Commands of administrators are not shown, secrets neither, nor what a plugin's command calls. A line is written once for
 * all. While nobody monitors, a command costs one comparison: the gate has no feed then. Who does not read is disconnected as
 * a slow subscriber is (output-limits.ts).
 */
import type { Arguments } from "../commands/arguments.ts";
import type { CommandInfo } from "../commands/command.ts";
import { CommandError } from "../commands/command-error.ts";
import type { Gate } from "../commands/dispatch.ts";
import { REDACTED, redactedArguments } from "../commands/redacted-arguments.ts";
import type { Clock } from "../platform/clock.ts";
import type { Session } from "../session/session.ts";

export class Monitors {
  readonly #gate: Gate;
  readonly #clock: Clock;
  readonly #sessions = new Set<Session>();

  constructor(gate: Gate, clock: Clock) {
    this.#gate = gate;
    this.#clock = clock;
  }

  add(session: Session): void {
    if (session.client.push === undefined) {
      throw new CommandError("ERR", "MONITOR needs a connection that takes messages");
    }
    session.isMonitor = true;
    this.#sessions.add(session);
    this.#gate.monitor = this;
  }

  /** Harmless for one that does not monitor. */
  remove(session: Session): void {
    session.isMonitor = false;
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#gate.monitor = null;
  }

  commandRan(session: Session, command: CommandInfo, args: Arguments): void {
    if (command.flags.includes("admin") || session.origin === "replay") return;
    const line = this.#line(session, command.name, args);
    for (const { client } of this.#sessions) client.push?.((reply) => reply.status(line), 0);
  }

  #line(session: Session, name: string, args: Arguments): string {
    const nowMs = this.#clock.now();
    const micros = String((nowMs % 1000) * 1000).padStart(6, "0");
    const redacted = redactedArguments(name, args);
    const words = Array.from({ length: args.count }, (_, index) =>
      quoted(redacted.has(index) ? REDACTED : args.latin(index)),
    );
    const place = `${session.database.index} ${placeOf(session)}`;
    return `${Math.floor(nowMs / 1000)}.${micros} [${place}] ${words.join(" ")}`;
  }
}

/** `unix:` and the path for a socket of the file system. */
function placeOf({ client: { address } }: Session): string {
  return address.startsWith("/") ? `unix:${address.replace(/:0$/, "")}` : address;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\u0007": "\\a",
  "\b": "\\b",
};

/** Bytes as characters U+0000 to U+00FF, as C would write them. */
function quoted(text: string): string {
  const escaped = text.replace(
    /[^ !#-[\]-~]/g,
    (character) => ESCAPES[character] ?? hex(character),
  );
  return `"${escaped}"`;
}

function hex(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
