/**
 * What a snapshot worker is sent and what it answers, in this order: an image to take, then what to do with it; or a task that
 * needs none. All of it
 * can be posted: plain data and shared memory.
 */
import type { BackupPlace } from "../backup/place.ts";
import type { ErrorCode } from "../errors.ts";
import type { Revision } from "../plugin.ts";
import type { CopyTask } from "../replication/copy-task.ts";
import type { BackupLevel } from "../session/backup-control.ts";
import type { PageCapture } from "../store/page-capture.ts";
import type { PluginSource } from "./plugin-source.ts";
import type { EntryRules, Seal, StagedForm } from "./staged-data.ts";

/** To the worker. */
export type SnapshotOrder =
  | {
      readonly kind: "image";
      readonly capture: PageCapture;
      /** Where the image has its name until it is mapped. */
      readonly path: string;
      /** For the main thread: it keeps its name, and the task is `leave`. */
      readonly isLeft?: boolean;
    }
  | { readonly kind: "task"; readonly task: SnapshotTask };

/** What is to be made of the image, with the persistence and its options in the configuration. */
export type SnapshotTask =
  | CheckpointTask
  | CheckTask
  | LeaveTask
  | BackupTask
  | VerificationTask
  // To be answered by its length.
  | CopyTask
  | StageTask
  | SealTask;

/** Nothing: the main thread reads the image. To be answered by an ImageReport. */
export interface LeaveTask {
  readonly kind: "leave";
}

interface TaskOfPersistence {
  readonly plugin: PluginSource;
  readonly options: unknown;
  readonly folder: string;
}

/** To be answered by a WorkedCheckpoint. */
export interface CheckpointTask extends TaskOfPersistence {
  readonly kind: "checkpoint";
  /** What `beginCheckpoint` answered. */
  readonly task: unknown;
}

/** To be answered by a StoreReport, but for what only the main thread knows. */
export interface CheckTask extends TaskOfPersistence {
  readonly kind: "check";
  readonly databases: number;
  readonly revision: Revision;
  readonly compares: boolean;
}

/** To be answered by a FinishedBackup. */
export interface BackupTask {
  readonly kind: "backup";
  readonly place: BackupPlace;
  readonly takenNames: readonly string[];
  /** Of kvdb. */
  readonly version: string;
}

/** Of a backup that is there: no image comes before it. To be answered by a BackupVerification. */
export interface VerificationTask {
  readonly kind: "verification";
  readonly place: BackupPlace;
  readonly name: string;
  readonly level: BackupLevel;
  readonly databases: number;
  /** Where it is unpacked. */
  readonly folder: string;
}

/** Where data comes from that is loaded beside what is served. */
export type StagedSource =
  /** An RDB. */
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "backup"; readonly place: BackupPlace; readonly name: string };

/** No image comes before it. To be answered by a LoadedData. */
export interface StageTask {
  readonly kind: "stage";
  readonly source: StagedSource;
  readonly form: StagedForm;
  readonly rules: EntryRules;
  /** Where a backup is unpacked. */
  readonly folder: string;
}

/** Of the data that was staged. To be answered by a WorkedCheckpoint, or null when none is wanted. */
export interface SealTask extends Seal {
  readonly kind: "seal";
  readonly checkpoint: (TaskOfPersistence & Pick<CheckpointTask, "task">) | undefined;
}

/** From the worker. */
export type SnapshotNews =
  /** Of a task that takes long: how much of it is done, between 0 and 1; of a copy for replicas: its bytes so far. */
  | { readonly kind: "progress"; readonly share: number }
  /** All pages are in the image: what changes from now on concerns it no more. */
  | { readonly kind: "imaged" }
  | { readonly kind: "done"; readonly result: unknown }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string };

/** A worker as the main thread sees it. */
export interface SnapshotWorker {
  post(order: SnapshotOrder): void;
  /** Ends it at its next step; what it does in a disk that stalls it does until the disk goes on. */
  stop(): void;
}

/** `onNews` is told of an end of the worker, too: as a failure. */
export type StartSnapshotWorker = (onNews: (news: SnapshotNews) => void) => SnapshotWorker;
