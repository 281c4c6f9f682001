/** Counters of INFO as they begin, and begin anew by CONFIG RESETSTAT. */
import type { Statistics } from "../session/server.ts";

export function newStatistics(startedMs: number): Statistics {
  return {
    startedMs,
    connectionsReceived: 0,
    connectionsRejected: 0,
    inputBytes: 0,
    outputBytes: 0,
    outputLimitDisconnections: 0,
    reads: 0,
    writes: 0,
    expiryMs: 0,
    expirySlicesCut: 0,
  };
}
