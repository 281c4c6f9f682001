/**
 * Functions that a plugin hands to kvdb, as kvdb calls them: listeners, lines of INFO, parameters, timers, what is asked
 * of a client. One that throws is named in the log, and nothing else notices: neither other listeners nor the command that
 * asked. What throws elsewhere, in the plugin's own timers and sockets, comes to uncaught.ts.
 *
 * kvdb's own plugins go without (`plainHooks`): what they throw is a defect of kvdb, which ends the process.
 */
import { CommandError } from "../commands/command-error.ts";
import type { Clock } from "../platform/clock.ts";
import type { Client, Parameter } from "../plugin.ts";
import type { ServerParameter } from "../session/server.ts";
import { type FaultLog, messageOf } from "./fault-log.ts";

export type InfoLines = () => Record<string, string | number>;

export interface Hooks {
  clock(clock: Clock): Clock;
  listener(what: string, listener: () => void): () => void;
  lines(section: string, lines: InfoLines): InfoLines;
  parameter(parameter: Parameter): ServerParameter;
  client(client: Client): Client;
}

export const plainHooks: Hooks = {
  clock: (clock) => clock,
  listener: (_what, listener) => listener,
  lines: (_section, lines) => lines,
  parameter: (parameter) => parameter,
  client: (client) => client,
};

export class GuardedHooks implements Hooks {
  readonly #title: string;
  readonly #faults: FaultLog;

  constructor(plugin: string, faults: FaultLog) {
    this.#title = `plugin "${plugin}"`;
    this.#faults = faults;
  }

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs, run) => clock.after(delayMs, this.listener("a timer", run)),
    };
  }

  listener(what: string, listener: () => void): () => void {
    return () => this.#ask(what, listener, undefined);
  }

  /** An answer of another shape counts as no lines. */
  lines(section: string, lines: InfoLines): InfoLines {
    return () => {
      const what = `the lines for section "${section}" of INFO`;
      const answer: unknown = this.#ask(what, lines, {});
      return typeof answer === "object" && answer !== null ? (answer as ReturnType<InfoLines>) : {};
    };
  }

  parameter(parameter: Parameter): ServerParameter {
    const { name } = parameter;
    const guarded = { name, get: () => this.#read(parameter) };
    if (parameter.set === undefined) return guarded;
    const { apply } = parameter;
    const guardedSet = { ...guarded, set: (value: string) => this.#set(parameter, value) };
    return apply === undefined ? guardedSet : { ...guardedSet, apply };
  }

  #read(parameter: Parameter): string | undefined {
    const what = `get of the parameter "${parameter.name}"`;
    const value: unknown = this.#ask(what, () => parameter.get(), undefined);
    return value === undefined ? undefined : String(value);
  }

  /** Throws a CommandError, whatever the plugin threw: CONFIG SET then puts back what it has set. */
  #set(parameter: Parameter, value: string): void {
    const what = `${this.#title}: set of the parameter "${parameter.name}"`;
    try {
      const returned: unknown = parameter.set?.(value);
      this.#watch(what, returned);
    } catch (thrown) {
      if (thrown instanceof CommandError) throw thrown;
      this.#faults.report(`${what} threw`, thrown);
      throw new CommandError("ERR", `${what} threw: ${messageOf(thrown)}`);
    }
  }

  client(client: Client): Client {
    const bytes = (what: string, ask: () => number) => () => {
      const count = this.#ask(what, ask, 0);
      return Number.isFinite(count) ? count : 0;
    };
    return {
      address: String(client.address),
      localAddress: String(client.localAddress),
      ...(client.trusted === true ? { trusted: true } : {}),
      inputBytes: bytes("inputBytes of a client", () => client.inputBytes()),
      outputBytes: bytes("outputBytes of a client", () => client.outputBytes()),
      get inputCount() {
        return Number(client.inputCount ?? 0);
      },
      close: (when) => this.#ask("close of a client", () => client.close(when), undefined),
      ...(client.replyReady === undefined ? {} : { replyReady: this.#replyReady(client) }),
      ...(client.push === undefined ? {} : { push: this.#push(client) }),
      ...(client.beginStream === undefined ? {} : { beginStream: this.#beginStream(client) }),
    };
  }

  #replyReady(client: Client): () => void {
    return this.listener("replyReady of a client", () => client.replyReady?.());
  }

  #push(client: Client): NonNullable<Client["push"]> {
    return (write, hold) =>
      this.#ask("push of a client", () => client.push?.(write, hold), undefined);
  }

  #beginStream(client: Client): NonNullable<Client["beginStream"]> {
    return (onSent) => {
      const send = this.#ask(
        "beginStream of a client",
        () => client.beginStream?.(onSent),
        undefined,
      );
      return (bytes, start, end) =>
        this.#ask("what beginStream answered", () => send?.(bytes, start, end), undefined);
    };
  }

  #ask<Value>(what: string, ask: () => Value, otherwise: Value): Value {
    try {
      const value = ask();
      this.#watch(`${this.#title}: ${what}`, value);
      return value;
    } catch (thrown) {
      this.#faults.report(`${this.#title}: ${what} threw`, thrown);
      return otherwise;
    }
  }

  /** Nobody waits for a promise here; when it is rejected, that is told. */
  #watch(what: string, returned: unknown): void {
    if (!(returned instanceof Promise)) return;
    returned.then(undefined, (reason) => this.#faults.report(`${what} was rejected`, reason));
  }
}
