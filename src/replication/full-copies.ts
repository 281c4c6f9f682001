/**
 * Who gets which full copy, and when one is made: replicas that want one gather for a moment (repl-diskless-sync-delay) and share
 * it; who comes while one is being written shares that one too, since the log has what was changed meanwhile. One is made at a time.
 */
import { asKvdbError, type KvdbError } from "../errors.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { type CopyFile, FullCopy } from "./full-copy.ts";
import type { LeadingSettings } from "./leading-settings.ts";
import type { StreamCut } from "./stream.ts";

/** A replica that waits for a copy. */
export interface CopyReceiver {
  /** It takes a copy whose length nobody knows yet. */
  readonly takesGrowing: boolean;
  /** It holds the copy from now on. */
  begin(copy: FullCopy): void;
  fail(failure: KvdbError): void;
}

export interface CopyOrder {
  /** The image is taken, and is written into the file from now on. */
  begun(cut: StreamCut, file: CopyFile): void;
  /** So many bytes of it are in the file. */
  grown(bytes: number): void;
  /** Asked before it begins: somebody still waits for it. */
  readonly isWanted: boolean;
}

/** Writes images of all data as RDB; the kernel's. */
export interface CopyMaker {
  /** Resolves to the length of the whole copy. */
  make(order: CopyOrder): Promise<number>;
  /** Gives up what is being made. */
  cancel(): void;
}

export interface FullCopiesParts {
  readonly maker: CopyMaker;
  readonly settings: LeadingSettings;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the stream at this moment. */
  streamId(): string;
}

export class FullCopies {
  readonly #parts: FullCopiesParts;
  readonly #waiting = new Set<CopyReceiver>();
  #timer: Timer | null = null;
  /** One was asked for. */
  #isMaking = false;
  /** The one that is being written. */
  #growing: FullCopy | null = null;

  constructor(parts: FullCopiesParts) {
    this.#parts = parts;
  }

  get isDiskless(): boolean {
    return this.#parts.settings.isDiskless;
  }

  want(receiver: CopyReceiver): void {
    const growing = this.#growing;
    if (growing !== null && growing.cut.id === this.#parts.streamId()) {
      growing.hold();
      receiver.begin(growing);
      return;
    }
    this.#waiting.add(receiver);
    if (!this.#isMaking) this.#beginInTime(receiver);
  }

  /** It does not want one any more, or lets go the one that it has. */
  withdraw(receiver: CopyReceiver, copy: FullCopy | null): void {
    this.#waiting.delete(receiver);
    copy?.release();
    if (copy !== null && copy === this.#growing && copy.isUnwanted) {
      // Who comes before it has been given up waits for the next one.
      this.#growing = null;
      this.#parts.maker.cancel();
    }
    if (this.#waiting.size === 0) this.#stopTimer();
  }

  /** Others may come, as after a restart of this server: they share it. */
  #beginInTime(receiver: CopyReceiver): void {
    const { settings, clock } = this.#parts;
    const { isDiskless, disklessDelaySeconds, disklessMaxReplicas } = settings;
    const isFull = disklessMaxReplicas > 0 && this.#waiting.size >= disklessMaxReplicas;
    const waits = isDiskless && receiver.takesGrowing && disklessDelaySeconds > 0 && !isFull;
    if (!waits) this.#begin();
    else this.#timer ??= clock.after(disklessDelaySeconds * 1000, () => this.#begin());
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #begin(): void {
    this.#stopTimer();
    this.#isMaking = true;
    void this.#make();
  }

  async #make(): Promise<void> {
    const { maker } = this.#parts;
    const waiting = this.#waiting;
    let copy: FullCopy | null = null;
    let isGivenUp = false;
    const order: CopyOrder = {
      begun: (cut, file) => {
        copy = this.#begun(cut, file);
      },
      grown: (bytes) => copy?.grow(bytes),
      get isWanted() {
        isGivenUp = waiting.size === 0;
        return !isGivenUp;
      },
    };
    const [outcome] = await Promise.allSettled([maker.make(order)]);
    this.#growing = null;
    this.#isMaking = false;
    if (outcome.status === "fulfilled") (copy as FullCopy | null)?.finish(outcome.value);
    else if (copy !== null || !isGivenUp) {
      this.#failed(copy, asKvdbError(outcome.reason).prefix("a full copy for replicas"));
    }
    // Of another stream, so that they could not share it, or come since it was given up.
    if (this.#waiting.size > 0) this.#begin();
  }

  #begun(cut: StreamCut, file: CopyFile): FullCopy {
    const copy = new FullCopy(cut, file, (closing) => void this.#tellFailure(closing));
    this.#growing = copy;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const receiver of waiting) {
      copy.hold();
      receiver.begin(copy);
    }
    return copy;
  }

  #failed(copy: FullCopy | null, failure: KvdbError): void {
    if (copy !== null) {
      if (!copy.isUnwanted) this.#parts.log.error(failure.message);
      copy.fail(failure);
      return;
    }
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    if (waiting.length > 0) this.#parts.log.error(failure.message);
    for (const receiver of waiting) receiver.fail(failure);
  }

  /** Nothing depends on it. */
  async #tellFailure(closing: Promise<void>): Promise<void> {
    const [outcome] = await Promise.allSettled([closing]);
    if (outcome.status === "fulfilled") return;
    const error = asKvdbError(outcome.reason).message;
    this.#parts.log.warn("the file of a full copy could not be closed", { error });
  }

  stop(): void {
    this.#stopTimer();
    this.#waiting.clear();
    if (this.#isMaking) this.#parts.maker.cancel();
  }
}
