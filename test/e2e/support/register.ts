/**
 * What one key may hold after a crash, by the commands that were sent for it; and whether what many
 * keys hold belongs together. Commands are numbered in the order in which one connection sent them.
 *
 * The log is in order, so after a crash everything up to some command is there and nothing behind
 * it: there is one number at which all that was found was true. A refused command is the exception,
 * it is there or not.
 */

export type State = string | null;

/** Numbers of commands: after which of them, the last one included, a state was the right one. */
export interface Span {
  readonly from: number;
  /** Up to it, itself not included. */
  readonly to: number;
}

interface Step {
  readonly state: State;
  readonly number: number;
  acknowledgedMs: number | undefined;
  isRefused: boolean;
}

/** Settles what became of a command. */
export interface Sent {
  acknowledge(): void;
  refuse(): void;
}

/** The states of a key in the order in which its commands lead to them, the settled one first. */
export class Register {
  #steps: Step[] = [
    { state: null, number: 0, acknowledgedMs: Number.NEGATIVE_INFINITY, isRefused: false },
  ];

  get latest(): State {
    return (this.#steps.at(-1) as Step).state;
  }

  /** Whether a command since the last settled state was refused: nobody knows what is there. */
  get isUncertain(): boolean {
    return this.#steps.some(({ isRefused }) => isRefused);
  }

  send(number: number, state: State): Sent {
    const step: Step = { state, number, acknowledgedMs: undefined, isRefused: false };
    this.#steps.push(step);
    return {
      acknowledge: () => {
        step.acknowledgedMs = Date.now();
      },
      refuse: () => {
        step.isRefused = true;
      },
    };
  }

  /** The state that must be there at least: the last one that was acknowledged up to a time. */
  promised(untilMs: number): State {
    return (this.#steps[this.#promisedIndex(untilMs)] as Step).state;
  }

  /**
   * Where in the order of commands a state was the right one, in order and apart from each other;
   * none: it is wrong, or older than what was promised.
   */
  spansOf(state: State, promisedUntilMs: number): Span[] {
    const spans: Span[] = [];
    for (let i = this.#promisedIndex(promisedUntilMs); i < this.#steps.length; i++) {
      const step = this.#steps[i] as Step;
      if (step.state !== state) continue;
      const next = this.#steps.slice(i + 1).find(({ isRefused }) => !isRefused);
      const to = next?.number ?? Number.POSITIVE_INFINITY;
      const last = spans.at(-1);
      if (last !== undefined && last.to >= step.number) spans[spans.length - 1] = { ...last, to };
      else spans.push({ from: step.number, to });
    }
    return spans;
  }

  /**
   * What was found is the only state that is right from now on: nothing may vanish or return later.
   */
  settle(state: State, number: number): void {
    this.#steps = [{ state, number, acknowledgedMs: Number.NEGATIVE_INFINITY, isRefused: false }];
  }

  #promisedIndex(untilMs: number): number {
    return this.#steps.findLastIndex(
      ({ acknowledgedMs }) => acknowledgedMs !== undefined && acknowledgedMs <= untilMs,
    );
  }
}

/** Whether there is a number that lies in a span of each list. The spans of a list lie apart. */
export function haveOneMoment(lists: readonly (readonly Span[])[]): boolean {
  const changes = lists.flat().flatMap(({ from, to }) => [
    { at: from, by: 1 },
    { at: to, by: -1 },
  ]);
  changes.sort((a, b) => a.at - b.at || a.by - b.by); // what ends at a number ends before it
  let fitting = 0;
  for (const { by } of changes) {
    fitting += by;
    if (fitting === lists.length) return true;
  }
  return lists.length === 0;
}
