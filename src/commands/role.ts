/** ROLE: whether this server is followed or follows, in Redis's words. */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import type { Reply } from "./reply.ts";

function role(session: Session, _args: Arguments, reply: Reply): void {
  const { primary, stream, replicas } = session.server.replication;
  if (primary !== null) {
    reply.array(5);
    reply.text("slave");
    reply.text(primary.host);
    reply.integer(primary.port);
    reply.text(primary.link);
    reply.integer(primary.link === "connected" ? primary.appliedOffset : -1);
    return;
  }
  // Redis tells of no others: those still get their copy.
  const online = replicas.filter(({ state }) => state === "online");
  reply.array(3);
  reply.text("master");
  reply.integer(stream.offset);
  reply.array(online.length);
  for (const { ip, port, offset } of online) {
    reply.array(3);
    reply.text(ip);
    reply.text(String(port));
    reply.text(String(offset));
  }
}

export const roleCommands: readonly Command[] = [
  {
    name: "ROLE",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast"],
    group: "server",
    since: "2.8.12",
    summary: "Tells whether this server is a primary or a replica, of whom, and how far.",
    syntax: "",
    run: role,
  },
];
