/**
 * Brings the data back through a persistence, and keeps the account of it: what came, how long it took, what was not
 * kept. Where the purpose allows it, records that do not fit the data any more are left out and become findings of the
 * report; of very many only the first are told one by one.
 */

import { KvdbError } from "../errors.ts";
import type { Skipped } from "../journal/replay.ts";
import { MAX_TOLD_SKIPPED } from "../limits.ts";
import type { Clock } from "../platform/clock.ts";
import type { Dropped, LoadReport, LoadSink, OpenPurpose, Persistence } from "../plugin.ts";
import type { Engine } from "./engine-port.ts";

export interface LoadAccount {
  readonly persistence: string;
  /** As the persistence gave it; with what was left out among `dropped`. */
  readonly report: LoadReport;
  /** Entries of a checkpoint. */
  readonly entries: number;
  /** Commands of records that were left out, those included that are not told one by one. */
  readonly skipped: number;
  readonly durationMs: number;
}

export interface LoadingOptions {
  readonly engine: Pick<Engine, "loadSink" | "onSkipped">;
  readonly purpose: OpenPurpose;
  readonly folder: string;
  readonly clock: Clock;
  /** Throws when the load is to end. */
  heedStop(): void;
  readonly view: LoadingView;
}

/** Shows somebody who waits how far a load is. */
export interface LoadingView {
  /** In bytes, from time to time; `total` is 0 until somebody knows. */
  progress(done: number, total: number): void;
  /** All data is read; of the contents of indexes, so much is made: between 0 and 1. */
  indexing(share: number): void;
  /** It is over, however it went. */
  end(): void;
}

export class Loading {
  readonly #options: LoadingOptions;
  readonly #told: Skipped[] = [];
  #entries = 0;
  #skipped = 0;
  #untoldBytes = 0;

  constructor(options: LoadingOptions) {
    this.#options = options;
  }

  async run(persistence: Persistence, name: string): Promise<LoadAccount> {
    const { engine, purpose, clock, view } = this.#options;
    const begunMs = clock.monotonicMs();
    if (purpose.kind !== "use") engine.onSkipped = (skipped) => this.#note(skipped);
    const sink = this.#watched(engine.loadSink);
    const found = await persistence.load(sink).finally(() => view.end());
    const report = { ...found, dropped: [...found.dropped, ...this.#findings()] };
    return {
      persistence: name,
      report,
      entries: this.#entries,
      skipped: this.#skipped,
      durationMs: clock.monotonicMs() - begunMs,
    };
  }

  /** Lets a stop end a long load at the next batch. */
  #watched(sink: LoadSink): LoadSink {
    const { heedStop, view } = this.#options;
    return {
      entry: (entry) => {
        heedStop();
        if (!entry.isContinued) this.#entries++;
        sink.entry(entry);
      },
      records: (batch) => {
        heedStop();
        sink.records(batch);
      },
      progress: (done, total) => {
        sink.progress(done, total);
        view.progress(done, total);
      },
    };
  }

  #note(skipped: Skipped): void {
    this.#skipped++;
    if (this.#told.length < MAX_TOLD_SKIPPED) this.#told.push(skipped);
    else this.#untoldBytes += skipped.bytes;
  }

  /** Only the folder is known: a record that was read whole has left its file behind. */
  #findings(): Dropped[] {
    const finding = (bytes: number, reason: string): Dropped => {
      return { kind: "damage", file: this.#options.folder, offset: 0, bytes, reason };
    };
    const findings = this.#told.map(({ revision, bytes, reason }) =>
      finding(bytes, `revision ${revision} does not fit what is left: ${reason}`),
    );
    const untold = this.#skipped - this.#told.length;
    if (untold > 0) {
      findings.push(finding(this.#untoldBytes, `${untold} more commands do not fit what is left`));
    }
    return findings;
  }
}

/** For an engine that only shows what was loaded: what is changed in it goes nowhere. */
export const KEEPS_NOTHING: Persistence = {
  supports: { records: false, checkpoints: false },
  durability: "none",
  async open() {},
  load: () => Promise.reject(new KvdbError("INTERNAL", "there is nothing to load")),
  append() {},
  async flush() {},
  async close() {},
};
