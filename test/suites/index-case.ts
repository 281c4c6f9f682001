/**
 * What the tests of a kind of index are made of: the kind under test in an engine in memory, and what a full scan of the
 * documents says, to be compared with what the index says.
 */
import { expect } from "bun:test";
import { readDefinition } from "../../src/index/definition.ts";
import { documentAt, keyAsDocument, numberOf } from "../../src/index/documents.ts";
import type { LiveIndex } from "../../src/index/live-index.ts";
import type { Index, IndexKind, Plugin } from "../../src/plugin.ts";
import type { Filter } from "../../src/query/filter.ts";
import { compileFilter } from "../../src/query/matcher.ts";
import type { Value as FieldValue } from "../../src/query/value.ts";
import { eachStoredEntry } from "../../src/store/database-walk.ts";
import { EngineHarness, type HarnessOptions } from "./engine-harness.ts";
import { MemoryDisk } from "./memory-files.ts";
import { createTestContext } from "./persistence-context.ts";
import type { Value } from "./value-reply.ts";

export interface IndexCase<Options = unknown> {
  readonly plugin: Plugin<Options>;
  /** As a configuration would give them. */
  readonly options: Options;
  /** Options of the kind that every index of the tests has, as a definition gives them. */
  readonly definition?: Readonly<Record<string, string>>;
  /** Default: each that the plugin brings. */
  readonly kind?: string;
  /** Tells the cases of one plugin apart. */
  readonly name?: string;
}

/** One kind under test. */
export interface IndexSubject {
  readonly kind: IndexKind;
  readonly definition: Readonly<Record<string, string>>;
  readonly open: (options?: HarnessOptions) => IndexTrial;
}

/** What a definition says besides kind and name; `fields` by default `a`. */
export interface Shape {
  readonly fields?: readonly string[];
  readonly prefix?: string;
  readonly unique?: boolean;
  readonly sparse?: boolean;
  readonly where?: string;
}

/** Which documents belong into an index, and under how many keys. `compound` is for kinds that are. */
const SHAPES: Readonly<Record<string, Shape>> = {
  plain: {},
  nested: { fields: ["b.c"] },
  elements: { fields: ["tags"] },
  texts: { fields: ["text"] },
  sparse: { fields: ["b.c"], sparse: true },
  prefix: { prefix: "p:" },
  where: { fields: ["b.c"], where: "a > 3" },
  everything: { fields: ["text"], prefix: "p:", sparse: true, where: "id < 40" },
};
const COMPOUND: Shape = { fields: ["id", "tags"] };

export function shapesOf({ kind }: IndexSubject): [name: string, shape: Shape][] {
  const shapes = Object.entries(SHAPES);
  return kind.supports.compound ? [...shapes, ["compound", COMPOUND]] : shapes;
}

export function subjectsOf<Options>(tested: IndexCase<Options>): IndexSubject[] {
  const { definition = {} } = tested;
  const wanted = kindsOf(tested.plugin, tested.options).filter(
    ({ name }) => tested.kind === undefined || tested.kind === name,
  );
  if (wanted.length === 0) throw new Error("the plugin brings no such kind of index");
  return wanted.map((kind) => ({
    kind,
    definition,
    open: (options) => new IndexTrial(kind, definition, options),
  }));
}

export function kindsOf<Options>(plugin: Plugin<Options>, options: Options): readonly IndexKind[] {
  const context = createTestContext({ files: new MemoryDisk().files, folder: "/data" });
  return plugin.indexes?.(options, context) ?? [];
}

/** An engine that has the kind, and what the tests ask of it again and again. */
export class IndexTrial {
  readonly kind: IndexKind;
  readonly db: EngineHarness;
  readonly #definition: Readonly<Record<string, string>>;

  constructor(
    kind: IndexKind,
    definition: Readonly<Record<string, string>>,
    options: HarnessOptions = {},
    db = new EngineHarness({ ...options, indexKinds: [kind] }),
  ) {
    this.kind = kind;
    this.db = db;
    this.#definition = definition;
  }

