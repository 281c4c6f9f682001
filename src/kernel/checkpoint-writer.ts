/**
 * How one checkpoint is written: while kvdb serves, by a worker from an image (snapshots.ts); when nobody is served (at a stop,
 * in a one-shot command) here, from the arena itself. What it looks like is the persistence's, and when one is written is
 * checkpoints.ts's.
 *
 * Invariant: from the moment that a checkpoint stands for, the persistence and the stream of replication know of it.
 */
import type { Files } from "../platform/files.ts";
import type {
  CheckpointKind,
  EntryReader,
  Persistence,
  Revision,
  WriteCheckpoint,
  WrittenCheckpoint,
} from "../plugin.ts";
import type { LoggedStream } from "../replication/logged-stream.ts";
import type { EntriesTaken } from "../store/entry-walk.ts";
import type { PluginSource } from "./plugin-source.ts";

/** The engine, as far as checkpoints need it. */
export interface CheckpointedEngine {
  readonly disk: { readonly lastRevision: Revision; followMode(): void };
  /** Keeps where in the stream of replication each checkpoint stands. A restore into a folder has none. */
  readonly stream?: Pick<LoggedStream, "beginCheckpoint" | "checkpointCounts">;
  /** All entries as they are now. Nothing may change while they are read. */
  readEntries(taken?: EntriesTaken): EntryReader;
  /** Nothing changes by itself until the function that it returns is called. */
  rest(): () => void;
}

/** Runs `writeCheckpoint` beside the loop, on the state at one moment. */
export interface CheckpointWorker {
  /**
   * `begin` is called at that moment, when everything up to `revision` was handed to the persistence and nothing later;
   * what it resolves to is the task.
   */
  write(
    request: CheckpointRequest,
    begin: (revision: Revision) => Promise<unknown>,
  ): Promise<WorkedCheckpoint>;
  /** Gives up what is under way. */
  cancel(): void;
}

export interface CheckpointRequest {
  readonly plugin: PluginSource;
  readonly options: unknown;
  readonly folder: string;
}

export interface WorkedCheckpoint extends WrittenCheckpoint {
  readonly revision: Revision;
  readonly entries: number;
}

export interface CheckpointWriterOptions {
  readonly engine: CheckpointedEngine;
  readonly persistence: Persistence;
  readonly plugin: {
    readonly name: string;
    readonly source: PluginSource;
    readonly options: unknown;
    readonly writeCheckpoint: WriteCheckpoint<never> | undefined;
  };
  readonly folder: string;
  readonly files: Files;
  /** Undefined: nobody is served meanwhile, so what is asked for is written when kvdb stops. */
  readonly worker: CheckpointWorker | undefined;
}

/** Of which kind, and whether of data that is in the place of all there was. */
export interface CheckpointPurpose {
  readonly kind: CheckpointKind;
  readonly replacesAll: boolean;
}

export class CheckpointWriter {
  readonly #options: CheckpointWriterOptions;

  constructor(options: CheckpointWriterOptions) {
    this.#options = options;
  }

  write(purpose: CheckpointPurpose): Promise<WorkedCheckpoint> {
    const { worker } = this.#options;
    if (worker === undefined) return this.writeHere(purpose);
    return worker.write(this.request, (revision) => this.announce(revision, purpose));
  }

  /** What a worker is told. */
  get request(): CheckpointRequest {
    const { plugin, folder } = this.#options;
    return { plugin: plugin.source, options: plugin.options, folder };
  }

  /** While nothing else runs: no client is served but the one that asked. */
  async writeHere(purpose: CheckpointPurpose): Promise<WorkedCheckpoint> {
    const { engine, plugin, folder, files } = this.#options;
    const resume = engine.rest();
    try {
      const entries = engine.readEntries("stored");
      const task = await this.announce(entries.revision, purpose);
      const write = plugin.writeCheckpoint as WriteCheckpoint;
      const { options } = plugin;
      const written = await write(entries, { files, folder, options, task, proceed: () => {} });
      return { ...written, revision: entries.revision, entries: entries.entryCount };
    } finally {
      resume();
    }
  }

  /** One of this revision begins. Resolves to what the persistence has to say to whoever writes it. */
  async announce(revision: Revision, { kind, replacesAll }: CheckpointPurpose): Promise<unknown> {
    const { persistence, engine } = this.#options;
    engine.stream?.beginCheckpoint(revision, replacesAll);
    const begun = persistence.beginCheckpoint?.(revision, kind);
    // It may keep records from this moment on: none may be missed.
    engine.disk.followMode();
    return await begun;
  }
}
