/**
 * The colours of what a person reads: one function for each sort of text, so that nobody who lays
 * out text knows a code of a terminal. Only the eight colours that every terminal lets its user
 * choose; blue is not among them, because on black it is hard to read.
 */
export interface Paint {
  readonly key: (text: string) => string;
  readonly string: (text: string) => string;
  readonly number: (text: string) => string;
  /** true, false, null. */
  readonly literal: (text: string) => string;
  readonly error: (text: string) => string;
  /** What is no data: numbers of a list, rules of a table, "(empty)". */
  readonly faint: (text: string) => string;
  readonly heading: (text: string) => string;
}

const same = (text: string): string => text;

const withoutColours: Paint = {
  key: same,
  string: same,
  number: same,
  literal: same,
  error: same,
  faint: same,
  heading: same,
};

const FOREGROUND = 39;
const INTENSITY = 22;

/** Switches off what it switched on and nothing else, so that paint may lie within paint. */
function sgr(on: number, off: number): (text: string) => string {
  return (text) => `\x1b[${on}m${text}\x1b[${off}m`;
}

const withColours: Paint = {
  key: sgr(36, FOREGROUND),
  string: sgr(32, FOREGROUND),
  number: sgr(33, FOREGROUND),
  literal: sgr(35, FOREGROUND),
  error: sgr(31, FOREGROUND),
  faint: sgr(2, INTENSITY),
  heading: sgr(1, INTENSITY),
};

export function paintFor(colour: boolean): Paint {
  return colour ? withColours : withoutColours;
}
