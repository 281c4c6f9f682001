/** Names with what they mean, in two columns. What is longer than most has its meaning on the next line. */
import type { Choice } from "./own-words.ts";

/** A longer name would push all meanings off the screen. */
const MAX_NAME = 40;

/** `width`: of the column of names, where it is not to be that of the longest. */
export function helpRows(choices: readonly Choice[], width = widthOf(choices)): string {
  return choices.map((choice) => row(choice, width)).join("");
}

function widthOf(choices: readonly Choice[]): number {
  const lengths = choices.map(({ name }) => name.length);
  return Math.max(0, ...lengths.filter((length) => length <= MAX_NAME));
}

function row({ name, summary }: Choice, width: number): string {
  const column = name.length > width ? `${name}\n  ${" ".repeat(width)}` : name.padEnd(width);
  return `${`  ${column}  ${summary}`.trimEnd()}\n`;
}