  /** The words of INDEX CREATE. */
  creation(name: string, shape: Shape = {}): string[] {
    const { fields = ["a"], prefix, unique = false, sparse = false, where } = shape;
    return [
      ...["INDEX", "CREATE", name, "USING", this.kind.name, "FIELD", fields.join(",")],
      ...(prefix === undefined ? [] : ["PREFIX", prefix]),
      ...(unique ? ["UNIQUE"] : []),
      ...(sparse ? ["SPARSE"] : []),
      ...(where === undefined ? [] : ["WHERE", where]),
      ...Object.entries(this.#definition).flat(),
    ];
  }

  /** Answers how many entries it has. */
  create(name: string, shape: Shape = {}): Value {
    return this.db.run(...this.creation(name, shape));
  }

  /** One that has nothing, beside whoever is served: for a build that the test drives. */
  make(name: string, shape: Shape = {}): LiveIndex {
    const { all } = this.db.engine.indexes;
    const { fields = ["a"], ...rest } = shape;
    const given = { use: this.kind.name, fields, ...rest, ...this.#definition };
    const index = all.make(this.db.session.database, readDefinition(name, given));
    all.add(index);
    return index;
  }

  put(key: string, document: unknown): Value {
    return this.db.run("VALUE.SET", key, JSON.stringify(document));
  }

  index(name: string): LiveIndex {
    const index = this.db.engine.indexes.all.named(this.db.session.database, name);
    if (index === undefined) throw new Error(`there is no index ${name}`);
    return index;
  }

  /** A line of INDEX INFO. */
  info(name: string, line: string): Value | undefined {
    return (this.db.run("INDEX", "INFO", name) as Map<Value, Value>).get(line);
  }

  /** "ok", or the problems that INDEX CHECK found. */
  check(name: string): Value | undefined {
    const answer = this.db.run("INDEX", "CHECK", name) as Map<Value, Value>;
    return answer.get("status") === "ok" ? "ok" : answer.get("problems");
  }

  /** Every index has what the documents say, and has been told how much that is. */
  expectTrue(): void {
    for (const index of this.db.engine.indexes.all.of(this.db.session.database)) {
      const { name, state } = index;
      // It removes what is over on its way, so what is stored is looked at after it.
      const check = this.check(name);
      const rows = scan(index);
      const entries = rows.reduce((total, row) => total + row.keys.length, 0);
      expect({ name, state, check, entries: index.entries }).toEqual({
        ...{ name, state: "ready", check: "ok", entries },
      });
      expect([name, index.documents]).toEqual([name, rows.length]);
    }
  }

  /** Another engine that has replayed everything this one recorded. */
  restarted(): IndexTrial {
    return new IndexTrial(this.kind, this.#definition, {}, this.db.replayed());
  }
}

/** A document that is in an index, as its text says. */
export interface Row {
  readonly document: number;
  readonly keys: readonly Uint8Array[];
  /** Of a kind that reads them. */
  readonly values: readonly FieldValue[];
}

/**
 * The documents that belong into the index and, when there is a filter, pass it. Those that are over and not yet removed
 * are in an index still.
 */
export function scan(index: LiveIndex, filter?: Filter): Row[] {
  const { database } = index;
  const matcher = filter === undefined ? undefined : compileFilter(filter);
  const entries: number[] = [];
  eachStoredEntry(database, (entry) => entries.push(entry));
  const rows: Row[] = [];
  for (const entry of entries) {
    const place = keyAsDocument(database, entry);
    const source = index.isKeyIndex ? place : documentAt(database, entry);
    const keys = source === undefined ? [] : index.keysOf(source);
    if (source === undefined || keys.length === 0) continue;
    const { bytes, start, end, keyBytes, keyStart, keyEnd } = source;
    if (matcher?.matches(bytes, start, end, keyBytes, keyStart, keyEnd) === false) continue;
    const document = numberOf(database, keyBytes, keyStart, keyEnd);
    rows.push({ document, keys, values: index.valuesOf(source) });
  }
  return rows;
}

/** The kind with another making of its instances: `wrap` is given each. */
export function wrappedKind(kind: IndexKind, wrap: (instance: Index) => Index): IndexKind {
  return Object.create(kind, {
    create: { value: (host: Parameters<IndexKind["create"]>[0]) => wrap(kind.create(host)) },
  });
}

/** An instance that does something else in the place of some of its members. */
export function wrappedIndex(instance: Index, parts: Partial<Index>): Index {
  const descriptors = Object.getOwnPropertyDescriptors(parts);
  return new Proxy(instance, {
    get(target, member) {
      if (Object.hasOwn(descriptors, member)) return parts[member as keyof Index];
      const value = Reflect.get(target, member, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
