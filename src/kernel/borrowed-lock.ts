/**
 * The lock of a folder as a kernel is handed it by who holds the folder already: nothing is taken and nothing is noted. For a
 * conversion or a restore, which starts a kernel on a folder that it has locked itself.
 */
import type { FolderLock, GivenRevisions } from "../platform/folder-lock.ts";

export class BorrowedLock implements FolderLock {
  readonly folder: string;
  readonly pathsBefore = undefined;
  readonly givenBefore: GivenRevisions | undefined;

  constructor(folder: string, given: GivenRevisions | undefined) {
    this.folder = folder;
    this.givenBefore = given;
  }

  async claim(): Promise<void> {}

  async handOver(): Promise<void> {}

  async announceSocket(): Promise<void> {}

  async release(): Promise<void> {}
}
