/**
 * Where the keys of a command are, and what it does with each: as specifications (COMMAND INFO), and in a whole command
 * (COMMAND GETKEYS, permissions). Keys stand at fixed places, behind their number, behind a word, or as the value of an
 * option; a command may have keys of the first kind and of one of the others. What is done with them: key-uses.ts.
 */
import type { Arguments } from "./arguments.ts";
import type { CommandInfo, KeyAfter, KeyPositions } from "./command.ts";
import { CommandError } from "./command-error.ts";
import {
  CHANGE_USE,
  type KeyUse,
  listedUses,
  NO_KEY_USE,
  OVERWRITE_USE,
  READ_USE,
  usualUse,
} from "./key-uses.ts";
import type { Reply } from "./reply.ts";

type Values = Readonly<Record<string, number | string>>;

interface Specification {
  readonly search: readonly [type: string, values: Values];
  readonly find: readonly [type: string, values: Values];
}

/** One place of keys: how it is described, and which arguments it is in a command that begins at `start`. */
interface KeyPlace extends Specification {
  readonly isWritten?: true;
  /** Throws Redis's error when they are not where the command says. */
  indexes(args: Arguments, start: number): number[];
  /** The place is this range of arguments, whatever they are. */
  readonly range?: KeyPositions;
  /** Every argument that the command could take for such a key; absent: those that `indexes` answers. */
  candidates?(args: Arguments, start: number): number[];
}

/** A place with what the command does with the keys in it. */
interface UsedPlace {
  readonly place: KeyPlace;
  readonly use: KeyUse;
}

const known = new WeakMap<CommandInfo, readonly UsedPlace[]>();

function usedPlaces(command: CommandInfo): readonly UsedPlace[] {
  let places = known.get(command);
  if (places === undefined) {
    places = findPlaces(command);
    known.set(command, places);
  }
  return places;
}

function findPlaces(command: CommandInfo): UsedPlace[] {
  const uses = listedUses(command);
  const others = otherPlaces(command);
  const fixed = command.keys === undefined ? [] : [command.keys];
  // One use more than places: the first key is used otherwise than those behind it.
  const isSplit = command.keys !== undefined && uses.length > others.length + 1;
  const ranges = isSplit ? split(command.keys) : fixed;
  const places = [...ranges.map(atPositions), ...others];
  const usual = usualUse(command);
  return places.map((place, index) => ({
    place,
    use: uses[index] ?? (place.isWritten ? OVERWRITE_USE : usual),
  }));
}

function placesOfKeys(command: CommandInfo): readonly UsedPlace[] {
  return usedPlaces(command).filter(({ use }) => use !== NO_KEY_USE);
}

function split([first, last, step]: KeyPositions): KeyPositions[] {
  return [
    [first, first, step],
    [first + step, last, step],
  ];
}

function otherPlaces({ keysCountedAt, keysBehind, keysByContent, keyAfter }: CommandInfo) {
  const places: KeyPlace[] = [];
  if (keysCountedAt !== undefined) places.push(counted(keysCountedAt));
  if (keysBehind !== undefined) places.push(behind(keysBehind));
  if (keysByContent === true) places.push(NOWHERE);
  if (keyAfter?.passing !== undefined) places.push(lastInOptions(keyAfter, keyAfter.passing));
  else if (keyAfter !== undefined)
    places.push(...keyAfter.words.map((word) => behindOption(word, keyAfter.from)));
  return places;
}

/** Where a specification cannot say that other options are passed over, it says that it does not know. */
const UNKNOWN: Specification = { search: ["unknown", {}], find: ["unknown", {}] };
const NOWHERE: KeyPlace = { ...UNKNOWN, indexes: () => [] };

/** How many specifications COMMAND INFO answers. */
export function keyPlaceCount(command: CommandInfo): number {
  return usedPlaces(command).length;
}

export function takesKeys(command: CommandInfo): boolean {
  return keyPlaceCount(command) > 0;
}

