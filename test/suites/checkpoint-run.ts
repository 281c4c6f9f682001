/**
 * One checkpoint as the kernel has it written, step by step, and the states that the tests of
 * checkpoints keep in one.
 */
import { expect } from "bun:test";
import type { CheckpointKind, CheckpointReport, Persistence } from "../../src/plugin.ts";
import type { MemoryDisk } from "./memory-files.ts";
import type { Subject } from "./persistence-case.ts";
import {
  type EntryShape,
  elementRun,
  type ReadEntry,
  readEntryOf,
  type State,
  sortedEntries,
} from "./stored-entries.ts";

export interface CheckpointRun {
  readonly instance: Persistence;
  readonly files: MemoryDisk["files"];
  readonly state: State;
  readonly proceed?: () => void;
  /** How long it is said to have taken. Default: 1. */
  readonly durationMs?: number;
  readonly replacesAll?: boolean;
  /** Runs when it was begun, and when it was written: what clients do meanwhile. */
  readonly onBegun?: () => Promise<void>;
  readonly onWritten?: () => Promise<void>;
}

/** What goes to the worker and back is cloned, as posting it would. */
export async function takeCheckpoint(
  { writeCheckpoint }: Pick<Subject, "writeCheckpoint">,
  run: CheckpointRun,
): Promise<CheckpointReport> {
  const { instance, files, state, proceed, durationMs = 1, onBegun, onWritten } = run;
  const kind = kindOf(instance);
  const task = structuredClone(await instance.beginCheckpoint?.(state.revision, kind));
  await onBegun?.();
  const work = { files, state, task, ...(proceed && { proceed }) };
  const written = structuredClone(await writeCheckpoint(work));
  await onWritten?.();
  const { revision, entries } = state;
  const report = { ...written, kind, revision, entries: entries.length, durationMs };
  const { replacesAll = false } = run;
  await instance.checkpointed?.({ ...report, replacesAll });
  return report;
}

/** Of who knows but one. */
function kindOf({ supports }: Persistence): CheckpointKind {
  return supports.records ? "compact" : "save";
}

/** A persistence may give any revision up to the checkpoint's for that of an entry's last change. */
export function expectEntries(read: readonly ReadEntry[], { entries, revision }: State): void {
  const comparable = (all: readonly ReadEntry[]) =>
    sortedEntries(all).map(({ version, ...rest }) => ({
      ...rest,
      hasVersion: version <= revision,
    }));
  expect(comparable(read)).toEqual(comparable(entries.map(readEntryOf)));
}

/** Of indexes: beside a key of the same name, alone in a database, with what means something elsewhere. */
const definitions: readonly EntryShape[] = [
  { key: "plain", value: '{"use":"hash","field":"address.city"}' },
  { key: "Ordered.by:age-1_", value: '{"$value":"Größe","$expires":{"$gt":1}}' },
  { key: "x".repeat(64), value: "{}", database: 9 },
].map((shape) => ({ ...shape, type: "index" }));

const textKinds: readonly EntryShape[] = [
  { key: "plain", value: "text" },
  { key: "", value: "" },
  { key: "document", value: '{"name":"Ada","langs":["en"],"age":36,"none":null}', type: "json" },
  { key: Buffer.from([0, 255, 13, 10, 128]), value: Buffer.from([0xc3, 0x28, 0, 254]) },
  { key: "until", value: "tomorrow", deadlineMs: Date.UTC(2040, 0, 1, 12, 30, 15, 123) },
  { key: "far", value: '[1,"ü"]', type: "json", deadlineMs: Number.MAX_SAFE_INTEGER },
  { key: "plain", value: "in another database", database: 1 },
  { key: "plain", value: "in the last", database: 15, version: 2 },
];

export const everyKind: readonly EntryShape[] = [...definitions, ...textKinds, ...ofEveryType()];

/** Values with elements: binary ones, one in parts, some that expire. */
function ofEveryType(): EntryShape[] {
  const deadlineMs = Date.UTC(2040, 0, 1);
  const [bytes, long] = [Buffer.from([255, 0, 10]), "x".repeat(300)];
  const streamId = Buffer.from("05000000000000000100000000000000", "hex");
  const parts = [elementRun("in", "parts"), elementRun(long, ""), elementRun("end")];
  return [
    { key: "list", type: "list", value: elementRun("b", "a", "", bytes, "b"), deadlineMs },
    { key: "parts", type: "list", value: elementRun("one"), furtherParts: parts, deadlineMs },
    { key: "set", type: "set", value: elementRun("12", bytes), furtherParts: [elementRun("$")] },
    {
      key: "zset",
      type: "zset",
      value: elementRun("low", Number.NEGATIVE_INFINITY, bytes, -0.1, "top", 2 ** 70),
      furtherParts: [elementRun("end", Number.POSITIVE_INFINITY)],
    },
    {
      key: "stream",
      type: "stream",
      value: elementRun(
        Buffer.concat([Buffer.from("S"), streamId, Buffer.alloc(16), elementRun(1)]),
        ...[Buffer.concat([Buffer.from("E"), streamId, Buffer.from([1, 0, 0, 0])]), bytes, "v"],
      ),
      furtherParts: [
        elementRun(Buffer.concat([Buffer.from("G"), streamId, elementRun(-1)]), "group"),
      ],
    },
    { key: "hash", type: "hash", value: elementRun("$field", "v", bytes, bytes, "", "") },
    {
      key: "timed",
      type: "hash",
      value: elementRun("until", "v", deadlineMs, bytes, bytes, 0),
      furtherParts: [elementRun("far", bytes, Number.MAX_SAFE_INTEGER)],
      isTimed: true,
      database: 3,
    },
  ];
}

/** Each is written and read thousands of times. */
const someKinds = [...definitions, ...textKinds, ...everyKind.filter(({ key }) => key === "parts")];

export const twoStates = [
  { revision: 3, entries: someKinds },
  { revision: 7, entries: shiftedBy([...someKinds, { key: "more", value: "x".repeat(9000) }], 1) },
] as const satisfies readonly State[];

/** The same in later databases; behind the last comes the first. */
export function shiftedBy(entries: readonly EntryShape[], database: number): EntryShape[] {
  return entries.map((entry) => ({ ...entry, database: ((entry.database ?? 0) + database) % 16 }));
}
