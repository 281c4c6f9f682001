// The longest turn of a server's event loop by the CPU clock of its thread: what P8 and P10
// are judged by. The wall clock would count what other processes took from us.
//
// A server measures itself, nobody else can read that clock in time. It offers, over the wire:
//   INFO debug            holds a line  longest_turn_cpu_usec:<integer>
//   CONFIG RESETSTAT      starts that maximum anew
//   DEBUG TURN-CLOCK 1    begins to measure
// where a turn is from the loop waking up to its waiting again, taken before and after with
//   clock_gettime(CLOCK_THREAD_CPUTIME_ID = 3)   through bun:ffi.
// A server without the field (Redis, a prototype) has no figure. A measure in process, with the
// engine imported here and driven without sockets, belongs into this file as a second function.

import type { Server } from "./servers.ts";

const FIELD = /^longest_turn_cpu_usec:(\d+)\r?$/m;

export async function resetTurns(server: Server): Promise<void> {
  if (server.side === "kvdb") await server.ask("DEBUG", "TURN-CLOCK", "1");
  await server.ask("CONFIG", "RESETSTAT");
}

/** Since resetTurns, in milliseconds; null where the server does not tell. */
export async function longestTurnMs(server: Server): Promise<number | null> {
  const usec = FIELD.exec(await server.ask("INFO", "debug"))?.[1];
  return usec === undefined ? null : Number(usec) / 1_000;
}
