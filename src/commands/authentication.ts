/**
 * AUTH and HELLO: who speaks, and in which protocol. Where the user `default` needs no password, it may give any in the
 * form with a user, as in Redis.
 */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import { setClientName } from "./client-name.ts";
import type { Command } from "./command.ts";
import { CommandError, shownArgument, syntaxError } from "./command-error.ts";
import { DEFAULT_USER, REDIS_VERSION, SERVER_MODE, SERVER_NAME } from "./identity.ts";
import type { Reply } from "./reply.ts";

function authenticate(session: Session, args: Arguments, reply: Reply): void {
  if (args.count > 3) throw syntaxError();
  if (args.count === 2 && !session.server.accounts.needsPassword) {
    throw new CommandError(
      "ERR",
      "AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
    );
  }
  const user = args.count === 2 ? DEFAULT_USER : args.text(1);
  logIn(session, args, user, args.count - 1);
  reply.ok();
}

/** Throws WRONGPASS, with the same text whether the user or the password is wrong. */
function logIn(session: Session, args: Arguments, user: string, password: number): void {
  const { accounts } = session.server;
  if (accounts.logIn(session, user, args.bytes(password), args.latin(0))) return;
  throw new CommandError("WRONGPASS", "invalid username-password pair or user is disabled.");
}

function hello(session: Session, args: Arguments, reply: Reply): void {
  const protocol = args.count === 1 ? session.protocol : requestedProtocol(args);
  takeHelloOptions(session, args);
  if (!session.server.accounts.isAdmitted(session)) {
    throw new CommandError(
      "NOAUTH",
      "HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
    );
  }
  session.protocol = protocol;
  session.server.pubsub.noteProtocol(session);
  answerHello(session, reply);
}

function requestedProtocol(args: Arguments): 2 | 3 {
  const version = args.integer(1);
  if (Number.isNaN(version)) {
    throw new CommandError("ERR", "Protocol version is not an integer or out of range");
  }
  if (version !== 2 && version !== 3) {
    throw new CommandError("NOPROTO", "unsupported protocol version");
  }
  return version;
}

/** Each option takes effect at once, also when a later one is refused. */
function takeHelloOptions(session: Session, args: Arguments): void {
  let i = 2;
  while (i < args.count) {
    const following = args.count - 1 - i;
    if (args.is(i, "AUTH") && following >= 2) {
      logIn(session, args, args.text(i + 1), i + 2);
      i += 3;
    } else if (args.is(i, "SETNAME") && following >= 1) {
      setClientName(session, args, i + 1);
      i += 2;
    } else
      throw new CommandError("ERR", `Syntax error in HELLO option '${shownArgument(args, i)}'`);
  }
}

function answerHello(session: Session, reply: Reply): void {
  reply.map(7);
  reply.text("server");
  reply.text(SERVER_NAME);
  reply.text("version");
  reply.text(REDIS_VERSION);
  reply.text("proto");
  reply.integer(session.protocol);
  reply.text("id");
  reply.integer(session.id);
  reply.text("mode");
  reply.text(SERVER_MODE);
  reply.text("role");
  reply.text(session.server.replication.role === "master" ? "master" : "replica");
  reply.text("modules");
  reply.array(0);
}

export const authenticationCommands: readonly Command[] = [
  {
    name: "AUTH",
    arity: -2,
    flags: ["noscript", "loading", "stale", "fast", "noauth", "allow_busy"],
    group: "connection",
    since: "1.0.0",
    summary: "Gives the password.",
    syntax: "[username] password",
    run: authenticate,
  },
  {
    name: "HELLO",
    arity: -1,
    flags: ["noscript", "loading", "stale", "fast", "noauth", "allow_busy"],
    group: "connection",
    since: "6.0.0",
    summary: "Chooses the protocol, gives the password, tells about the server.",
    syntax: "[protover [AUTH username password] [SETNAME clientname]]",
    run: hello,
  },
];
