/**
 * A third-party persistence as the journal calls it. Its contract says that `append` does not throw; when it does, those
 * records are lost, so nothing can be promised from then on: every further flush fails, which lets the journal refuse
 * writes and keep reads, until somebody starts kvdb anew. What is not a promise, not a report or not a document is told as such.
 */
import { KvdbError } from "../errors.ts";
import type {
  CheckpointKind,
  CheckpointReport,
  Durability,
  LoadReport,
  LoadSink,
  Persistence,
  PersistenceAbilities,
  RecordBatch,
  Revision,
} from "../plugin.ts";
import { checkDocuments } from "./document-check.ts";
import { type FaultLog, messageOf } from "./fault-log.ts";

export class GuardedPersistence implements Persistence {
  readonly #persistence: Persistence;
  readonly #title: string;
  readonly #faults: FaultLog;
  #broken: KvdbError | undefined;
  /** Only where the plugin has it. */
  readonly read?: (from: Revision) => AsyncIterable<RecordBatch>;

  constructor(persistence: Persistence, plugin: string, faults: FaultLog) {
    this.#persistence = persistence;
    this.#title = `plugin "${plugin}"`;
    this.#faults = faults;
    if (persistence.read === undefined) return;
    this.read = (from) => (persistence as Required<Persistence>).read(from);
  }

  get supports(): PersistenceAbilities {
    return this.#persistence.supports;
  }

  get durability(): Durability {
    return this.#persistence.durability;
  }

  async open(): Promise<void> {
    await this.#persistence.open();
  }

  async load(sink: LoadSink): Promise<LoadReport> {
    const report: Partial<LoadReport> | undefined = await this.#persistence.load(
      checkDocuments(sink),
    );
    const isReport =
      Number.isSafeInteger(report?.lastRevision) &&
      typeof report?.clean === "boolean" &&
      Array.isArray(report.dropped);
    if (!isReport) throw new TypeError("load answered no report with lastRevision, clean, dropped");
    return report as LoadReport;
  }

  append(batch: RecordBatch): void {
    if (this.#broken !== undefined) return;
    try {
      this.#persistence.append(batch);
    } catch (thrown) {
      const what = `${this.#title}: append threw, records are lost`;
      this.#faults.report(what, thrown);
      this.#broken = new KvdbError("INTERNAL", `${what}: ${messageOf(thrown)}`, { cause: thrown });
    }
  }

  async flush(durable: boolean): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    await this.#persistence.flush(durable);
    // What broke meanwhile broke after this flush was asked for; the next one tells.
  }

  async beginCheckpoint(revision: Revision, kind: CheckpointKind): Promise<unknown> {
    return await this.#persistence.beginCheckpoint?.(revision, kind);
  }

  async checkpointed(report: CheckpointReport): Promise<void> {
    await this.#persistence.checkpointed?.(report);
  }

  keepForReaders(): void {
    this.#persistence.keepForReaders?.();
  }

  get readableFrom(): Revision {
    return this.#persistence.readableFrom ?? Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {
    await this.#persistence.close();
  }
}
