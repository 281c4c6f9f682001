/**
 * A user: whether it may log in and with which passwords, and what it may do then. It is changed by rules in Redis's words, one
 * at a time, on a copy: a list of rules is applied whole or not at all.
 */
import type { Subscriptions } from "../pubsub/subscriptions.ts";
import type { AccountDescription, PermissionRequest, Refusal } from "../session/accounts.ts";
import type { CommandNumbers, NumberedCommand } from "./command-numbers.ts";
import { hashPassword, isAmong, isPasswordHash } from "./password-hash.ts";
import { type RuleFault, SYNTAX_FAULT } from "./rule-fault.ts";
import { splitRules } from "./rule-words.ts";
import { Selector } from "./selector.ts";

const HASH_FAULT =
  "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters";
const NO_PASSWORD_FAULT = "The password you are trying to remove from the user does not exist";

/** Of a command without a permission: behind a key, behind a channel. */
const GRAVITY = { command: 1, key: 2, channel: 4 } as const;

/** What new users and new selectors begin with. */
export interface UserDefaults {
  readonly numbers: CommandNumbers;
  /** Whether all channels are open to who was not told of any (acl-pubsub-default). */
  readonly allChannels: boolean;
}

export class User {
  readonly name: string;
  readonly #defaults: () => UserDefaults;
  isEnabled = false;
  needsNoPassword = false;
  /** Whether payloads of RESTORE are looked through: Redis's word, kept for it; kvdb always does. */
  #sanitizes: "" | "sanitize-payload" | "skip-sanitize-payload" = "";
  #passwords: string[] = [];
  /** Its own rules, which are not between parentheses, then those that are. */
  #selectors: readonly [Selector, ...Selector[]];

  constructor(name: string, defaults: () => UserDefaults) {
    this.name = name;
    this.#defaults = defaults;
    this.#selectors = [this.#newSelector()];
  }

