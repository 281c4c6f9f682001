/**
 * One set of permissions of a user: commands, and with them keys and channels by Redis's globs. A user has one that its own
 * rules make, and more in parentheses; what one of them allows is allowed. Rules are text of bytes: U+0000 to U+00FF.
 */
import { TouchedKeys } from "../commands/command-keys.ts";
import { matchGlob } from "../commands/glob.ts";
import { type KeyUse, READS, WRITES } from "../commands/key-uses.ts";
import type { PermissionRequest, Refusal, SelectorDescription } from "../session/accounts.ts";
import { AllowedCommands } from "./allowed-commands.ts";
import { channelsOf } from "./channel-arguments.ts";
import type { CommandNumbers } from "./command-numbers.ts";
import { coversPrefix } from "./covered-prefix.ts";
import { hasSpaces, type RuleFault, SYNTAX_FAULT } from "./rule-fault.ts";

const ALL_ACCESS = READS | WRITES;
const ALL_KEYS_FAULT =
  "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns";
const ALL_CHANNELS_FAULT =
  "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels";

interface KeyPattern {
  readonly text: string;
  readonly bytes: Buffer;
  readonly access: number;
}

interface ChannelPattern {
  readonly text: string;
  readonly bytes: Buffer;
}

/** Of the command in hand. */
const keys = new TouchedKeys();

export class Selector {
  readonly #numbers: CommandNumbers;
  readonly commands: AllowedCommands;
  #allKeys = false;
  #keys: readonly KeyPattern[] = [];
  #allChannels = false;
  #channels: readonly ChannelPattern[] = [];

  constructor(numbers: CommandNumbers, commands = new AllowedCommands(numbers)) {
    this.#numbers = numbers;
    this.commands = commands;
  }

