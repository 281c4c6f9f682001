/**
 * The data of a start: read from the persistence, with the stream of replication that it stands in, and indexed; from then on
 * changes are recorded. What comes before (folder, lock, frontends) and the way back are kernel.ts's.
 *
 * Invariant: nothing is recorded, and the folder is not claimed, before all of it was read.
 */
import { firstRevisionAfter } from "../journal/journal.ts";
import type { FolderLock } from "../platform/folder-lock.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { Host } from "./context.ts";
import { primaryOf } from "./following-host.ts";
import type { Instances } from "./instances.ts";
import { leavesDamage, replaceDamaged, tellLoad, warnOfOtherPlace } from "./load-outcome.ts";
import { KEEPS_NOTHING, type LoadAccount, Loading, type LoadingView } from "./loading.ts";
import { LoadingLog } from "./loading-log.ts";
import { goingOn, withPast } from "./past-revisions.ts";
import type { Duties } from "./role.ts";

export interface DataOpeningParts {
  readonly host: Host;
  readonly instances: Pick<Instances, "persistence" | "chosen">;
  readonly checkpoints: Checkpoints;
  readonly duties: Pick<Duties, "tells" | "defersIndexes">;
  /** Undefined: the log is told how far it is. */
  readonly view: LoadingView | undefined;
  /** Makes it a primary's or a replica's: nobody may write before that is known. */
  takeRole(): Promise<void>;
  /** Throws what ends a start when kvdb is to stop. */
  heedStop(): void;
  /** Says in a failure what was being done. */
  attempt<Result>(doing: string, run: () => Promise<Result>): Promise<Result>;
}

export class DataOpening {
  /** What was loaded; undefined before. */
  loaded: LoadAccount | undefined;
  readonly #parts: DataOpeningParts;
  #givesRevisions = false;

  constructor(parts: DataOpeningParts) {
    this.#parts = parts;
  }

  /** Changes have been given revisions, or may be. */
  get givesRevisions(): boolean {
    return this.#givesRevisions;
  }

  /** Clients may do what their server does when it resolves. `lock`: of the folder, if there is one. */
  async load(lock: FolderLock | undefined): Promise<void> {
    const { host, instances, checkpoints, duties, takeRole, heedStop } = this.#parts;
    const { engine, log } = host;
    const { persistence } = instances;
    const account = await this.#read(lock);
    const outcome = { account, instances, log };
    if (lock !== undefined) warnOfOtherPlace(outcome, lock);
    // Who keeps each change knows itself which ones there were.
    const { records } = persistence.supports;
    const past = records ? account.report : goingOn(account.report, lock?.givenBefore);
    // Before the first write, and not before the folder could be read: a plugin that fails owns nothing.
    await lock?.claim(records ? undefined : firstRevisionAfter(past) - 1);
    heedStop();
    await engine.stream.resume(account.report, firstRevisionAfter(past));
    this.#givesRevisions = true;
    engine.beginRecording(persistence, past);
    await this.#openIndexes();
    engine.finishLoading();
    checkpoints.start();
    await takeRole();
    if (duties.tells) tellLoad(outcome);
    if (leavesDamage(outcome, host.purpose)) replaceDamaged(outcome, checkpoints);
  }

  /** Contents of indexes are in no file: they are made of the documents, before anybody is let in. */
  #openIndexes(): Promise<void> {
    const { host, duties, heedStop, attempt } = this.#parts;
    const { engine, clock } = host;
    const view = this.#newView();
    let isShown = false;
    const indexing = (share: number) => {
      isShown = true;
      view.indexing(share);
    };
    const defers = duties.defersIndexes;
    return attempt("making the indexes", () =>
      engine
        .openIndexes({ clock, heedStop, view: { indexing }, defers })
        .finally(() => isShown && view.end()),
    );
  }

  /** The data is there for who looks at it; no change of it goes anywhere. */
  async check(lock: FolderLock | undefined): Promise<void> {
    const { engine } = this.#parts.host;
    const { report } = await this.#read(lock);
    engine.beginRecording(KEEPS_NOTHING, report);
    engine.finishLoading();
  }

  async #read(lock: FolderLock | undefined): Promise<LoadAccount> {
    const { host, instances, heedStop, attempt } = this.#parts;
    const { engine, purpose, config, clock } = host;
    const { persistence, chosen } = instances;
    const { name } = chosen.plugin;
    heedStop();
    const folder = config.dir;
    const view = this.#newView();
    const loading = new Loading({ engine, purpose, folder, clock, heedStop, view });
    // A check changes nothing, so nothing goes on.
    if (lock !== undefined && purpose.kind !== "check") {
      if (primaryOf(host) !== null) engine.stream.followsAtStart = true;
      await engine.stream.prepare(host.files, folder);
    }
    const run = () => loading.run(persistence, name);
    const account = await attempt(`plugin "${name}": loading`, run);
    const given = persistence.supports.records ? undefined : lock?.givenBefore;
    this.loaded = given === undefined ? account : withPast(account, given, folder);
    return this.loaded;
  }

  #newView(): LoadingView {
    const { view, host } = this.#parts;
    return view ?? new LoadingLog(host.log, host.clock);
  }
}
