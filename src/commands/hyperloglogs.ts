/**
 * HyperLogLogs: strings that count different elements (store/hyperloglog.ts). A sparse one is changed in a copy; of a dense one
 * only the registers that change are written, where they lie.
 *
 * PFCOUNT of one key keeps what it worked out in the value, as Redis does, so that it is a change and is recorded; it only answers
 * while the disk refuses writes, and on a replica, whose value stays what its primary has (Redis's replicas change theirs).
 */
import { seededRandom } from "../platform/random.ts";
import type { Session } from "../session/session.ts";
import { KEEP_DEADLINE } from "../store/database.ts";
import { RAW, STRING, valueAt } from "../store/entry.ts";
import {
  COUNT_AT,
  cachedCount,
  DENSE,
  DENSE_BYTES,
  denseRegister,
  describeRuns,
  encodingAt,
  estimate,
  HEADER_BYTES,
  HyperLogLog,
  isHyperLogLog,
  markStale,
  mergeInto,
  place,
  placeElement,
  REGISTERS,
  SPARSE,
  setDenseRegister,
  writeCount,
} from "../store/hyperloglog.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, shownArgument } from "./command-error.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { bytesOf, editValue, requireString, storeBytes, stringSize } from "./string-value.ts";

const KIND = STRING | (RAW << 4);
const damaged = () => new CommandError("INVALIDOBJ", "Corrupted HLL object detected");

/** The one in hand. */
const work = new HyperLogLog();

/** The registers of all that are counted or merged. */
const registers = new Uint8Array(REGISTERS);

/** The entry of the HyperLogLog under argument `key`; 0: none. Throws when it is something else. */
function find(session: Session, args: Arguments, key: number, isRead: boolean): number {
  const { database } = session;
  const [from, to] = [args.start[key], args.end[key]];
  const entry = isRead
    ? database.read(args.buffer, from, to)
    : database.find(args.buffer, from, to);
  if (entry === 0) return 0;
  const { arena } = database;
  requireString(arena, entry);
  const at = valueAt(arena, entry);
  if (isHyperLogLog(bytesOf(arena, entry), at, at + stringSize(arena, entry))) return entry;
  throw new CommandError("WRONGTYPE", "Key is not a valid HyperLogLog string value.");
}

/** Lets `work` be a copy of the entry's value, or an empty one when there is none. */
function load(session: Session, entry: number): void {
  if (entry === 0) {
    work.create();
    return;
  }
  const { arena } = session.database;
  const at = valueAt(arena, entry);
  work.load(bytesOf(arena, entry), at, at + stringSize(arena, entry));
}

/** Lets the value under argument `key`, whose look-up answered `entry`, be `work`. */
function store(session: Session, args: Arguments, key: number, entry: number): void {
  const { bytes, size } = work;
  const value = { kind: KIND, bytes, start: 0, end: size, deadlineMs: KEEP_DEADLINE };
  storeBytes(session, args, key, entry, value);
}

function mostSparseBytes({ database }: Session): number {
  return database.keyspace.collections.limits.hyperLogLogSparseBytes;
}

// ---- adding ----

function pfadd(session: Session, args: Arguments, reply: Reply): void {
  const entry = find(session, args, 1, false);
  const { arena } = session.database;
  const isDense = entry !== 0 && encodingAt(bytesOf(arena, entry), valueAt(arena, entry)) === DENSE;
  const changed = isDense ? addInPlace(session, args, entry) : addToCopy(session, args, entry);
  if (changed) tellKey(session, keyEvents.pfadd, args);
  reply.integer(changed ? 1 : 0);
}

function addToCopy(session: Session, args: Arguments, entry: number): boolean {
  const mostBytes = mostSparseBytes(session);
  load(session, entry);
  let hasChanged = entry === 0;
  for (let i = 2; i < args.count; i++) {
    placeElement(args.buffer, args.start[i], args.end[i]);
    const raised = work.raise(place.register, place.value, mostBytes);
    if (raised === null) throw damaged();
    if (raised) hasChanged = true;
  }
  if (!hasChanged) return false;
  markStale(work.bytes, 0);
  store(session, args, 1, entry);
  return true;
}

