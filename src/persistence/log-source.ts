/**
 * Where the bytes of a file of the log come from, by their offsets in it as it was written: from that file, or from a
 * compressed one, which is the plugin's. Whoever reads groups need not know.
 */
import type { OpenFile } from "../platform/files.ts";
import type { Stretch } from "./recovery-account.ts";

export interface LogSource {
  /** The file that the bytes are in. */
  readonly file: OpenFile;
  /** As OpenFile.read, by offsets of the file as it was written. What cannot be read is zeros. */
  read(target: Buffer, offset: number, length: number, position: number): Promise<number>;
  /** Where in the file the bytes [start, end) are. */
  locate(stretch: Stretch): Stretch;
  /** Waits until nothing reads from the file any more, and closes it. */
  close(): Promise<void>;
}

export function plainSource(file: OpenFile): LogSource {
  return {
    file,
    read: (target, offset, length, position) => file.read(target, offset, length, position),
    locate: (stretch) => stretch,
    close: () => file.close(),
  };
}
