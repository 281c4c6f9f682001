/** MONITOR, the command. What it shows is in monitors.ts. */
import type { Command } from "../commands/command.ts";

export const monitorCommands: readonly Command[] = [
  {
    name: "MONITOR",
    arity: 1,
    flags: ["admin", "noscript", "loading", "stale"],
    group: "server",
    since: "1.0.0",
    summary: "Shows each command that runs, to this connection, as it runs.",
    syntax: "",
    run: (session, _args, reply) => {
      session.server.monitors.add(session);
      reply.ok();
    },
  },
];
