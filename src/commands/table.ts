/**
 * The command table: look-up by the bytes of a name, without making a string. An open-addressed table of 4096 slots over
 * a mix of the upper-cased bytes; the name is compared in the end. Subcommands are found below their container.
 */
import { KvdbError } from "../errors.ts";
import type { CommandCatalog } from "../session/server.ts";
import type { Arguments } from "./arguments.ts";
import type { Command, Run } from "./command.ts";
import { takesConstantTime } from "./complexities.ts";
import type { LatencyHistogram } from "./latency-histogram.ts";
import { isRecordedInRedisWords } from "./redis-words.ts";

const SLOTS = 4096;

/** A command as the gate uses it: the definition, with what is derived from it once. */
export class TableEntry {
  readonly command: Command;
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly arity: number;
  readonly run: Run | null;
  /** Steps of the gate that apply to it: a mask, set when the gate is built. */
  gates = 0;
  calls = 0;
  /** Calls that failed, and those that were refused before they ran. */
  failures = 0;
  rejections = 0;
  readonly isFast: boolean;
  /** A call takes so little that not each is timed: command-times.ts. */
  readonly isSampled: boolean;
  /** Calls until the next one that is timed; see command-times.ts for this and what follows. */
  untimed = 0;
  timedCalls = 0;
  timedUsec = 0;
  latencies: LatencyHistogram | null = null;
  /** What is recorded of it is for redis-server 7.0 too. */
  readonly inRedisWords: boolean;
  /** Null for a command that has none. */
  subcommands: Map<string, TableEntry> | null;

  constructor(command: Command) {
    this.command = command;
    this.name = command.name;
    this.nameBytes = Buffer.from(command.name, "latin1");
    this.arity = command.arity;
    this.isFast = command.flags.includes("fast");
    this.isSampled = this.isFast || (command.keys !== undefined && takesConstantTime(command.name));
    this.run = command.run ?? null;
    this.inRedisWords = isRecordedInRedisWords(command);
    this.subcommands = command.run === undefined ? new Map() : null;
  }

  /** All of the time that its calls took. */
  get usec(): number {
    if (this.timedCalls === 0) return 0;
    return (this.timedUsec / this.timedCalls) * this.calls;
  }

  /** CONFIG RESETSTAT. */
  forgetCalls(): void {
    this.calls = 0;
    this.failures = 0;
    this.rejections = 0;
    this.untimed = 0;
    this.timedCalls = 0;
    this.timedUsec = 0;
    this.latencies = null;
  }
}

export class CommandTable implements CommandCatalog {
  readonly #slots: (TableEntry | null)[] = new Array(SLOTS).fill(null);
  readonly #entries = new Map<string, TableEntry>();
  /** The command found last. */
  #last: TableEntry | null = null;
  #new: TableEntry[] = [];

  /** Adds commands; a container stands before its subcommands. A name that is taken is refused. */
  add(commands: readonly Command[], owner: string): readonly TableEntry[] {
    return commands.map((command) => {
      if (this.#entries.has(command.name)) {
        throw new KvdbError("CONFIG", `${owner}: command ${command.name} exists already`);
      }
      const entry = new TableEntry(command);
      this.#entries.set(command.name, entry);
      this.#new.push(entry);
      const [container, subcommand] = command.name.split("|");
      if (subcommand === undefined) this.#insert(entry);
      else this.#addSubcommand(container as string, subcommand, entry);
      return entry;
    });
  }

  /** A container may be a command by itself: COMMAND is. */
  #addSubcommand(container: string, subcommand: string, entry: TableEntry): void {
    const owner = this.#entries.get(container);
    if (owner === undefined)
      throw new KvdbError("CONFIG", `${entry.name} stands before ${container}`);
    owner.subcommands ??= new Map();
    owner.subcommands.set(subcommand, entry);
  }

  #insert(entry: TableEntry): void {
    const bytes = entry.nameBytes;
    let slot = slotOf(bytes, 0, bytes.length);
    while (this.#slots[slot] !== null) slot = (slot + 1) & (SLOTS - 1);
    this.#slots[slot] = entry;
  }

  /** The command that argument 0 names, in any case; null when there is none. */
  find(args: Arguments): TableEntry | null {
    const start = args.start[0];
    const end = args.end[0];
    // A pipeline mostly repeats its command.
    const last = this.#last;
    if (last !== null && hasName(last.nameBytes, args.buffer, start, end)) return last;
    let slot = slotOf(args.buffer, start, end);
    for (;;) {
      const entry = this.#slots[slot] as TableEntry | null;
      if (entry === null) return null;
      if (hasName(entry.nameBytes, args.buffer, start, end)) {
        this.#last = entry;
        return entry;
      }
      slot = (slot + 1) & (SLOTS - 1);
    }
  }

  /** Those that have come since the last time. */
  takeNew(): readonly TableEntry[] {
    const found = this.#new;
    this.#new = [];
    return found;
  }

  entries(): Iterable<TableEntry> {
    return this.#entries.values();
  }

  all(): readonly Command[] {
    return [...this.#entries.values()].map((entry) => entry.command);
  }

  subcommandsOf(name: string): readonly Command[] {
    const subcommands = this.#entries.get(name)?.subcommands ?? null;
    return subcommands === null ? [] : [...subcommands.values()].map(({ command }) => command);
  }

  /** By name in upper case, `CLIENT|KILL` for a subcommand. */
  entry(name: string): TableEntry | undefined {
    return this.#entries.get(name);
  }

  get(name: string): Command | undefined {
    return this.#entries.get(name)?.command;
  }
}

function slotOf(bytes: Uint8Array, start: number, end: number): number {
  let mix = end - start;
  for (let i = start; i < end; i++) mix = (Math.imul(mix, 31) + (bytes[i] & 0xdf)) | 0;
  return (mix ^ (mix >>> 12)) & (SLOTS - 1);
}

function hasName(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const size = name.length;
  if (size !== end - start) return false;
  for (let i = 0; i < size; i++) {
    const byte = bytes[start + i];
    if (byte !== name[i] && (byte < 97 || byte > 122 || byte - 32 !== name[i])) return false;
  }
  return true;
}
