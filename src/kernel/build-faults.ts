/**
 * Why Bun could not read a module, in words: syntax errors come as BuildMessages, several of them as one
 * AggregateError whose own message counts them; an import that leads nowhere as a ResolveMessage. What
 * a module throws when it runs is not of this kind.
 */
import { displayPath } from "./display-path.ts";

/** One mistake makes several faults; from the fourth on they are echoes of the first. */
const MAX_SHOWN = 3;

/** `slug.ts:9:7: Expected "}" but found "flags"`; undefined: it failed for another reason. */
export function buildFaults(thrown: unknown, currentFolder: string): string | undefined {
  const messages: readonly unknown[] = thrown instanceof AggregateError ? thrown.errors : [thrown];
  if (messages.length === 0 || !messages.every(isBuildFault)) return undefined;
  const shown = messages.slice(0, MAX_SHOWN).map((one) => textOf(one, currentFolder));
  const more = messages.length - shown.length;
  return shown.join("; ") + (more > 0 ? `; and ${more} more` : "");
}

type BuildFault = BuildMessage | ResolveMessage;

/** By name: a module that runs elsewhere has classes of its own. */
function isBuildFault(thrown: unknown): thrown is BuildFault {
  const { name } = (thrown ?? {}) as { name?: unknown };
  return name === "BuildMessage" || name === "ResolveMessage";
}

function textOf(fault: BuildFault, currentFolder: string): string {
  const { position, message } = fault;
  if (position !== null) {
    const { file, line, column } = position;
    return `${displayPath(file, currentFolder)}:${line}:${column}: ${message}`;
  }
  // Bun knows of no line for an import that leads nowhere, only of the file.
  const { referrer } = fault as ResolveMessage;
  if (!message.endsWith(` imported from ${referrer}`)) return message;
  const [what] = message.split(" imported from ", 1);
  return `${displayPath(referrer, currentFolder)}: ${what}`;
}
