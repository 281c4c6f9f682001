/**
 * The looks of the shell, as parameters of SGR. Only the colours that every terminal lets its user
 * choose; no blue, which is hard to read on black. Without colours what is bold or faint remains:
 * nobody must take a suggestion for what they typed.
 */
const coloured = {
  command: "1",
  unknown: "31",
  key: "36",
  word: "",
  string: "32",
  number: "33",
  literal: "35",
  option: "2",
  mark: "",
  wrong: "4;31",
  comment: "2",
  program: "35",
  ghost: "2",
  hint: "2",
  hintNow: "1",
  error: "31",
  prompt: "1;36",
  state: "33",
  heading: "1",
  faint: "2",
} as const;

export type Look = keyof typeof coloured;
export type Theme = Readonly<Record<Look, string>>;

export function themeOf({ colour, isDumb }: { colour: boolean; isDumb: boolean }): Theme {
  if (isDumb) return bare;
  return colour ? coloured : withoutColours;
}

/** A terminal that knows no escape shows them. */
const bare = changed(() => "");

/** 30 to 37 are the colours. */
const withoutColours = changed((style) => style.replace(/;?3[0-7]/, ""));

function changed(change: (style: string) => string): Theme {
  const entries = Object.entries(coloured).map(([look, style]) => [look, change(style)]);
  return Object.fromEntries(entries) as Theme;
}
