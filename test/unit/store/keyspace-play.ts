/**
 * Random play on a keyspace and its model: changes of all kinds, deadlines, jumps of time. For keyspace.test.ts, and for
 * the tests of snapshots, which play on while an image is taken.
 */
import { expect } from "bun:test";
import { MAX_DEADLINE_MS } from "../../../src/limits.ts";
import { KEEP_DEADLINE } from "../../../src/store/database.ts";
import { JSON_TEXT, STRING } from "../../../src/store/entry.ts";
import { KeyspaceModel } from "./keyspace-model.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 1440 * MINUTE;
const YEAR = 365 * DAY;

/** A reminder comes at most one tick late. */
const TICK_MS = 16;
/** Useless reminders that are not worth a sweep, besides one for each that is of use. */
const SWEEP_SLACK = 1024;

export class KeyspacePlay {
  readonly model: KeyspaceModel;

  constructor(seed: number) {
    this.model = new KeyspaceModel(seed);
  }

  below(bound: number): number {
    return this.model.random.below(bound);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  index(): number {
    return this.below(this.model.maps.length);
  }

  key(): string {
    return this.below(50) === 0 ? "long".padEnd(250 + this.below(10), "!") : `k${this.below(300)}`;
  }

  value(): Buffer {
    const size = this.pick([0, 1, 7, 8, 9, 30, 300, this.below(40), this.below(5000)]);
    return Buffer.alloc(size, this.below(256));
  }

  deadline(): number {
    const { nowMs } = this.model.keyspace;
    const spans = [1, 20, SECOND, 5 * SECOND, 20 * MINUTE, DAY, 30 * DAY, 3 * YEAR, 99 * YEAR];
    const ahead = nowMs + 1 + this.below(this.pick(spans) % 2 ** 32);
    // The same moment again and again: its reminders pile up.
    return this.pick([ahead, ahead, ahead, Math.ceil((nowMs + 1) / DAY) * DAY, MAX_DEADLINE_MS]);
  }

  jump(): number {
    return this.pick([0, 1, 15, 16, 17, 100, 100, SECOND, 5 * SECOND, 20 * MINUTE]);
  }

  farJump(): number {
    return this.pick([DAY, 30 * DAY, 60 * DAY, 3 * YEAR, 300 * YEAR]);
  }

  change(): void {
    const { model } = this;
    const index = this.index();
    const key = this.key();
    const draw = this.below(1000);
    if (draw < 300) {
      const deadlineMs = this.pick([0, KEEP_DEADLINE, this.deadline()]);
      model.put(index, key, this.value(), deadlineMs, this.pick([STRING, JSON_TEXT]));
    } else if (draw < 400) model.resize(index, key, this.below(200));
    else if (draw < 600) model.setDeadline(index, key, this.deadline());
    else if (draw < 680) model.setDeadline(index, key, 0);
    else if (draw < 800) model.remove(index, key);
    else if (draw < 950) model.transfer(index, key, this.index(), this.key(), this.below(2) === 0);
    else if (draw < 960) model.swap(index, this.index());
    else if (draw < 962) model.flush(index);
    else if (draw < 964) model.keyspace.reapSlice();
    else if (draw < 970) this.define();
    else model.find(index, key);
  }

  /** Definitions of indexes come and go, and have other texts. */
  define(): void {
    const name = `by_${this.below(9)}`;
    const field = "ø".repeat(this.pick([1, 10, 300, 20_000]));
    if (this.below(3) === 0) this.model.undefine(this.index(), name);
    else this.model.define(this.index(), name, JSON.stringify({ use: "hash", field }));
  }

  /** Time passes, and keys expire on time, perhaps not all in one turn. */
  pass(ms: number): void {
    const { model } = this;
    model.keyspace.nowMs += ms;
    if (!model.expireDue(this.pick([0, 1, 5, 1000]))) return;
    for (const [index, map] of model.maps.entries()) {
      const latest = model.keyspace.nowMs - TICK_MS;
      for (const [key, { deadlineMs }] of map) {
        if (deadlineMs !== 0 && deadlineMs <= latest) throw new Error(`${key} is late`);
      }
      const bound = 2 * model.database(index).expires + SWEEP_SLACK;
      expect(model.reminders(index)).toBeLessThanOrEqual(bound);
    }
  }
}
