/**
 * All users. A session is one of them by name; what concerns it in the gate are two bits of its own, so that who may do
 * everything, as the default user may at first, is asked nothing:
 *
 *   authenticated   it has given no password, and the default user needs one
 *   permitted       its user may not do everything: each command is judged (permissions.ts)
 *
 * Invariant: the bits of every session follow from its user as it is now; whatever changes a user ends in #follow.
 */

import { isUtf8 } from "node:buffer";
import { CommandError } from "../commands/command-error.ts";
import { DEFAULT_USER } from "../commands/identity.ts";
import { displayName } from "../commands/refusal-words.ts";
import type { Clock } from "../platform/clock.ts";
import type {
  AccountDescription,
  Accounts,
  PermissionRequest,
  Refusal,
} from "../session/accounts.ts";
import type { CommandCatalog } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import { CommandNumbers } from "./command-numbers.ts";
import { Denials } from "./denials.ts";
import { isAmong } from "./password-hash.ts";
import { hasSpaces, type RuleFault } from "./rule-fault.ts";
import { joinSelectors } from "./rule-words.ts";
import { User } from "./user.ts";
import { NO_USER_FILE, readUsers, type UserFile, writeUsers } from "./user-file.ts";

/** As in Redis. */
export const DENIALS_KEPT = 128;

export interface UsersOptions {
  readonly commands: CommandCatalog;
  readonly sessions: ReadonlyMap<number, Session>;
  readonly clock: Clock;
  /** Bits of the steps in `session.gates`. */
  readonly authenticatedBit: number;
  readonly permittedBit: number;
  /** It is in a session while commands are queued, and not while they run. */
  readonly transactionBit: number;
  /** Of the default user; empty: it needs none. */
  readonly password: string;
}

export class Users implements Accounts {
  readonly log: Denials;
  readonly #numbers: CommandNumbers;
  readonly #options: UsersOptions;
  readonly #users = new Map<string, User>();
  /** Stays the same object, whatever becomes of it. */
  readonly #default: User;
  #password: string;
  /** By commands, since the start. */
  #haveChanged = false;
  /** The configuration has rules of the default user, passwords among them perhaps. */
  #isDefaultConfigured = false;
  /** Where LOAD reads and SAVE writes. */
  file: UserFile = NO_USER_FILE;
  /** Whether new users and selectors begin with all channels (acl-pubsub-default). */
  allChannels = false;

  constructor(options: UsersOptions) {
    this.#options = options;
    this.#numbers = new CommandNumbers(options.commands);
    this.log = new Denials({ now: () => options.clock.now(), maxEntries: DENIALS_KEPT });
    this.#password = options.password;
    this.#default = this.#firstDefault();
    this.#users.set(DEFAULT_USER, this.#default);
  }

