/** What one client has asked for with CLIENT TRACKING. It stays when tracking ends, so that it can begin again. */
import type { Subscriber } from "./topics.ts";

/** A session, as far as tracking concerns it. */
export interface TrackingClient extends Subscriber {
  readonly id: number;
  /** Null: it has never tracked. */
  tracker: Tracker | null;
}

export interface TrackingMode {
  /** Who hears of it in the client's place: the id of another client; 0: nobody. */
  readonly redirection: number;
  readonly isBroadcast: boolean;
  /** Of BCAST, which come to those of before: a character for each byte; `""` is every key. */
  readonly prefixes: readonly string[];
  /** Keys are remembered only when the client says so, or unless it says so, before a command. */
  readonly choice: "optin" | "optout" | "none";
  /** It does not hear of what it changes itself. */
  readonly noLoop: boolean;
}

/** What a prefix takes besides its bytes, more or less: in two tables, with a set of those who asked for it. */
const PREFIX_BYTES = 400;

export class Tracker {
  isOn = false;
  redirection = 0;
  /** The client that it was to be redirected to is gone. */
  isBroken = false;
  isBroadcast = false;
  readonly prefixes = new Set<string>();
  /** What the prefixes take. */
  bytes = 0;
  choice: TrackingMode["choice"] = "none";
  noLoop = false;
  /** CLIENT CACHING has said of the next command that it is the other way round. */
  isExcepted = false;

  begin(mode: TrackingMode): void {
    this.isOn = true;
    this.redirection = mode.redirection;
    this.isBroken = false;
    this.isBroadcast = mode.isBroadcast;
    this.choice = mode.choice;
    this.noLoop = mode.noLoop;
  }

  join(prefix: string): void {
    if (this.prefixes.has(prefix)) return;
    this.prefixes.add(prefix);
    this.bytes += prefix.length + PREFIX_BYTES;
  }

  end(): void {
    this.isOn = false;
    this.redirection = 0;
    this.isBroken = false;
    this.isBroadcast = false;
    this.prefixes.clear();
    this.bytes = 0;
    this.choice = "none";
    this.noLoop = false;
    this.isExcepted = false;
  }

  /** Keys of the command in hand are to be remembered. */
  get remembers(): boolean {
    if (this.isBroadcast) return false;
    return this.choice === "none" || (this.choice === "optin") === this.isExcepted;
  }
}
