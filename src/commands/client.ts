/**
 * CLIENT: what a connection says and asks about itself, and may do to others. The lines of CLIENT LIST are made in
 * client-list.ts, CLIENT KILL is client-kill.ts.
 */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import { clientKill } from "./client-kill.ts";
import { clientInfo, clientList } from "./client-list.ts";
import { setClientInfo, setClientName } from "./client-name.ts";
import { clientPause, clientUnpause } from "./client-pause.ts";
import { clientUnblock } from "./client-unblock.ts";
import type { Command, CommandFlag } from "./command.ts";
import { syntaxError } from "./command-error.ts";
import { helpSubcommand } from "./container-help.ts";
import type { Reply } from "./reply.ts";

function getName(session: Session, _args: Arguments, reply: Reply): void {
  if (session.name === "") reply.null();
  else reply.text(session.name);
}

function setName(session: Session, args: Arguments, reply: Reply): void {
  setClientName(session, args, 2);
  reply.ok();
}

/** OFF and SKIP have no reply themselves; SKIP says nothing while replies are off. */
function setReplyMode(session: Session, args: Arguments, reply: Reply): void {
  if (args.is(2, "ON")) {
    session.replyMode = "on";
    reply.ok();
  } else if (args.is(2, "OFF")) session.replyMode = "off";
  else if (!args.is(2, "SKIP")) throw syntaxError();
  else if (session.replyMode !== "off") session.replyMode = "skipNext";
}

function readOnOff(args: Arguments): boolean {
  if (args.is(2, "ON")) return true;
  if (args.is(2, "OFF")) return false;
  throw syntaxError();
}

function setNoEvict(session: Session, args: Arguments, reply: Reply): void {
  session.noEvict = readOnOff(args);
  reply.ok();
}

function setNoTouch(session: Session, args: Arguments, reply: Reply): void {
  session.server.untouched.set(session, readOnOff(args));
  reply.ok();
}

const OWN: readonly CommandFlag[] = ["noscript", "loading", "stale"];
const ADMIN: readonly CommandFlag[] = ["admin", "noscript", "loading", "stale"];
const FILTERS =
  "[ID client-id] | [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] | [USER username] | [ADDR ip:port] | [LADDR ip:port] | [SKIPME <YES | NO>]";

export const clientCommands: readonly Command[] = [
  {
    name: "CLIENT",
    arity: -2,
    flags: [],
    group: "connection",
    since: "2.4.0",
    summary: "A container for commands about connections.",
    syntax: "",
  },
  helpSubcommand("CLIENT", "connection", "5.0.0"),
  {
    name: "CLIENT|GETNAME",
    arity: 2,
    flags: OWN,
    group: "connection",
    since: "2.6.9",
    summary: "Returns the name of the connection.",
    syntax: "",
    run: getName,
  },
  {
    name: "CLIENT|ID",
    arity: 2,
    flags: OWN,
    group: "connection",
    since: "5.0.0",
    summary: "Returns the number of the connection.",
    syntax: "",
    run: (session, _args, reply) => reply.integer(session.id),
  },
  {
    name: "CLIENT|INFO",
    arity: 2,
    flags: OWN,
    group: "connection",
    since: "6.2.0",
    summary: "Returns the connection's own line of CLIENT LIST.",
    syntax: "",
    run: clientInfo,
  },
  {
    name: "CLIENT|KILL",
    arity: -3,
    flags: ADMIN,
    group: "connection",
    since: "2.4.0",
    summary: "Closes the connections that fit every filter.",
    syntax: `<ip:port | <${FILTERS} [${FILTERS} ...]>>`,
    run: clientKill,
  },
  {
    name: "CLIENT|LIST",
    arity: -2,
    flags: ADMIN,
    group: "connection",
    since: "2.4.0",
    summary: "Returns a line about each connection.",
    syntax: "[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]",
    run: clientList,
  },
  {
    name: "CLIENT|NO-EVICT",
    arity: 3,
    flags: ADMIN,
    group: "connection",
    since: "7.0.0",
    summary: "Keeps the connection open when memory for clients runs out.",
    syntax: "<ON | OFF>",
    run: setNoEvict,
  },
  {
    name: "CLIENT|NO-TOUCH",
    arity: 3,
    flags: OWN,
    group: "connection",
    since: "7.2.0",
    summary: "Lets the connection's reads leave the time of last use alone.",
    syntax: "<ON | OFF>",
    run: setNoTouch,
  },
  {
    name: "CLIENT|PAUSE",
    arity: -3,
    flags: ADMIN,
    group: "connection",
    since: "2.9.50",
    summary: "Lets the commands of clients wait, all of them or those that write.",
    syntax: "timeout [WRITE | ALL]",
    run: clientPause,
  },
  {
    name: "CLIENT|REPLY",
    arity: 3,
    flags: OWN,
    group: "connection",
    since: "3.2.0",
    summary: "Turns replies to the connection on, off, or off for one command.",
    syntax: "<ON | OFF | SKIP>",
    run: setReplyMode,
  },
  {
    name: "CLIENT|SETINFO",
    arity: 4,
    flags: OWN,
    group: "connection",
    since: "7.2.0",
    summary: "Tells the name or the version of the client's library.",
    syntax: "<LIB-NAME libname | LIB-VER libver>",
    run: setClientInfo,
  },
  {
    name: "CLIENT|SETNAME",
    arity: 3,
    flags: OWN,
    group: "connection",
    since: "2.6.9",
    summary: "Names the connection.",
    syntax: "connection-name",
    run: setName,
  },
  {
    name: "CLIENT|UNBLOCK",
    arity: -3,
    flags: ADMIN,
    group: "connection",
    since: "5.0.0",
    summary: "Ends the wait of another connection, as when its time is over or with an error.",
    syntax: "client-id [TIMEOUT | ERROR]",
    run: clientUnblock,
  },
  {
    name: "CLIENT|UNPAUSE",
    arity: 2,
    flags: ADMIN,
    group: "connection",
    since: "6.2.0",
    summary: "Ends a pause: the commands that wait run.",
    syntax: "",
    run: clientUnpause,
  },
];