  copy(): Selector {
    const copy = new Selector(this.#numbers, this.commands.copy());
    copy.#allKeys = this.#allKeys;
    copy.#keys = this.#keys;
    copy.#allChannels = this.#allChannels;
    copy.#channels = this.#channels;
    return copy;
  }

  /** Nothing is refused. */
  get isUnlimited(): boolean {
    return this.commands.isAll && this.#allKeys && this.#allChannels;
  }

  get allChannels(): boolean {
    return this.#allChannels;
  }

  // ---- questions ----

  /** Null: it is allowed. */
  refusalOf(request: PermissionRequest): Refusal | null {
    if (!this.#allowsCommand(request)) return { reason: "command", argument: request.start };
    return this.#keyRefusal(request) ?? this.#channelRefusal(request);
  }

  #allowsCommand({ command, args, start }: PermissionRequest): boolean {
    // Who may not even log in could never come to have permissions.
    if (command.flags.includes("noauth")) return true;
    const numbered = this.#numbers.of(command);
    if (numbered === undefined) return this.commands.isAll;
    if (this.commands.allows(numbered)) return true;
    const at = start + (numbered.container === null ? 1 : 2);
    return at < args.count && this.commands.allowsWith(numbered, args.latin(at));
  }

  #keyRefusal({ command, args, start }: PermissionRequest): Refusal | null {
    if (this.#allKeys) return null;
    keys.fill(command, args, start);
    for (let i = 0; i < keys.count; i++) {
      const index = keys.indexes[i] as number;
      const { access } = keys.uses[i] as KeyUse;
      const [from, to] = [args.start[index] as number, args.end[index] as number];
      if (!this.#fits(args.buffer, from, to, access)) return { reason: "key", argument: index };
    }
    const prefix = command.readsUnder?.(args, start);
    if (prefix !== undefined && !this.readsUnder(prefix.bytes)) {
      return { reason: "key", argument: prefix.argument };
    }
    return null;
  }

  #channelRefusal({ command, args, start }: PermissionRequest): Refusal | null {
    if (this.#allChannels) return null;
    const { indexes, isPattern } = channelsOf(command, args, start);
    const refused = indexes.find((index) => {
      const name = args.buffer.subarray(args.start[index], args.end[index]);
      return !this.allowsChannel(name, isPattern);
    });
    return refused === undefined ? null : { reason: "channel", argument: refused };
  }

  /** A pattern that is subscribed to must stand among the rules as it is. */
  allowsChannel(name: Uint8Array, isPattern: boolean): boolean {
    if (this.#allChannels) return true;
    return this.#channels.some(({ bytes }) =>
      isPattern ? bytes.equals(name) : matchGlob(bytes, 0, bytes.length, name, 0, name.length),
    );
  }

  readsKey(key: Buffer): boolean {
    return this.#allKeys || this.#fits(key, 0, key.length, READS);
  }

  #fits(bytes: Buffer, start: number, end: number, needed: number): boolean {
    const patterns = this.#keys;
    for (let i = 0; i < patterns.length; i++) {
      const { bytes: pattern, access } = patterns[i] as KeyPattern;
      if ((access & needed) !== needed) continue;
      if (matchGlob(pattern, 0, pattern.length, bytes, start, end)) return true;
    }
    return false;
  }

  /** Whether every key that begins so may be read, those included that are not there yet. */
  readsUnder(prefix: Uint8Array): boolean {
    if (this.#allKeys) return true;
    return this.#keys.some(
      ({ bytes, access }) => (access & READS) !== 0 && coversPrefix(bytes, prefix),
    );
  }

  // ---- telling ----

  describe(): SelectorDescription {
    const keys = this.#keys.map(({ text, access }) => `${MARKS[access]}${text}`);
    const channels = this.#channels.map(({ text }) => `&${text}`);
    return {
      commands: this.commands.describe(),
      keys: this.#allKeys ? "~*" : keys.join(" "),
      channels: this.#allChannels ? "&*" : channels.join(" "),
    };
  }

  /** The rules that lead here from nothing, as a file of users has them. */
  get rules(): string {
    const { commands, keys, channels } = this.describe();
    const reset = this.#allChannels ? "" : "resetchannels";
    return [keys, reset, channels, commands].filter((part) => part !== "").join(" ");
  }

  // ---- rules ----

  /** Null: it is applied. */
  apply(rule: string): RuleFault | null {
    const word = rule.toLowerCase();
    if (Object.hasOwn(WORDS, word)) {
      WORDS[word]?.(this);
      return null;
    }
    switch (rule[0]) {
      case "~":
        return this.#addKeys(rule.slice(1), ALL_ACCESS);
      case "%":
        return this.#addKeysWithAccess(rule);
      case "&":
        return this.#addChannels(rule.slice(1));
      case "+":
      case "-":
        return this.commands.apply(rule);
      default:
        return SYNTAX_FAULT;
    }
  }

  setAllKeys(isAllowed: boolean): void {
    this.#allKeys = isAllowed;
    this.#keys = [];
  }

  setAllChannels(isAllowed: boolean): void {
    this.#allChannels = isAllowed;
    this.#channels = [];
  }

  #addKeysWithAccess(rule: string): RuleFault | null {
    if (this.#allKeys) return ALL_KEYS_FAULT;
    const [, letters = "", text] = /^%([rw]*)(?:~(.*))?$/is.exec(rule) ?? [];
    const found = letters.toLowerCase();
    const isTwice =
      found.indexOf("r") !== found.lastIndexOf("r") ||
      found.indexOf("w") !== found.lastIndexOf("w");
    if (letters === "" || isTwice) return SYNTAX_FAULT;
    const access = (found.includes("r") ? READS : 0) | (found.includes("w") ? WRITES : 0);
    return this.#addKeys(text ?? "", access);
  }

  #addKeys(text: string, access: number): RuleFault | null {
    if (this.#allKeys) return ALL_KEYS_FAULT;
    if (hasSpaces(text)) return SYNTAX_FAULT;
    const before = this.#keys.find((pattern) => pattern.text === text);
    if (before === undefined) {
      this.#keys = [...this.#keys, { text, bytes: Buffer.from(text, "latin1"), access }];
      return null;
    }
    const both = { ...before, access: before.access | access };
    this.#keys = this.#keys.map((pattern) => (pattern === before ? both : pattern));
    return null;
  }

  #addChannels(text: string): RuleFault | null {
    if (this.#allChannels) return ALL_CHANNELS_FAULT;
    if (hasSpaces(text)) return SYNTAX_FAULT;
    const isThere = this.#channels.some((pattern) => pattern.text === text);
    if (isThere) return null;
    this.#channels = [...this.#channels, { text, bytes: Buffer.from(text, "latin1") }];
    return null;
  }
}

/** How a pattern of keys begins, by what it allows. */
const MARKS: Readonly<Record<number, string>> = {
  [READS]: "%R~",
  [WRITES]: "%W~",
  [ALL_ACCESS]: "~",
};

const WORDS: Readonly<Record<string, (selector: Selector) => void>> = {
  allkeys: (selector) => selector.setAllKeys(true),
  "~*": (selector) => selector.setAllKeys(true),
  resetkeys: (selector) => selector.setAllKeys(false),
  allchannels: (selector) => selector.setAllChannels(true),
  "&*": (selector) => selector.setAllChannels(true),
  resetchannels: (selector) => selector.setAllChannels(false),
  allcommands: ({ commands }) => commands.setAll(true),
  "+@all": ({ commands }) => commands.setAll(true),
  nocommands: ({ commands }) => commands.setAll(false),
  "-@all": ({ commands }) => commands.setAll(false),
};
