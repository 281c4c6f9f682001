/**
 * LATENCY: what held commands up (latency-events.ts), and how long each command takes (its histogram in the command table).
 */
import type { Arguments } from "../commands/arguments.ts";
import type { Command, CommandFlag } from "../commands/command.ts";
import { CommandError } from "../commands/command-error.ts";
import { helpSubcommand } from "../commands/container-help.ts";
import { displayName } from "../commands/refusal-words.ts";
import type { Reply } from "../commands/reply.ts";
import type { CommandCatalog, CommandCount, LatencyDistribution } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import type { LatencyEvents } from "./latency-events.ts";
import { latencyGraph } from "./latency-graph.ts";
import { latencyReport } from "./latency-report.ts";

function replyLatest(latency: LatencyEvents, reply: Reply): void {
  const { events } = latency;
  reply.array(events.length);
  for (const event of events) {
    const { time, ms } = latency.samples(event).at(-1) ?? { time: 0, ms: 0 };
    reply.array(4);
    reply.text(event);
    reply.integer(time);
    reply.integer(ms);
    reply.integer(latency.longestMs(event));
  }
}

function replyHistory(latency: LatencyEvents, args: Arguments, reply: Reply): void {
  const samples = latency.samples(args.text(2));
  reply.array(samples.length);
  for (const { time, ms } of samples) {
    reply.array(2);
    reply.integer(time);
    reply.integer(ms);
  }
}

function replyGraph(latency: LatencyEvents, session: Session, args: Arguments, reply: Reply): void {
  const event = args.text(2);
  const samples = latency.samples(event);
  if (samples.length === 0) {
    throw new CommandError("ERR", `No samples available for event '${event}'`);
  }
  const nowMs = session.server.clock.now();
  reply.verbatim(latencyGraph(event, samples, latency.longestMs(event), nowMs), "txt");
}

function reset(latency: LatencyEvents, args: Arguments, reply: Reply): void {
  const named = Array.from({ length: args.count - 2 }, (_, index) => args.text(index + 2));
  const events = named.length > 0 ? named : latency.events;
  reply.integer(events.filter((event) => latency.forget(event)).length);
}

/** Of commands that ran; a container stands for its subcommands, as in Redis. */
function replyHistograms(session: Session, args: Arguments, reply: Reply): void {
  const { commands } = session.server;
  const chosen = args.count === 2 ? [...commands.entries()] : namedEntries(commands, args);
  const found = chosen.filter(({ latencies }) => latencies !== null);
  reply.map(found.length);
  for (const { name, latencies } of found) {
    reply.text(displayName(name));
    replyDistribution(latencies as LatencyDistribution, reply);
  }
}

function namedEntries(commands: CommandCatalog, args: Arguments): CommandCount[] {
  const all = [...commands.entries()];
  const found: CommandCount[] = [];
  for (let i = 2; i < args.count; i++) {
    const name = args.latin(i).toUpperCase();
    const own = all.filter((entry) => entry.name === name && entry.latencies !== null);
    const parts = all.filter((entry) => entry.name.startsWith(`${name}|`));
    found.push(...own, ...parts);
  }
  return found;
}

function replyDistribution(latencies: LatencyDistribution, reply: Reply): void {
  const rows = latencies.byDoubling();
  reply.map(2);
  reply.text("calls");
  reply.integer(latencies.count);
  reply.text("histogram_usec");
  reply.map(rows.length);
  for (const [belowUsec, count] of rows) {
    reply.integer(belowUsec);
    reply.integer(count);
  }
}

const FLAGS: readonly CommandFlag[] = ["admin", "noscript", "loading", "stale"];

export function latencyCommands(latency: LatencyEvents): readonly Command[] {
  return [
    {
      name: "LATENCY",
      arity: -2,
      flags: [],
      group: "server",
      since: "2.8.13",
      summary: "A container for commands about what held commands up.",
      syntax: "",
    },
    {
      name: "LATENCY|DOCTOR",
      arity: 2,
      flags: FLAGS,
      group: "server",
      since: "2.8.13",
      summary: "Says in words what held commands up, and what helps.",
      syntax: "",
      run: (_session, _args, reply) => reply.verbatim(latencyReport(latency), "txt"),
    },
    {
      name: "LATENCY|GRAPH",
      arity: 3,
      flags: FLAGS,
      group: "server",
      since: "2.8.13",
      summary: "Draws the latest durations of an event.",
      syntax: "event",
      run: (session, args, reply) => replyGraph(latency, session, args, reply),
    },
    helpSubcommand("LATENCY", "server", "2.8.13"),
    {
      name: "LATENCY|HISTOGRAM",
      arity: -2,
      flags: FLAGS,
      group: "server",
      since: "7.0.0",
      summary: "Returns how many calls of each command took how long.",
      syntax: "[command [command ...]]",
      run: replyHistograms,
    },
    {
      name: "LATENCY|HISTORY",
      arity: 3,
      flags: FLAGS,
      group: "server",
      since: "2.8.13",
      summary: "Returns the latest durations of an event.",
      syntax: "event",
      run: (_session, args, reply) => replyHistory(latency, args, reply),
    },
    {
      name: "LATENCY|LATEST",
      arity: 2,
      flags: FLAGS,
      group: "server",
      since: "2.8.13",
      summary: "Returns the last and the longest duration of each event.",
      syntax: "",
      run: (_session, _args, reply) => replyLatest(latency, reply),
    },
    {
      name: "LATENCY|RESET",
      arity: -2,
      flags: FLAGS,
      group: "server",
      since: "2.8.13",
      summary: "Forgets events, all of them or the named ones.",
      syntax: "[event [event ...]]",
      run: (_session, args, reply) => reset(latency, args, reply),
    },
  ];
}