  #newSelector(): Selector {
    const { numbers, allChannels } = this.#defaults();
    const selector = new Selector(numbers);
    selector.setAllChannels(allChannels);
    return selector;
  }

  /** Takes over everything but the name. */
  become(other: User): void {
    this.isEnabled = other.isEnabled;
    this.needsNoPassword = other.needsNoPassword;
    this.#sanitizes = other.#sanitizes;
    this.#passwords = [...other.#passwords];
    const [root, ...others] = other.#selectors;
    this.#selectors = [root.copy(), ...others.map((selector) => selector.copy())];
  }

  copy(): User {
    const copy = new User(this.name, this.#defaults);
    copy.become(this);
    return copy;
  }

  // ---- questions ----

  /** It takes the same time whether there are no passwords, another one, or this one. */
  mayLogIn(password: Uint8Array): boolean {
    const isRight = isAmong(password, this.#passwords);
    return this.isEnabled && (this.needsNoPassword || isRight);
  }

  get isUnlimited(): boolean {
    return this.#selectors.some(({ isUnlimited }) => isUnlimited);
  }

  /** Of several selectors that refuse it the reason that came furthest, as Redis tells it. */
  refusalOf(request: PermissionRequest): Refusal | null {
    const first = this.#selectors[0].refusalOf(request);
    if (first === null || this.#selectors.length === 1) return first;
    let worst = first;
    for (const selector of this.#selectors.slice(1)) {
      const refusal = selector.refusalOf(request);
      if (refusal === null) return null;
      if (isGraver(refusal, worst)) worst = refusal;
    }
    return worst;
  }

  /** Whether one selector allows a command and lets every key be read as well, whichever it turns out to need. */
  mayReadAllKeys(request: PermissionRequest): boolean {
    return this.#selectors.some(
      (selector) => selector.refusalOf(request) === null && selector.readsUnder(NO_BYTES),
    );
  }

  /** Whether a selector allows the command, and to read the key; null: every key. */
  mayReadBy(command: NumberedCommand, key: Buffer | null): boolean {
    return this.#selectors.some(
      (selector) =>
        selector.commands.allows(command) &&
        (key === null ? selector.readsUnder(NO_BYTES) : selector.readsKey(key)),
    );
  }

  allowsSubscriptions({ channel, pattern, shard }: Subscriptions): boolean {
    return (
      [...channel, ...shard].every(({ bytes }) => this.allowsChannel(bytes, false)) &&
      [...pattern].every(({ bytes }) => this.allowsChannel(bytes, true))
    );
  }

  allowsChannel(name: Uint8Array, isPattern: boolean): boolean {
    return this.#selectors.some((selector) => selector.allowsChannel(name, isPattern));
  }

  // ---- telling ----

  describe(): AccountDescription {
    return {
      flags: this.#flags,
      passwords: this.#passwords,
      selectors: this.#selectors.map((selector) => selector.describe()),
    };
  }

  /** In the order of Redis. */
  get #flags(): readonly string[] {
    const login = this.needsNoPassword ? "nopass" : "";
    const flags = [this.isEnabled ? "on" : "off", login, this.#sanitizes];
    return flags.filter((flag) => flag !== "");
  }

  /** The line that makes it from nothing, as a file of users has it. */
  get line(): Buffer {
    return Buffer.concat([Buffer.from(`user ${this.name} `), Buffer.from(this.rules, "latin1")]);
  }

  /** The rules of that line, as text of bytes. */
  get rules(): string {
    const [root, ...others] = this.#selectors;
    return [
      ...this.#flags,
      ...this.#passwords.map((hash) => `#${hash}`),
      root.rules,
      ...others.map((selector) => `(${selector.rules})`),
    ].join(" ");
  }

  // ---- rules ----

  /** `rule`: text of bytes. Null: it is applied; else nothing has changed. */
  apply(rule: string): RuleFault | null {
    const word = rule.toLowerCase();
    if (word === "") return null;
    if (Object.hasOwn(User.#words, word)) {
      User.#words[word]?.(this);
      return null;
    }
    const value = rule.slice(1);
    switch (rule[0]) {
      case ">":
        return this.#addPassword(hashOf(value));
      case "#":
        return isPasswordHash(value) ? this.#addPassword(value) : HASH_FAULT;
      case "<":
        return this.#removePassword(hashOf(value));
      case "!":
        return isPasswordHash(value) ? this.#removePassword(value) : HASH_FAULT;
      case "(":
        return rule.endsWith(")") ? this.#addSelector(rule.slice(1, -1)) : SYNTAX_FAULT;
      default:
        return this.#selectors[0].apply(rule);
    }
  }

  /** Rules that are a word; the others are about the root selector, or have a value. */
  static readonly #words: Readonly<Record<string, (user: User) => void>> = {
    on: (user) => {
      user.isEnabled = true;
    },
    off: (user) => {
      user.isEnabled = false;
    },
    nopass: (user) => {
      user.needsNoPassword = true;
      user.#passwords = [];
    },
    resetpass: (user) => {
      user.needsNoPassword = false;
      user.#passwords = [];
    },
    "sanitize-payload": (user) => {
      user.#sanitizes = "sanitize-payload";
    },
    "skip-sanitize-payload": (user) => {
      user.#sanitizes = "skip-sanitize-payload";
    },
    clearselectors: (user) => {
      user.#selectors = [user.#selectors[0]];
    },
    reset: (user) => {
      user.become(new User(user.name, user.#defaults));
      user.#sanitizes = "sanitize-payload";
    },
  };

  #addPassword(hash: string): null {
    if (!this.#passwords.includes(hash)) this.#passwords.push(hash);
    this.needsNoPassword = false;
    return null;
  }

  #removePassword(hash: string): RuleFault | null {
    if (!this.#passwords.includes(hash)) return NO_PASSWORD_FAULT;
    this.#passwords = this.#passwords.filter((one) => one !== hash);
    return null;
  }

  #addSelector(text: string): RuleFault | null {
    const selector = this.#newSelector();
    const rules = splitRules(text);
    if (rules === null) return SYNTAX_FAULT;
    for (const rule of rules) {
      const fault = selector.apply(rule);
      if (fault !== null) return fault;
    }
    this.#selectors = [...this.#selectors, selector];
    return null;
  }

  takeNew(commands: readonly NumberedCommand[]): void {
    for (const selector of this.#selectors) selector.commands.takeNew(commands);
  }
}

const NO_BYTES = new Uint8Array(0);

function hashOf(password: string): string {
  return hashPassword(Buffer.from(password, "latin1"));
}

function isGraver(one: Refusal, other: Refusal): boolean {
  const difference = GRAVITY[one.reason] - GRAVITY[other.reason];
  return difference > 0 || (difference === 0 && one.argument > other.argument);
}
