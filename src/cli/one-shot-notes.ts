/**
 * What a person is told on standard error beside the answer of one command, because the answer alone
 * would mislead them. Never for scripts and the shell: there words stand where they were meant, and a
 * connection goes on.
 */

/**
 * One of kvdb's own flags that was taken as data, as what stands behind the command is: `set --json 1`
 * stores a key. Short flags are not looked for: `-h` and its like are data often enough.
 */
export async function misplacedFlagNote(data: readonly string[]): Promise<string | undefined> {
  const end = data.indexOf("--");
  const words = data.slice(0, end < 0 ? data.length : end).filter((word) => word.startsWith("--"));
  if (words.length === 0) return undefined;
  const { allFlags } = await import("./arguments.ts");
  const own = new Set(allFlags().own.map(({ name }) => name));
  const flag = words.find((word) => own.has(word));
  if (flag === undefined) return undefined;
  return `"${flag}" was taken as data: kvdb's own options stand before the command`;
}
