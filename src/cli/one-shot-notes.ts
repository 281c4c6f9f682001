/**
 * What a person is told on standard error beside the answer of one command, because the answer alone
 * would mislead them. Never for scripts and the shell: there words stand where they were meant, and a
 * connection goes on.
 */
import type { Performed } from "../shell/perform.ts";
import type { Understood } from "../shell/words.ts";

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

/** They change the connection, and that of one command ends with it. */
const FOR_THE_CONNECTION: ReadonlySet<string> = new Set([
  ...["AUTH", "HELLO", "SELECT"],
  ...["CLIENT|SETNAME", "CLIENT|SETINFO", "CLIENT|NO-EVICT", "CLIENT|NO-TOUCH"],
]);

/** `isForwarded`: another process ran the command, and keeps its settings as long as it runs. */
export function passingEffectNote(
  { command: { name } }: Understood,
  { answer }: Performed,
  isForwarded: boolean,
): string | undefined {
  if (answer.kind === "error") return undefined;
  if (FOR_THE_CONNECTION.has(name)) return LASTED;
  const place = KEPT_IN[name];
  return place === undefined || isForwarded ? undefined : `${LASTED}; ${place}`;
}

/** What a process changes for itself, and where it has to stand for the next one. */
const KEPT_IN: Readonly<Record<string, string>> = {
  "CONFIG|SET": "put it into the configuration",
  "ACL|SETUSER": "write users into the configuration, or into the file that aclfile names",
  "ACL|DELUSER": "write users into the configuration, or into the file that aclfile names",
};

const LASTED = "this lasted for this command alone";
