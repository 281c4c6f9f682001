/** CLIENT TRACKING and its kin: a client keeps copies of what it has read, and wants to hear when they are void. */
import type { Tracker, TrackingMode } from "../pubsub/tracker.ts";
import type { Tracking } from "../pubsub/tracking.ts";
import type { ServerParameter } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command, CommandFlag } from "./command.ts";
import { CommandError, notAnInteger, syntaxError } from "./command-error.ts";
import { readWholeNumber } from "./parameter-values.ts";
import type { Reply } from "./reply.ts";

function track(session: Session, args: Arguments, reply: Reply): void {
  const mode = readMode(session, args);
  const { tracking } = session.server;
  if (args.is(2, "ON")) {
    requireFitting(session.tracker, mode);
    tracking.begin(session, mode);
  } else if (args.is(2, "OFF")) tracking.end(session);
  else throw syntaxError();
  reply.ok();
}

interface WrittenMode extends TrackingMode {
  readonly hasBothChoices: boolean;
}

function readMode(session: Session, args: Arguments): WrittenMode {
  const prefixes: string[] = [];
  let redirection = 0;
  let [isBroadcast, isOptIn, isOptOut, noLoop] = [false, false, false, false];
  for (let i = 3; i < args.count; i++) {
    const isLast = i === args.count - 1;
    if (args.is(i, "REDIRECT") && !isLast) {
      if (redirection !== 0) {
        throw new CommandError("ERR", "A client can only redirect to a single other client");
      }
      redirection = readRedirection(session, args, ++i);
    } else if (args.is(i, "BCAST")) isBroadcast = true;
    else if (args.is(i, "OPTIN")) isOptIn = true;
    else if (args.is(i, "OPTOUT")) isOptOut = true;
    else if (args.is(i, "NOLOOP")) noLoop = true;
    else if (args.is(i, "PREFIX") && !isLast) prefixes.push(args.latin(++i));
    else throw syntaxError();
  }
  const choice = isOptIn ? "optin" : isOptOut ? "optout" : "none";
  const hasBothChoices = isOptIn && isOptOut;
  return { redirection, isBroadcast, prefixes, choice, noLoop, hasBothChoices };
}

function readRedirection({ server }: Session, args: Arguments, index: number): number {
  const id = args.integer(index);
  if (Number.isNaN(id)) throw notAnInteger();
  if (server.sessions.has(id)) return id;
  throw new CommandError("ERR", "The client ID you want redirect to does not exist");
}

/** What it asks for fits itself, and what it has asked for before. */
function requireFitting(tracker: Tracker | null, mode: WrittenMode): void {
  const { isBroadcast, choice, prefixes, hasBothChoices } = mode;
  if (!isBroadcast && prefixes.length > 0) {
    throw new CommandError("ERR", "PREFIX option requires BCAST mode to be enabled");
  }
  const before = tracker?.isOn === true ? tracker : null;
  if (before !== null && before.isBroadcast !== isBroadcast)
    throw cannotSwitch("BCAST mode on/off");
  if (isBroadcast && choice !== "none") {
    throw new CommandError("ERR", "OPTIN and OPTOUT are not compatible with BCAST");
  }
  if (hasBothChoices) {
    throw new CommandError("ERR", "You can't specify both OPTIN mode and OPTOUT mode");
  }
  const isSwitched = before !== null && before.choice !== "none" && choice !== "none";
  if (isSwitched && before.choice !== choice) throw cannotSwitch("OPTIN/OPTOUT mode");
  requireApart(prefixes, before);
}

function cannotSwitch(what: string): CommandError {
  return new CommandError(
    "ERR",
    `You can't switch ${what} before disabling tracking for this client, and then re-enabling it with a different mode.`,
  );
}

/** A key that begins with two of them would be told twice. */
function requireApart(prefixes: readonly string[], before: Tracker | null): void {
  prefixes.forEach((prefix, index) => {
    for (const other of before?.prefixes ?? []) {
      if (overlap(prefix, other)) throw overlapping(prefix, `an existing prefix '${other}'`);
    }
    for (const other of prefixes.slice(index + 1)) {
      if (overlap(prefix, other)) throw overlapping(prefix, `another provided prefix '${other}'`);
    }
  });
}

