/** Memory as commands and the gate see it. */
import type { Session } from "./session.ts";

/** What commands may ask about memory, and do about it: memory-limit.ts is the one implementation. */
export interface MemoryControl {
  /** Bound on used memory; 0: none. */
  readonly maxBytes: number;
  /** Bound on the buffers of all clients; 0: none. */
  readonly maxClientBytes: number;
  /** Data with all its structures, client buffers and `includedBytes`, at this moment. */
  readonly usedBytes: number;
  /** The most that was used since the start, or since CONFIG RESETSTAT. */
  readonly peakBytes: number;
  /** What an empty keyspace takes. */
  readonly startupBytes: number;
  /** Buffers of clients, as they were counted last. */
  readonly clientBytes: number;
  /** What else grows with use: the table of CLIENT TRACKING, recent records for readers of changes. */
  readonly includedBytes: number;
  /** Bytes that a command in the middle of its work may still add; below zero: it has added too many. */
  readonly roomBytes: number;
  readonly statistics: {
    readonly evictedClients: number;
    /** How long used memory has been over its bound; 0: it is not. */
    readonly exceededMs: number;
    /** The same of all times together. */
    readonly exceededTotalMs: number;
  };
  readonly defragmentation: {
    /** Percent of the time that it takes at present; 0: it rests. */
    readonly effort: number;
    /** Blocks that were moved. */
    readonly moved: number;
    /** Chunks that became empty and went back, and those that could not. */
    readonly freedChunks: number;
    readonly keptChunks: number;
    /** Since it began this time; 0: it rests. */
    readonly currentMs: number;
    /** The same of all times together. */
    readonly totalMs: number;
  };
  /**
   * Makes room for a command of the session with so many arguments of so many bytes, or throws Redis's OOM error when they
   * would pass the bound by more than 5 %.
   */
  admit(session: Session, argumentBytes: number, argumentCount: number): void;
  /** Gives back to the system what can be given back, in the background. */
  purge(): void;
}
