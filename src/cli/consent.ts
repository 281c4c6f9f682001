/**
 * Asks before a command that takes away more than one key, or stops a server for others. Only a
 * person is asked: when standard input or standard error is no terminal, nobody could answer, and a
 * script means what it says. `--yes` answers ahead.
 */
import type { CommandInfo } from "../commands/command.ts";
import type { OwnFlags } from "./invocation.ts";
import type { World } from "./world.ts";

/** Exit code of a command that the person did not want after all. */
export const DECLINED = 1;

/** Tells when nothing is done. */
export async function isAgreedTo(
  { asks }: CommandInfo,
  flags: OwnFlags,
  world: World,
): Promise<boolean> {
  const isPerson = world.input === "terminal" && world.console.errorIsTerminal;
  if (asks === undefined || flags.yes || !isPerson) return true;
  const answer = await world.ask(`${asks} [y/N] `);
  if (/^\s*y(es)?\s*$/i.test(answer ?? "")) return true;
  // Without an answer the cursor still stands behind the question.
  await world.printError(`${answer === undefined ? "\n" : ""}nothing was done\n`);
  return false;
}
