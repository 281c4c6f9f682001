/**
 * What the log is made of, for who writes it (kvdb/persistence): groups of text in increments. Each
 * file begins anew: nothing is selected in it, and no time was stated.
 */
import type { RecordBatch, Revision } from "kvdb";
import {
  type BatchRange,
  type EncodedGroup,
  type LogForm,
  plainSource,
  readBack,
} from "kvdb/persistence";
import { GroupText } from "./group-text.ts";
import type { ActiveIncrement } from "./increment.ts";
import { IncrementReader } from "./increment-reader.ts";

export interface FormOptions {
  /** An increment is closed before it grows past it. */
  readonly segmentBytes: number;
  /** Redis's annotations with the time; may change while kvdb runs. */
  readonly hasStamps: () => boolean;
}

export class AofForm implements LogForm<ActiveIncrement> {
  /** Of a batch nothing is written but its records, mostly. */
  readonly batchBytes = 0;
  readonly #options: FormOptions;
  readonly #text: GroupText;
  /** The file that the text goes on in. */
  #file: ActiveIncrement | undefined;

  constructor(options: FormOptions) {
    this.#options = options;
    this.#text = new GroupText(options.hasStamps);
  }

  /** What is written around the records is not counted: the length is a wish. */
  fits({ end }: ActiveIncrement, payloadBytes: number): boolean {
    return end + payloadBytes <= this.#options.segmentBytes;
  }

  encode(range: BatchRange, file: ActiveIncrement): EncodedGroup {
    if (file !== this.#file) {
      // What it holds already, a life before may have written.
      this.#text.beginFile(file.end > file.headBytes);
      this.#file = file;
    }
    const place = { offset: file.end, durable: file.durableEnd, salt: file.salt };
    const groupBytes = this.#text.encode(range, place);
    return { pieces: this.#text.pieces, groupBytes };
  }

  encodeClosing(nextRevision: Revision, file: ActiveIncrement): Buffer {
    const { end, durableEnd, salt } = file;
    return this.#text.encodeEnd(nextRevision, { offset: end, durable: durableEnd, salt });
  }

  readBack(file: ActiveIncrement, end: number): Promise<RecordBatch[]> {
    const reader = new IncrementReader(plainSource(file.plain), end);
    reader.salt = file.salt;
    return readBack(reader, file.durableEnd, end);
  }
}
