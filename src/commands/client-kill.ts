/**
 * CLIENT KILL: closes the connections that every given filter fits. The old form names one address, may mean the caller
 * and answers OK; the new form counts. Whoever kills itself still gets the reply.
 */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import { type ClientType, connections, readClientType, typeOfClient } from "./client-list.ts";
import { CommandError, shownArgument, syntaxError } from "./command-error.ts";
import type { Reply } from "./reply.ts";

/** What a connection must be; null: anything. */
interface Filter {
  id: number | null;
  address: string | null;
  localAddress: string | null;
  type: ClientType | null;
  user: string | null;
  skipsCaller: boolean;
}

export function clientKill(session: Session, args: Arguments, reply: Reply): void {
  const isOldForm = args.count === 3;
  const filter = isOldForm ? oldForm(args) : newForm(session, args);
  const doomed = connections(session.server).filter((one) => fits(one, filter, session));
  if (isOldForm && doomed.length === 0) throw new CommandError("ERR", "No such client");
  if (isOldForm) reply.ok();
  else reply.integer(doomed.length);
  for (const one of doomed) one.client.close(one === session ? "afterReplies" : "now");
}

const ANYTHING: Filter = {
  id: null,
  address: null,
  localAddress: null,
  type: null,
  user: null,
  skipsCaller: true,
};

function oldForm(args: Arguments): Filter {
  return { ...ANYTHING, address: args.latin(2), skipsCaller: false };
}

function newForm(session: Session, args: Arguments): Filter {
  const filter: Filter = { ...ANYTHING };
  for (let i = 2; i < args.count; i += 2) {
    if (i + 1 === args.count) throw syntaxError();
    if (args.is(i, "ID")) filter.id = readId(args, i + 1);
    else if (args.is(i, "TYPE")) filter.type = readClientType(args, i + 1);
    else if (args.is(i, "ADDR")) filter.address = args.latin(i + 1);
    else if (args.is(i, "LADDR")) filter.localAddress = args.latin(i + 1);
    else if (args.is(i, "USER")) filter.user = readUser(session, args, i + 1);
    else if (args.is(i, "SKIPME")) filter.skipsCaller = readYesNo(args, i + 1);
    else throw syntaxError();
  }
  return filter;
}

function readId(args: Arguments, index: number): number {
  const id = args.integer(index);
  if (id >= 1) return id;
  throw new CommandError("ERR", "client-id should be greater than 0");
}

function readUser(session: Session, args: Arguments, index: number): string {
  const user = args.text(index);
  if (session.server.accounts.describe(user) !== undefined) return user;
  throw new CommandError("ERR", `No such user '${shownArgument(args, index)}'`);
}

function readYesNo(args: Arguments, index: number): boolean {
  if (args.is(index, "YES")) return true;
  if (args.is(index, "NO")) return false;
  throw syntaxError();
}

function fits(one: Session, filter: Filter, caller: Session): boolean {
  if (filter.address !== null && one.client.address !== filter.address) return false;
  if (filter.localAddress !== null && one.client.localAddress !== filter.localAddress) return false;
  if (filter.type !== null && typeOfClient(one) !== filter.type) return false;
  if (filter.id !== null && one.id !== filter.id) return false;
  if (filter.user !== null && one.user !== filter.user) return false;
  return one !== caller || !filter.skipsCaller;
}