export function replyKeySpecifications(command: CommandInfo, reply: Reply): void {
  const places = usedPlaces(command);
  reply.set(places.length);
  for (const { place, use } of places) {
    reply.map(use.notes === "" ? 3 : 4);
    if (use.notes !== "") {
      reply.text("notes");
      reply.text(use.notes);
    }
    reply.text("flags");
    reply.set(use.flags.length);
    for (const flag of use.flags) reply.status(flag);
    reply.text("begin_search");
    replyTyped(place.search, reply);
    reply.text("find_keys");
    replyTyped(place.find, reply);
  }
}

function replyTyped([type, values]: Specification["search"], reply: Reply): void {
  const fields = Object.entries(values);
  reply.map(2);
  reply.text("type");
  reply.text(type);
  reply.text("spec");
  reply.map(fields.length);
  for (const [name, value] of fields) {
    reply.text(name);
    if (typeof value === "number") reply.integer(value);
    else reply.text(value);
  }
}

/** A key of a command, and what is done with it. */
export interface UsedKey {
  /** Which argument it is. */
  readonly index: number;
  readonly use: KeyUse;
}

/**
 * The keys of a command whose name is argument `start` and that goes on to the last argument. Throws Redis's errors when
 * there are none, or when they are not where the command says.
 */
export function keysUsed(command: CommandInfo, args: Arguments, start: number): UsedKey[] {
  const places = placesOfKeys(command);
  if (places.length === 0) throw new CommandError("ERR", "The command has no key arguments");
  const count = args.count - start;
  if (command.arity >= 0 ? count !== command.arity : count < -command.arity) {
    throw new CommandError("ERR", "Invalid number of arguments specified for command");
  }
  return places.flatMap(({ place, use }) => {
    const exact = useIn(command, use, args, start);
    return place.indexes(args, start).map((index) => ({ index: start + index, use: exact }));
  });
}

export function keyArguments(command: CommandInfo, args: Arguments, start: number): number[] {
  return keysUsed(command, args, start).map(({ index }) => index);
}

/**
 * What permissions are asked for: every argument of a command that it could take for a key, so none is missed where
 * `keysUsed` follows Redis in looking at the first of several. Where the arguments are not as the command wants them there
 * may be none: it refuses them itself. Filled anew for each command, so that nothing is allocated for keys at fixed places.
 */
export class TouchedKeys {
  count = 0;
  /** Which arguments they are; the lists are longer than `count`. */
  readonly indexes: number[] = [];
  readonly uses: KeyUse[] = [];

  fill(command: CommandInfo, args: Arguments, start: number): void {
    this.count = 0;
    const places = usedPlaces(command);
    for (let i = 0; i < places.length; i++) {
      const { place, use } = places[i] as UsedPlace;
      if (use === NO_KEY_USE) continue;
      const exact = useIn(command, use, args, start);
      if (place.range !== undefined) this.#addRange(place.range, args, start, exact);
      else for (const index of candidatesOf(place, args, start)) this.#add(start + index, exact);
    }
  }

  #addRange([first, last, step]: KeyPositions, args: Arguments, start: number, use: KeyUse): void {
    const end = last < 0 ? args.count + last : start + last;
    for (let index = start + first; index <= end; index += step) this.#add(index, use);
  }

  #add(index: number, use: KeyUse): void {
    this.indexes[this.count] = index;
    this.uses[this.count] = use;
    this.count++;
  }
}

function candidatesOf(place: KeyPlace, args: Arguments, start: number): number[] {
  try {
    return place.candidates?.(args, start) ?? place.indexes(args, start);
  } catch (error) {
    if (error instanceof CommandError) return [];
    throw error;
  }
}

/** Where the flags of a specification vary with the options, those of this command. */
function useIn({ name }: CommandInfo, use: KeyUse, args: Arguments, start: number): KeyUse {
  if (!use.varies) return use;
  if (name === "SET") {
    // Whoever may compare the value can find it out.
    const isRead = hasWord(args, start + 3, "GET") || hasWord(args, start + 3, "IFEQ");
    return isRead ? CHANGE_USE : OVERWRITE_USE;
  }
  return onlyReadsBits(args, start + 2) ? READ_USE : CHANGE_USE;
}