function overlap(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one);
}

function overlapping(prefix: string, other: string): CommandError {
  return new CommandError(
    "ERR",
    `Prefix '${prefix}' overlaps with ${other}. Prefixes for a single client must not overlap.`,
  );
}

function setCaching({ tracker }: Session, args: Arguments, reply: Reply): void {
  if (tracker === null || !tracker.isOn) {
    throw new CommandError(
      "ERR",
      "CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
    );
  }
  const isYes = args.is(2, "YES");
  if (!isYes && !args.is(2, "NO")) throw syntaxError();
  if (tracker.choice !== (isYes ? "optin" : "optout")) {
    const [word, mode] = isYes ? ["YES", "OPTIN"] : ["NO", "OPTOUT"];
    const problem = `CLIENT CACHING ${word} is only valid when tracking is enabled in ${mode} mode.`;
    throw new CommandError("ERR", problem);
  }
  tracker.isExcepted = true;
  reply.ok();
}

/** How many keys may be remembered for all clients; 0: any number. */
export function trackingParameter(tracking: Tracking): ServerParameter {
  return {
    name: "tracking-table-max-keys",
    get: () => String(tracking.maxKeys),
    set: (value) => {
      tracking.maxKeys = readWholeNumber(value, 0, Number.MAX_SAFE_INTEGER);
    },
  };
}

/** -1: it does not track; 0: it hears of it itself. */
export function redirectionOf({ tracker }: Session): number {
  return tracker?.isOn === true ? tracker.redirection : -1;
}

function replyTrackingInfo(session: Session, _args: Arguments, reply: Reply): void {
  const { tracker } = session;
  const flags = tracker === null ? ["off"] : flagsOf(tracker);
  const prefixes = [...(tracker?.prefixes ?? [])].sort();
  reply.map(3);
  reply.text("flags");
  reply.set(flags.length);
  for (const flag of flags) reply.text(flag);
  reply.text("redirect");
  reply.integer(redirectionOf(session));
  reply.text("prefixes");
  reply.array(prefixes.length);
  for (const prefix of prefixes) {
    const bytes = Buffer.from(prefix, "latin1");
    reply.bulk(bytes, 0, bytes.length);
  }
}

/** In the order of Redis. */
function flagsOf(tracker: Tracker): string[] {
  if (!tracker.isOn) return ["off"];
  const { isBroadcast, choice, isExcepted, noLoop, isBroken } = tracker;
  const flags = ["on"];
  if (isBroadcast) flags.push("bcast");
  if (choice !== "none") flags.push(choice);
  if (isExcepted) flags.push(choice === "optin" ? "caching-yes" : "caching-no");
  if (noLoop) flags.push("noloop");
  if (isBroken) flags.push("broken_redirect");
  return flags;
}

const OWN: readonly CommandFlag[] = ["noscript", "loading", "stale"];

export const clientTrackingCommands: readonly Command[] = [
  {
    name: "CLIENT|CACHING",
    arity: 3,
    flags: OWN,
    group: "connection",
    since: "6.0.0",
    summary: "Says whether keys of the connection's next command are tracked.",
    syntax: "<YES | NO>",
    run: setCaching,
  },
  {
    name: "CLIENT|GETREDIR",
    arity: 2,
    flags: OWN,
    group: "connection",
    since: "6.0.0",
    summary: "Returns the number of the connection that hears of invalid keys in this one's place.",
    syntax: "",
    run: (session, _args, reply) => reply.integer(redirectionOf(session)),
  },
  {
    name: "CLIENT|TRACKING",
    arity: -3,
    flags: OWN,
    group: "connection",
    since: "6.0.0",
    summary: "Tells the connection when keys change that it has read, or that begin with a prefix.",
    syntax:
      "<ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
    run: track,
  },
  {
    name: "CLIENT|TRACKINGINFO",
    arity: 2,
    flags: OWN,
    group: "connection",
    since: "6.2.0",
    summary: "Returns how keys are tracked for the connection.",
    syntax: "",
    run: replyTrackingInfo,
  },
];