  /** As it is where nothing says otherwise: all rights, and the configured password. */
  #firstDefault(): User {
    const user = this.#newUser(DEFAULT_USER);
    for (const rule of FULL_RIGHTS) user.apply(rule);
    user.apply(passwordRule(this.#password));
    return user;
  }

  #newUser(name: string): User {
    return new User(name, () => ({ numbers: this.#numbers, allChannels: this.allChannels }));
  }

  // ---- the password of the default user ----

  /** As it was set last; its user may have got others since. Sessions that are in stay in. */
  get password(): string {
    return this.#password;
  }

  set password(password: string) {
    this.#password = password;
    // What stands in the configuration would bring its passwords back.
    this.#haveChanged ||= this.#isDefaultConfigured;
    this.#default.apply("resetpass");
    this.#default.apply(passwordRule(password));
    this.#follow();
  }

  /** `password` is the one that was set last: its user may have got others since. */
  keepPasswords(): () => void {
    const user = this.#default.copy();
    const password = this.#password;
    return () => {
      this.#password = password;
      this.#default.become(user);
      this.#follow();
    };
  }

  get needsPassword(): boolean {
    return !this.#default.needsNoPassword;
  }

  // ---- sessions ----

  logIn(session: Session, name: string, password: Uint8Array, word: string): boolean {
    const user = this.#users.get(name);
    // For an unknown name the same is worked out, so that the time does not tell that it is one.
    const isRight = user === undefined ? isAmong(password, NOBODYS) : user.mayLogIn(password);
    if (isRight && user !== undefined) {
      session.user = name;
      session.hasLoggedIn = true;
      this.#followIn(session);
      return true;
    }
    const object = Buffer.from(word);
    this.log.add(session, { reason: "auth", context: "toplevel", object, user: name });
    return false;
  }

  isAdmitted(session: Session): boolean {
    return (session.gates & this.#options.authenticatedBit) === 0;
  }

  dismiss(session: Session): void {
    session.user = DEFAULT_USER;
    session.hasLoggedIn = this.#isOpen || isOwner(session);
    this.#followIn(session);
  }

  /** Whoever connects is the default user. */
  get #isOpen(): boolean {
    return this.#default.needsNoPassword && this.#default.isEnabled;
  }

  /** Some user has changed: every session is what follows from its own. */
  #follow(): void {
    for (const session of this.#options.sessions.values()) this.#followIn(session);
  }

  #followIn(session: Session): void {
    const { authenticatedBit, permittedBit } = this.#options;
    const user = this.#users.get(session.user);
    const isFree = user?.isUnlimited === true || isOwner(session);
    session.gates &= ~(authenticatedBit | permittedBit);
    if (!session.hasLoggedIn && !this.#isOpen) session.gates |= authenticatedBit;
    if (!isFree) session.gates |= permittedBit;
    session.isRestricted = (session.gates & authenticatedBit) !== 0;
  }

  // ---- permissions ----

  /** Null: the session may. */
  refusalIn(session: Session, request: PermissionRequest): Refusal | null {
    const user = this.#users.get(session.user);
    return user?.refusalOf(request) ?? (user === undefined ? refusedAltogether(request) : null);
  }

  requirePermission(session: Session, request: PermissionRequest): void {
    const refusal = this.refusalIn(session, request);
    if (refusal === null) return;
    const { reason } = refusal;
    const object = objectOf(request, refusal);
    const context = session.transaction === null ? "toplevel" : "multi";
    this.log.add(session, { reason, context, object, user: session.user });
    const isQueued = (session.gates & this.#options.transactionBit) !== 0;
    const text =
      context === "multi" && !isQueued
        ? `${CHANGED_SINCE} ${REASONS[reason]}`
        : REFUSALS[reason](displayName(request.command.name));
    throw new CommandError("NOPERM", text);
  }

  mayReadAllKeys(session: Session, request: PermissionRequest): boolean {
    if ((session.gates & this.#options.permittedBit) === 0) return true;
    return this.#users.get(session.user)?.mayReadAllKeys(request) === true;
  }

  /**
   * Which keys a session may read by a command that finds them itself, asked for each, and with null for all of them; null: all
   * of them. It follows what becomes of the user.
   */
  keyReader(session: Session, name: string): ((key: Buffer | null) => boolean) | null {
    if ((session.gates & this.#options.permittedBit) === 0) return null;
    const command = this.#numbers.named(name);
    return (key) =>
      command !== undefined && this.#users.get(session.user)?.mayReadBy(command, key) === true;
  }

  refusalOf(name: string, request: PermissionRequest): Refusal | null | undefined {
    return this.#users.get(name)?.refusalOf(request);
  }

  /** Commands may have come: of plugins, or of a part of the engine that was made later than this. */
  takeNewCommands(): void {
    const commands = this.#numbers.takeNew();
    if (commands.length === 0) return;
    for (const user of this.#users.values()) user.takeNew(commands);
  }

  // ---- administration ----

  get names(): readonly string[] {
    return [...this.#users.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  get lines(): readonly Buffer[] {
    return this.names.map((name) => (this.#users.get(name) as User).line);
  }

  /**
   * Users as a configuration has them, by name, if commands have changed some and no file has them. The default user is left
   * out while it is as the configuration makes it anyway. Throws a CommandError for what no text can say.
   */
  get changedRules(): Readonly<Record<string, string>> | undefined {
    if (!this.#haveChanged || this.file.path !== "") return undefined;
    const first = this.#firstDefault().rules;
    const told = this.names
      .map((name) => [name, (this.#users.get(name) as User).rules] as const)
      .filter(([name, rules]) => name !== DEFAULT_USER || rules !== first)
      .map(
        ([name, rules]) =>
          [name, name === DEFAULT_USER ? `${FROM_NOTHING} ${rules}` : rules] as const,
      );
    return Object.fromEntries(told.map(([name, rules]) => [name, asText(name, rules)]));
  }

  describe(name: string): AccountDescription | undefined {
    return this.#users.get(name)?.describe();
  }

  set(name: string, rules: readonly string[], caller: Session): void {
    const fault = this.configure(name, rules);
    if (fault === null) {
      this.#haveChanged = true;
      this.#closeSubscribers(caller);
      return;
    }
    const { rule, reason } = fault;
    const isAboutRule = rule !== "" && reason !== unmatched(rule);
    throw refuse(isAboutRule ? `Error in ACL SETUSER modifier '${rule}': ${reason}` : reason);
  }

  /** Makes or changes a user by all the rules or by none. Answers what is wrong; null: nothing. */
  configure(name: string, rules: readonly string[]): UserFault | null {
    this.takeNewCommands();
    if (hasSpaces(name)) {
      return { rule: "", reason: "Usernames can't contain spaces or null characters" };
    }
    const joined = joinSelectors(rules);
    if ("unmatched" in joined) {
      return { rule: joined.unmatched, reason: unmatched(joined.unmatched) };
    }
    const user = this.#users.get(name)?.copy() ?? this.#newUser(name);
    for (const rule of joined) {
      const reason = user.apply(rule);
      if (reason !== null) return { rule, reason };
    }
    const there = this.#users.get(name);
    if (there === undefined) this.#users.set(name, user);
    else there.become(user);
    this.#isDefaultConfigured ||= there === this.#default;
    this.#follow();
    return null;
  }

  remove(names: readonly string[], caller: Session): number {
    if (names.includes(DEFAULT_USER)) throw refuse("The 'default' user cannot be removed");
    const removed = names.filter((name) => this.#users.delete(name));
    this.#haveChanged ||= removed.length > 0;
    this.#closeSessionsOf(removed, caller);
    return removed.length;
  }

  #closeSessionsOf(names: readonly string[], caller: Session | null): void {
    for (const session of this.#options.sessions.values()) {
      if (names.includes(session.user)) close(session, caller);
    }
    this.#follow();
  }

  /** Who hears what it may not hear any more must not go on hearing it. */
  #closeSubscribers(caller: Session | null): void {
    for (const session of this.#options.sessions.values()) {
      const { subscriptions, user } = session;
      if (subscriptions === null || subscriptions.count === 0 || isOwner(session)) continue;
      if (this.#users.get(user)?.allowsSubscriptions(subscriptions) !== true)
        close(session, caller);
    }
  }

  async load(): Promise<void> {
    this.replaceAll(await readUsers(this.file, (name) => this.#newUser(name)));
  }

  /** All users at once; the default user is as the configuration has it where it is not among them. */
  replaceAll(users: ReadonlyMap<string, User>): void {
    this.#default.become(users.get(DEFAULT_USER) ?? this.#firstDefault());
    const gone = [...this.#users.keys()].filter(
      (name) => name !== DEFAULT_USER && !users.has(name),
    );
    for (const name of gone) this.#users.delete(name);
    for (const [name, user] of users) {
      const there = this.#users.get(name);
      if (there === undefined) this.#users.set(name, user);
      else if (there !== this.#default) there.become(user);
    }
    this.#closeSessionsOf(gone, null);
    this.#closeSubscribers(null);
  }

  async save(): Promise<void> {
    await writeUsers(this.file, this.lines);
  }
}

/** The caller gets its reply. */
function close(session: Session, caller: Session | null): void {
  session.client.close(session === caller ? "afterReplies" : "now");
}

/** Whoever holds the data folder is not kept from his data by what he has set for others. */
function isOwner({ user, origin, client }: Session): boolean {
  return user === DEFAULT_USER && (origin !== "client" || client.trusted === true);
}

/** What is wrong with the rules of a user: with one, or, when it is empty, with the name. */
export interface UserFault {
  readonly rule: string;
  readonly reason: RuleFault;
}

/** A configuration is text. */
function asText(name: string, rules: string): string {
  const bytes = Buffer.from(rules, "latin1");
  if (isUtf8(bytes)) return bytes.toString();
  throw refuse(`the rules of user '${name}' are no UTF-8 text: ACL SAVE can keep them`);
}

function unmatched(word: string): RuleFault {
  return `Unmatched parenthesis in acl selector starting at '${word}'.`;
}

function passwordRule(password: string): string {
  return password === "" ? "nopass" : `>${Buffer.from(password).toString("latin1")}`;
}

/** Takes away what the default user begins with, and nothing else than rules say again. */
const FROM_NOTHING = "resetpass resetkeys resetchannels clearselectors";

/** Redis's, of the default user at the start. */
const FULL_RIGHTS = ["+@all", "~*", "&*", "on"];

/** What no password has. */
const NOBODYS = ["".padEnd(64, "-")];

/** Of a command that was refused, what the client is told. */
const REFUSALS = {
  command: (name: string) => `this user has no permissions to run the '${name}' command`,
  key: () => "this user has no permissions to access one of the keys used as arguments",
  channel: () => "this user has no permissions to access one of the channels used as arguments",
} satisfies Record<Refusal["reason"], (name: string) => string>;

/** Of a user that there is not. */
function refusedAltogether({ start }: PermissionRequest): Refusal {
  return { reason: "command", argument: start };
}

/** Of a command that was allowed when it was queued, and is not when it is to run. */
const CHANGED_SINCE =
  "ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason:";
const REASONS = {
  command: "no permission to execute the command or subcommand",
  key: "no permission to touch the specified keys",
  channel: "no permission to access one of the channels used as arguments to the command",
} satisfies Record<Refusal["reason"], string>;

function objectOf({ command, args }: PermissionRequest, { reason, argument }: Refusal): Buffer {
  if (reason === "command") return Buffer.from(displayName(command.name));
  return args.buffer.subarray(args.start[argument], args.end[argument]);
}

function refuse(text: string): CommandError {
  return new CommandError("ERR", text);
}
