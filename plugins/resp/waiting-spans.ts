/**
 * Which of the replies that are being encoded wait for durability, and for what: spans of a session's output, counted from
 * `encoder.begin`. One object serves all connections. Replies of one kind that follow on each other share a span, so that a
 * pipeline of writes is one; nothing is allocated for a command.
 */
export class WaitingSpans {
  /** Nobody waits for it or for what is before it. It does not grow while commands run. */
  durableRevision = 0;
  count = 0;
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly revisions: number[] = [];
  /** How many replies it holds. */
  readonly replies: number[] = [];
  /** Replies to changes, not to looks at what others have changed. */
  readonly changes: boolean[] = [];

  begin(durableRevision: number): void {
    this.durableRevision = durableRevision;
    this.count = 0;
  }

  /** One more reply, behind all that were added. */
  add(start: number, end: number, revision: number, isChange: boolean): void {
    if (revision <= this.durableRevision) return;
    const last = this.count - 1;
    if (last >= 0 && this.ends[last] === start && this.changes[last] === isChange) {
      this.ends[last] = end;
      if (revision > this.revisions[last]) this.revisions[last] = revision;
      this.replies[last]++;
      return;
    }
    const index = this.count++;
    this.starts[index] = start;
    this.ends[index] = end;
    this.revisions[index] = revision;
    this.replies[index] = 1;
    this.changes[index] = isChange;
  }
}