function addInPlace(session: Session, args: Arguments, entry: number): boolean {
  const { database } = session;
  const { arena } = database;
  const at = valueAt(arena, entry);
  const bytes = bytesOf(arena, entry);
  let hasChanged = false;
  for (let i = 2; i < args.count; i++) {
    placeElement(args.buffer, args.start[i], args.end[i]);
    const { register, value } = place;
    if (denseRegister(bytes, at, register) >= value) continue;
    if (!hasChanged) markStale(beginEdit(session, entry), at);
    hasChanged = true;
    const first = HEADER_BYTES + ((register * 6) >>> 3);
    const last = Math.min(first + 2, DENSE_BYTES);
    setDenseRegister(editValue(arena, entry, first, last), at, register, value);
  }
  return hasChanged;
}

/** Stamps the entry as changed, its length being what it was; answers its bytes, to write the header. */
function beginEdit(session: Session, entry: number): Buffer {
  const { database } = session;
  database.resize(entry, KIND, stringSize(database.arena, entry));
  return editValue(database.arena, entry, COUNT_AT, HEADER_BYTES);
}

// ---- counting and merging ----

/** Lets each register of `most` have at least the value it has under argument `key`; answers the encoding, or SPARSE for none. */
function mergeKey(session: Session, args: Arguments, key: number, most: Uint8Array): number {
  const entry = find(session, args, key, true);
  if (entry === 0) return SPARSE;
  const { arena } = session.database;
  const at = valueAt(arena, entry);
  const bytes = bytesOf(arena, entry);
  if (!mergeInto(most, bytes, at, at + stringSize(arena, entry))) throw damaged();
  return encodingAt(bytes, at);
}

function pfcount(session: Session, args: Arguments, reply: Reply): void {
  if (args.count > 2) {
    registers.fill(0);
    for (let i = 1; i < args.count; i++) mergeKey(session, args, i, registers);
    reply.integer(BigInt(estimate(registers)));
    return;
  }
  const entry = find(session, args, 1, true);
  const { arena } = session.database;
  if (entry === 0) {
    reply.integer(0);
    return;
  }
  const cached = cachedCount(bytesOf(arena, entry), valueAt(arena, entry));
  if (cached !== null) {
    reply.integer(cached);
    return;
  }
  registers.fill(0);
  mergeKey(session, args, 1, registers);
  const count = BigInt(estimate(registers));
  if (mayKeep(session)) {
    writeCount(beginEdit(session, entry), valueAt(arena, entry), count);
  }
  reply.integer(count);
}

function mayKeep({ origin, server }: Session): boolean {
  if (server.disk.failure !== null) return false;
  return origin === "replay" || origin === "replica" || server.replication.primary === null;
}

function pfmerge(session: Session, args: Arguments, reply: Reply): void {
  registers.fill(0);
  let isDense = false;
  for (let i = 1; i < args.count; i++) {
    if (mergeKey(session, args, i, registers) === DENSE) isDense = true;
  }
  const entry = find(session, args, 1, false);
  load(session, entry);
  if (isDense && !work.toDense()) throw damaged();
  const mostBytes = mostSparseBytes(session);
  for (let register = 0; register < REGISTERS; register++) {
    const value = registers[register];
    if (value > 0) work.raise(register, value, mostBytes);
  }
  markStale(work.bytes, 0);
  store(session, args, 1, entry);
  // Merging is adding many.
  tellKey(session, keyEvents.pfadd, args);
  reply.ok();
}

// ---- looking inside ----

function pfdebug(session: Session, args: Arguments, reply: Reply): void {
  const entry = find(session, args, 2, false);
  if (entry === 0) throw new CommandError("ERR", "The specified key does not exist");
  load(session, entry);
  if (args.is(1, "GETREG")) {
    makeDense(session, args, entry);
    reply.array(REGISTERS);
    for (let i = 0; i < REGISTERS; i++) reply.integer(denseRegister(work.bytes, 0, i));
  } else if (args.is(1, "DECODE")) {
    if (work.encoding !== SPARSE) throw new CommandError("ERR", "HLL encoding is not sparse");
    reply.text(describeRuns(work.bytes, 0, work.size));
  } else if (args.is(1, "ENCODING")) {
    reply.status(work.encoding === SPARSE ? "sparse" : "dense");
  } else if (args.is(1, "TODENSE")) {
    reply.integer(makeDense(session, args, entry) ? 1 : 0);
  } else {
    const name = shownArgument(args, 1);
    throw new CommandError("ERR", `Unknown PFDEBUG subcommand '${name}'`);
  }
}

