/**
 * The CPU time of this thread: what a turn of the event loop really cost, whatever other processes took meanwhile. Read
 * from the C library through bun:ffi, since the runtime has no such clock; opened when it is first asked for. Linux only.
 */
import { dlopen } from "bun:ffi";

/** CLOCK_THREAD_CPUTIME_ID of <time.h>. */
const THREAD_CPU_TIME = 3;

export interface ThreadClock {
  /** Microseconds of CPU time that this thread has used. */
  usec(): number;
}

export function openThreadClock(): ThreadClock {
  const { symbols } = dlopen("libc.so.6", {
    clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
  });
  // struct timespec: seconds, nanoseconds
  const time = new BigInt64Array(2);
  return {
    usec() {
      symbols.clock_gettime(THREAD_CPU_TIME, time);
      return Number(time[0]) * 1e6 + Number(time[1]) / 1e3;
    },
  };
}
