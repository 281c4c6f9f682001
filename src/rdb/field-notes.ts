/**
 * The deadlines of a hash's fields on their way into the notes that follow the hash (rdb-file.ts, AUX_FIELDS), which is written
 * as every Redis reads it. They gather meanwhile: nine bytes for each field that has one.
 */
import { RdbOutput } from "./rdb-output.ts";

/** A note of more is continued in another one. */
const NOTE_BYTES = 1 << 20;

export class FieldNotes {
  #notes: RdbOutput[] = [];
  /** Fields since the last one with a deadline. */
  #gap = 0;

  /** The next field; 0: it stays. */
  add(deadlineMs: number): void {
    if (deadlineMs === 0) {
      this.#gap++;
      return;
    }
    const last = this.#notes.at(-1);
    const note = last !== undefined && last.end < NOTE_BYTES ? last : new RdbOutput();
    if (note !== last) this.#notes.push(note);
    let gap = this.#gap;
    for (; gap > 127; gap = Math.floor(gap / 128)) note.byte((gap & 127) | 128);
    note.byte(gap);
    note.moment(deadlineMs);
    this.#gap = 0;
  }

  /** Those of a hash that is over; the next one begins. */
  take(): readonly RdbOutput[] {
    const notes = this.#notes;
    this.#notes = [];
    this.#gap = 0;
    return notes;
  }
}
