/**
 * Where the bytes of an increment come from, by their offsets in it: from its own file, or from a
 * compressed one (packed-source.ts).
 */
import type { OpenFile } from "kvdb";
import type { Stretch } from "kvdb/persistence";

export interface IncrementSource {
  /** The file that the bytes are in. */
  readonly file: OpenFile;
  /** Of the increment, where it is not that of the file. */
  readonly length?: number;
  /**
   * Fills target[offset, offset + length) from `position` of the increment on. Resolves to the count
   * read: less only at the end. What cannot be read is zeros.
   */
  read(target: Buffer, offset: number, length: number, position: number): Promise<number>;
  /** Where in the file the bytes [start, end) of the increment are. */
  locate(stretch: Stretch): Stretch;
  close(): Promise<void>;
}

export function plainSource(file: OpenFile): IncrementSource {
  return {
    file,
    read: (target, offset, length, position) => file.read(target, offset, length, position),
    locate: (stretch) => stretch,
    close: () => file.close(),
  };
}