function hasWord(args: Arguments, from: number, word: string): boolean {
  for (let i = from; i < args.count; i++) if (args.is(i, word)) return true;
  return false;
}

/** Whether all operations of BITFIELD are GET; one that is none is no reading. */
function onlyReadsBits(args: Arguments, from: number): boolean {
  let i = from;
  while (i < args.count) {
    if (args.is(i, "GET")) i += 3;
    else if (args.is(i, "OVERFLOW")) i += 2;
    else return false;
  }
  return true;
}

const invalid = () => new CommandError("ERR", "Invalid arguments specified for command");

/** A range that begins at an index. `lastkey` counts from there, or from the end if negative. */
function atPositions(range: KeyPositions): KeyPlace {
  const [first, last, step] = range;
  const lastkey = last < 0 ? last : last - first;
  return {
    range,
    search: ["index", { index: first }],
    find: ["range", { lastkey, keystep: step, limit: 0 }],
    indexes(args, start) {
      const count = args.count - start;
      const bound = last < 0 ? count + last : last;
      const found: number[] = [];
      for (let i = first; i <= bound; i += step) found.push(i);
      return found;
    },
  };
}

function counted(at: number): KeyPlace {
  return {
    search: ["index", { index: at }],
    find: ["keynum", { keynumidx: 0, firstkey: 1, keystep: 1 }],
    indexes(args, start) {
      const count = args.integer(start + at);
      if (!(count > 0) || start + at + count >= args.count) throw invalid();
      return Array.from({ length: count }, (_, index) => at + 1 + index);
    },
  };
}

function behind({ word, from }: NonNullable<CommandInfo["keysBehind"]>): KeyPlace {
  return {
    search: ["keyword", { keyword: word, startfrom: from }],
    // Of what follows, the first half.
    find: ["range", { lastkey: -1, keystep: 1, limit: 2 }],
    indexes(args, start) {
      for (let i = from; start + i < args.count; i++) {
        if (!args.is(start + i, word)) continue;
        const rest = args.count - start - i - 1;
        if (rest === 0 || rest % 2 !== 0) break;
        return Array.from({ length: rest / 2 }, (_, index) => i + 1 + index);
      }
      throw invalid();
    },
    candidates: (args, start) => behindEachWord(word, args, start),
  };
}

/** The word may be the value of another option (`GROUP streams streams`), so what follows each of them counts. */
function behindEachWord(word: string, args: Arguments, start: number): number[] {
  const found: number[] = [];
  for (let i = 1; start + i < args.count; i++) {
    if (!args.is(start + i, word)) continue;
    const keys = Math.floor((args.count - start - i - 1) / 2);
    for (let key = i + 1; key <= i + keys; key++) found.push(key);
  }
  return found;
}

/** None is no error: options may be left out. */
function behindOption(word: string, from: number): KeyPlace {
  return {
    search: ["keyword", { keyword: word, startfrom: from }],
    find: ["range", { lastkey: 0, keystep: 1, limit: 0 }],
    isWritten: true,
    indexes(args, start) {
      for (let i = from; start + i + 1 < args.count; i++) {
        if (args.is(start + i, word)) return [i + 1];
      }
      return [];
    },
    candidates(args, start) {
      const found: number[] = [];
      for (let i = from; start + i + 1 < args.count; i++) {
        if (args.is(start + i, word)) found.push(i + 1);
      }
      return found;
    },
  };
}

/** As Redis looks: what follows the word may be the word again. */
function lastInOptions(
  { words, from }: KeyAfter,
  passing: NonNullable<KeyAfter["passing"]>,
): KeyPlace {
  return {
    ...UNKNOWN,
    isWritten: true,
    indexes(args, start) {
      let found: number[] = [];
      for (let i = from; start + i + 1 < args.count; i++) {
        const passed = Object.entries(passing).find(([option]) => args.is(start + i, option));
        if (passed !== undefined) i += passed[1];
        else if (words.some((word) => args.is(start + i, word))) found = [i + 1];
      }
      return found;
    },
  };
}