/** Lets the value, of which `work` is a copy, be dense; false: it is. */
function makeDense(session: Session, args: Arguments, entry: number): boolean {
  if (work.encoding === DENSE) return false;
  if (!work.toDense()) throw damaged();
  store(session, args, 2, entry);
  return true;
}

/** Three standard errors of 1.04 / sqrt(2^14), as Redis tests it with a little on top. */
const TESTED_ERROR = 4 * (1.04 / Math.sqrt(REGISTERS));
const TESTED_ELEMENTS = 100_000;

/** Registers keep what they are given and nothing else; sparse and dense count alike and about right. */
function pfselftest(_session: Session, _args: Arguments, reply: Reply): void {
  testRegisters();
  const sparse = new HyperLogLog();
  const dense = new HyperLogLog();
  sparse.create();
  dense.create();
  dense.toDense();
  const element = Buffer.alloc(8);
  for (let count = 1; count <= TESTED_ELEMENTS; count++) {
    element.writeDoubleLE(count);
    placeElement(element, 0, element.length);
    for (const tested of [sparse, dense]) tested.raise(place.register, place.value, DENSE_BYTES);
    if (Number.isInteger(Math.log10(count))) testCounts(sparse, dense, count);
  }
  reply.ok();
}

function testRegisters(): void {
  const random = seededRandom(REGISTERS);
  const values = new Uint8Array(REGISTERS);
  const bytes = Buffer.alloc(DENSE_BYTES);
  for (let i = 0; i < 10 * REGISTERS; i++) {
    const register = random.below(REGISTERS);
    values[register] = random.below(64);
    setDenseRegister(bytes, 0, register, values[register]);
  }
  for (let register = 0; register < REGISTERS; register++) {
    const found = denseRegister(bytes, 0, register);
    if (found === values[register]) continue;
    const text = `Register ${register} should be ${values[register]} but is ${found}`;
    throw new CommandError("TESTFAILED", text);
  }
}

function testCounts(sparse: HyperLogLog, dense: HyperLogLog, count: number): void {
  const [one, other] = [sparse, dense].map(({ bytes, size }) => {
    registers.fill(0);
    mergeInto(registers, bytes, 0, size);
    return estimate(registers);
  });
  if (one !== other) {
    throw new CommandError("TESTFAILED", `dense/sparse disagree: ${other}, ${one}`);
  }
  if (Math.abs((one as number) - count) > Math.max(1, count * TESTED_ERROR)) {
    throw new CommandError("TESTFAILED", `Too big error. card:${count} estimated:${one}`);
  }
}

export const hyperLogLogCommands: readonly Command[] = [
  {
    name: "PFADD",
    arity: -2,
    flags: ["write", "denyoom", "fast"],
    group: "hyperloglog",
    keys: [1, 1, 1],
    since: "2.8.9",
    summary: "Adds elements to a HyperLogLog, which is made when there is none.",
    syntax: "key [element [element ...]]",
    run: pfadd,
  },
  {
    name: "PFCOUNT",
    arity: -2,
    flags: ["readonly"],
    group: "hyperloglog",
    keys: [1, -1, 1],
    since: "2.8.9",
    summary: "Returns about how many different elements HyperLogLogs have seen together.",
    syntax: "key [key ...]",
    run: pfcount,
  },
  {
    name: "PFMERGE",
    arity: -2,
    flags: ["write", "denyoom"],
    group: "hyperloglog",
    keys: [1, -1, 1],
    since: "2.8.9",
    summary: "Merges HyperLogLogs into the first one.",
    syntax: "destkey [sourcekey [sourcekey ...]]",
    run: pfmerge,
  },
  {
    name: "PFDEBUG",
    arity: 3,
    flags: ["write", "denyoom", "admin"],
    group: "hyperloglog",
    keys: [2, 2, 1],
    since: "2.8.9",
    summary: "Looks inside a HyperLogLog, or makes it dense.",
    syntax: "<GETREG | DECODE | ENCODING | TODENSE> key",
    run: pfdebug,
  },
  {
    name: "PFSELFTEST",
    arity: 1,
    flags: ["admin"],
    group: "hyperloglog",
    since: "2.8.9",
    summary: "Tests HyperLogLogs: that they keep their registers and count about right.",
    syntax: "",
    run: pfselftest,
  },
];
