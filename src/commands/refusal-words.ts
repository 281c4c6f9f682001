/** What is said of a command that is not run, in Redis's words. */
import type { Arguments } from "./arguments.ts";
import { shownArgument } from "./command-error.ts";

/** Redis writes names in lower case, a subcommand after a bar. */
export function displayName(name: string): string {
  return name.toLowerCase();
}

export function wrongArity(name: string): string {
  return `wrong number of arguments for '${displayName(name)}' command`;
}

export function unknownSubcommand(container: string, args: Arguments): string {
  return `unknown subcommand '${shownArgument(args, 1, 128)}'. Try ${container} HELP.`;
}

/** Redis's words, the first arguments included: 128 characters of the name and of the arguments together. */
export function unknownCommand(args: Arguments): string {
  let shown = "";
  for (let i = 1; i < args.count && shown.length < 128; i++) {
    shown += `'${shownArgument(args, i, 128 - shown.length)}' `;
  }
  const name = shownArgument(args, 0, 128);
  return `unknown command '${name}', with args beginning with: ${shown}`;
}
