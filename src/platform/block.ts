/**
 * Stops the whole thread, sockets and timers included: for DEBUG SLEEP, whose purpose is a server that does not answer.
 * Whoever wants to wait takes `Clock.after`.
 */
export function blockThread(durationMs: number): void {
  Bun.sleepSync(durationMs);
}
