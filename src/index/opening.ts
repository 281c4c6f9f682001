/**
 * The indexes at the start: made of the definitions in the loaded data and in the configuration, and filled before anybody
 * is let in. A definition of the data that cannot be served (its plugin is missing, a file was edited by hand) is kept and
 * told; one of the configuration that cannot is fatal, for whoever starts kvdb can change it.
 */
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { atTurnEnd } from "../platform/turn.ts";
import type { Database } from "../store/database.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { IndexBuild } from "./building.ts";
import { type IndexDefinition, isSameDefinition, readDefinition } from "./definition.ts";
import type { Indexes } from "./indexes.ts";
import type { LiveIndex } from "./live-index.ts";

export interface OpenIndexes {
  readonly clock: Clock;
  /** Throws when the start is to end. */
  heedStop(): void;
  readonly view: { indexing(share: number): void };
  /** Contents are made when somebody needs them, and not before. */
  readonly defers: boolean;
}

export interface WantedIndex {
  readonly database: Database;
  readonly definition: IndexDefinition;
}

export interface OpeningParts extends OpenIndexes {
  readonly keyspace: Keyspace;
  readonly indexes: Indexes;
  readonly wanted: readonly WantedIndex[];
  readonly log: Log;
}

/** Nobody is served meanwhile; those who ask are told so between two slices. */
const SLICE_MS = 10;

/** Answers those of the configuration that the data does not have: their definitions are to be recorded. */
export async function openIndexes(parts: OpeningParts): Promise<WantedIndex[]> {
  const fresh: WantedIndex[] = [];
  const fatal: KvdbError[] = [];
  const builds = parts.keyspace.databases.map((database) => {
    const definitions = definitionsOf(database, parts);
    fresh.push(...mergeWanted(definitions, database, parts.wanted));
    const indexes = makeAll(database, definitions, parts);
    return fill(indexes, (index, failure) => {
      const isWanted = fresh.some(({ definition }) => definition === index.definition);
      if (isWanted)
        fatal.push(new KvdbError("CONFIG", `indexes.${index.name}: ${failure.message}`));
      else warnOfIndex(parts.log, database, index.name, failure);
    });
  });
  for (const build of builds) {
    // What the configuration adds is recorded when it is complete.
    if (parts.defers && fresh.length === 0) {
      parts.indexes.defer(build);
      continue;
    }
    const running = run(build, parts, () => fatal.length > 0);
    if (build.progress < 1) await running;
  }
  if (fatal[0] !== undefined) throw fatal[0];
  return fresh;
}

/**
 * While kvdb serves: makes the indexes of the definitions in a database that have none yet. Answers the work that fills them;
 * until then they are being built, as after INDEX CREATE.
 */
export function openMissing(
  database: Database,
  parts: Pick<OpeningParts, "keyspace" | "indexes" | "log">,
): IndexBuild {
  const known = parts.indexes.of(database).map(({ name }) => name);
  const missing = definitionsOf(database, parts).filter(({ name }) => !known.includes(name));
  const indexes = makeAll(database, missing, { ...parts, wanted: [] });
  return fill(indexes, ({ name }, failure) => warnOfIndex(parts.log, database, name, failure));
}

/** What the configuration says counts. Answers what it changes. */
function mergeWanted(
  definitions: IndexDefinition[],
  database: Database,
  wanted: readonly WantedIndex[],
): WantedIndex[] {
  return wanted.filter((one) => {
    if (one.database !== database) return false;
    const { definition } = one;
    const at = definitions.findIndex(({ name }) => name === definition.name);
    const old = definitions[at];
    if (old !== undefined && isSameDefinition(old, definition)) return false;
    if (old === undefined) definitions.push(definition);
    else definitions[at] = definition;
    return true;
  });
}

function definitionsOf(
  database: Database,
  { keyspace, log }: Pick<OpeningParts, "keyspace" | "log">,
): IndexDefinition[] {
  const found: IndexDefinition[] = [];
  for (const [name, text] of keyspace.definitionsOf(database)) {
    try {
      found.push(readDefinition(name, JSON.parse(text)));
    } catch (error) {
      warnOfIndex(log, database, name, error);
    }
  }
  return found;
}

function makeAll(
  database: Database,
  definitions: readonly IndexDefinition[],
  { indexes, log, wanted }: Pick<OpeningParts, "indexes" | "log" | "wanted">,
): LiveIndex[] {
  const made: LiveIndex[] = [];
  for (const definition of definitions) {
    try {
      const index = indexes.make(database, definition);
      indexes.add(index);
      made.push(index);
    } catch (error) {
      if (wanted.some((one) => one.definition === definition)) throw error;
      warnOfIndex(log, database, definition.name, error);
    }
  }
  return made;
}

function fill(
  indexes: readonly LiveIndex[],
  onFailure: (index: LiveIndex, failure: Error) => void,
): IndexBuild {
  return new IndexBuild({
    indexes,
    requireMemory: () => {},
    onEnd: (index, failure) => {
      if (failure === undefined) return;
      if (index.state !== "failed") index.fail(failure.message);
      onFailure(index, failure);
    },
  });
}

/** Without any wait where one slice is enough. */
async function run(
  build: IndexBuild,
  { clock, heedStop, view }: OpeningParts,
  isOver: () => boolean,
): Promise<void> {
  const sliceEnd = () => clock.monotonicMs() + SLICE_MS;
  for (
    let endMs = sliceEnd();
    !build.step(() => clock.monotonicMs() >= endMs);
    endMs = sliceEnd()
  ) {
    if (isOver()) return;
    view.indexing(build.progress);
    await new Promise<void>((resolve) => atTurnEnd(resolve));
    heedStop();
  }
}

export function warnOfIndex(log: Log, database: Database, name: string, error: unknown): void {
  log.warn("an index cannot be used", {
    index: name,
    database: database.index,
    error: asKvdbError(error).message,
  });
}
