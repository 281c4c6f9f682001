/** The heap of the runtime, in which there are no data: code, connections, configuration. */

/** Collects what nobody refers to, all of it at once; some ten milliseconds. */
export function collectGarbage(): void {
  Bun.gc(true);
}
