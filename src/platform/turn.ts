/**
 * The end of a turn of the event loop: after every socket that had something to say was heard. Work that all of them
 * share (one write of the journal, the replies) waits for it.
 */
export function atTurnEnd(run: () => void): void {
  setImmediate(run);
}
