/**
 * The connection itself: PING, ECHO, SELECT, its end and its new beginning. Its hand-shake is in authentication.ts, what
 * it may ask about itself and others in client.ts.
 */
import { isSubscribed } from "../pubsub/pubsub.ts";
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger } from "./command-error.ts";
import type { Reply } from "./reply.ts";

function ping(session: Session, args: Arguments, reply: Reply): void {
  if (args.count > 2) {
    throw new CommandError("ERR", "wrong number of arguments for 'ping' command");
  }
  // In RESP2 it must look like a message to who expects nothing else.
  if (session.protocol === 2 && isSubscribed(session)) {
    reply.array(2);
    reply.text("pong");
    if (args.count === 1) reply.text("");
    else reply.bulk(args.buffer, args.start[1], args.end[1]);
  } else if (args.count === 1) reply.status("PONG");
  else reply.bulk(args.buffer, args.start[1], args.end[1]);
}

function select(session: Session, args: Arguments, reply: Reply): void {
  const index = args.integer(1);
  if (Number.isNaN(index)) throw notAnInteger();
  if (index !== (index | 0)) {
    throw new CommandError(
      "ERR",
      "value is out of range, value must between -2147483648 and 2147483647",
    );
  }
  const database = session.server.keyspace.databases[index];
  if (database === undefined) throw new CommandError("ERR", "DB index is out of range");
  session.database = database;
  reply.ok();
}

function quit(session: Session, _args: Arguments, reply: Reply): void {
  reply.ok();
  session.client.close("afterReplies");
}

/** What CLIENT NO-EVICT, NO-TOUCH and SETINFO said stays, as in Redis: it describes the client, not what it is doing. */
function reset(session: Session, _args: Arguments, reply: Reply): void {
  session.database = session.server.keyspace.databases[0];
  session.protocol = 2;
  session.name = "";
  session.replyMode = "on";
  session.server.transactions.forget(session);
  session.server.monitors.remove(session);
  session.server.accounts.dismiss(session);
  session.server.pubsub.unsubscribeAll(session);
  session.server.tracking.end(session);
  reply.status("RESET");
}

export const connectionCommands: readonly Command[] = [
  {
    name: "ECHO",
    arity: 2,
    flags: ["loading", "stale", "fast"],
    group: "connection",
    since: "1.0.0",
    summary: "Returns the message.",
    syntax: "message",
    run: (_session, args, reply) => reply.bulk(args.buffer, args.start[1], args.end[1]),
  },
  {
    name: "PING",
    arity: -1,
    flags: ["fast"],
    group: "connection",
    since: "1.0.0",
    summary: "Returns PONG, or the message.",
    syntax: "[message]",
    run: ping,
  },
  {
    name: "QUIT",
    arity: -1,
    flags: ["noscript", "loading", "stale", "fast", "noauth", "allow_busy"],
    group: "connection",
    since: "1.0.0",
    summary: "Closes the connection after its replies have left.",
    syntax: "",
    run: quit,
  },
  {
    name: "RESET",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "noauth", "allow_busy"],
    group: "connection",
    since: "6.2.0",
    summary: "Brings the connection back to how a new one begins.",
    syntax: "",
    run: reset,
  },
  {
    name: "SELECT",
    arity: 2,
    flags: ["loading", "stale", "fast"],
    group: "connection",
    since: "1.0.0",
    summary: "Changes the database of the connection.",
    syntax: "index",
    run: select,
  },
];
