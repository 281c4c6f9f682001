/**
 * A worker that verifies a backup beside everything else: it needs no image, so checkpoints go on meanwhile. It has nothing
 * that would be lost, so it ends at its next step when nobody waits any more.
 */
import { KvdbError } from "../errors.ts";
import type { BackupVerification } from "../session/backup-control.ts";
import type { StartSnapshotWorker, VerificationTask } from "./snapshot-messages.ts";

export class VerificationWorker {
  readonly #start: StartSnapshotWorker;
  #giveUp: (() => void) | undefined;

  constructor(start: StartSnapshotWorker) {
    this.#start = start;
  }

  /** One at a time. */
  async run(
    task: VerificationTask,
    onProgress: (share: number) => void,
  ): Promise<BackupVerification> {
    const { promise, resolve, reject } = Promise.withResolvers<BackupVerification>();
    const worker = this.#start((news) => {
      if (news.kind === "progress") onProgress(news.share);
      else if (news.kind === "done") resolve(news.result as BackupVerification);
      else if (news.kind === "failed") reject(new KvdbError(news.code, news.message));
    });
    this.#giveUp = () => reject(new KvdbError("UNAVAILABLE", "it is no longer wanted"));
    try {
      worker.post({ kind: "task", task });
      return await promise;
    } finally {
      this.#giveUp = undefined;
      worker.stop();
    }
  }

  /** Harmless when there is none. */
  cancel(): void {
    this.#giveUp?.();
  }
}
