/**
 * The snapshot that is being taken, if any, as turns and commands meet it: how much a turn may still
 * do, whether writers may go on, and looking after it when a turn ends. How pages are copied is
 * store/snapshot.ts, who asks for images and reads them is snapshots.ts.
 */
import type { Clock } from "../platform/clock.ts";
import type { AccessClock } from "../store/access-clock.ts";
import type { Arena } from "../store/arena.ts";
import type { CaptureRing } from "../store/page-capture.ts";
import { Snapshot } from "../store/snapshot.ts";
import type { Capture } from "./snapshots.ts";

/** While its worker does not keep pace: how soon it is looked after again. */
export const SNAPSHOT_PAUSE_MS = 1;

export class CurrentSnapshot {
  /** False while sessions that write must wait. */
  acceptsWrites = true;
  readonly #arena: Arena;
  readonly #access: AccessClock;
  readonly #clock: Clock;
  readonly #endTurnSoon: () => void;
  #snapshot: Snapshot | null = null;
  /** A timer runs that looks after it. */
  #isLooking = false;
  #ringBytes = 0;

  constructor(options: {
    arena: Arena;
    access: AccessClock;
    clock: Clock;
    endTurnSoon: () => void;
  }) {
    this.#arena = options.arena;
    this.#access = options.access;
    this.#clock = options.clock;
    this.#endTurnSoon = options.endTurnSoon;
  }

  /** From this instant on each page is kept as it is, for the worker that writes an image. */
  begin(ring: CaptureRing): Capture {
    this.#ringBytes = ring.ring.length;
    const snapshot = Snapshot.cut(this.#arena, ring);
    this.#snapshot = snapshot;
    // Else whoever reads would have each page copied that he reads.
    this.#access.rest();
    const end = (how: "finish" | "cancel") => {
      if (this.#snapshot !== snapshot) return;
      snapshot[how]();
      this.#snapshot = null;
      this.#access.resume();
      this.#takeWrites();
      this.#endTurnSoon(); // whoever waits to write looks again then
    };
    return {
      capture: snapshot.capture,
      get isRunningLow() {
        return snapshot.isRunningLow;
      },
      finish: () => end("finish"),
      cancel: () => end("cancel"),
    };
  }

  /** One is being taken: who only moves things should wait. */
  get isTaken(): boolean {
    return this.#snapshot !== null;
  }

  /** The turn has copied as many pages for it as one may: the rest of the input waits for the next. */
  get turnIsFull(): boolean {
    return this.#snapshot?.turnIsFull === true;
  }

  /** Its buffers: no used memory, for they come and go with the disk's pace. */
  get memory(): { readonly ringBytes: number; readonly overflowBytes: number } {
    return { ringBytes: this.#ringBytes, overflowBytes: this.#snapshot?.overflowBytes ?? 0 };
  }

  endTurn(): void {
    if (this.#snapshot === null) return;
    // Writers wait, and pages outside the ring: they go on also when nobody sends anything.
    if (this.#snapshot.endTurn()) this.#lookAgain();
    this.#takeWrites();
  }

  /** Ends a turn in a moment: once, however many end before. */
  #lookAgain(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#clock.after(SNAPSHOT_PAUSE_MS, () => {
      this.#isLooking = false;
      this.#endTurnSoon();
    });
  }

  /** Lets writers in, unless the worker does not keep pace with them. */
  #takeWrites(): void {
    this.acceptsWrites = this.#snapshot === null || !this.#snapshot.isRunningLow;
  }
}
