/**
 * The command table of a server far away, as it tells it by COMMAND and COMMAND DOCS (kvdb, Redis 7
 * and its kin), so that hints, completion and help are those of whoever answers. Commands have no
 * `run`; what people may add and are asked is kvdb's own, of commands of the same name. Of a server without COMMAND DOCS only names, counts and keys are known; of one that forbids
 * COMMAND, nothing.
 */
import type { CommandFlag, CommandGroup, CommandInfo } from "../commands/command.ts";
import { wordsForPeople } from "../commands/for-people.ts";
import { type ArgumentType, formatSyntax, type SyntaxArgument } from "../commands/syntax.ts";
import type { Answer } from "../resp/answer.ts";
import type { Link } from "./link.ts";

export async function remoteCommands(link: Link): Promise<readonly CommandInfo[]> {
  const [infos, docs] = await Promise.all([link.call(["COMMAND"]), link.call(["COMMAND", "DOCS"])]);
  return readTable(infos, docs);
}

/** One command of it with its subcommands, if it has any; empty when the server does not know it. */
export async function remoteCommand(link: Link, name: string): Promise<readonly CommandInfo[]> {
  const [infos, docs] = await Promise.all([
    link.call(["COMMAND", "INFO", name]),
    link.call(["COMMAND", "DOCS", name]),
  ]);
  return readTable(infos, docs);
}

function readTable(infos: Answer, docs: Answer): readonly CommandInfo[] {
  const docOf = fieldsOf(docs);
  const commands = itemsOf(infos).flatMap((info) => readInfo(info, undefined, docOf));
  return commands.map((command) => ({ ...command, ...wordsForPeople(command.name) }));
}

type Fields = ReadonlyMap<string, Answer>;

/** The command, and behind it its subcommands. */
function readInfo(info: Answer, container: string | undefined, docs: Fields): CommandInfo[] {
  const [name, arity, flags, first, last, step, , , , subcommands] = itemsOf(info);
  const ownName = textOf(name);
  if (ownName === "") return [];
  const doc = fieldsOf(docs.get(ownName));
  const firstKey = numberOf(first);
  const command: CommandInfo = {
    // Redis names a subcommand with its container, servers of old without.
    name: (ownName.includes("|") || container === undefined
      ? ownName
      : `${container}|${ownName}`
    ).toUpperCase(),
    arity: numberOf(arity),
    flags: itemsOf(flags).map((flag) => flagOf(textOf(flag))),
    group: textOf(doc.get("group")) as CommandGroup,
    since: textOf(doc.get("since")),
    summary: textOf(doc.get("summary")),
    syntax: formatSyntax(itemsOf(doc.get("arguments")).map(readArgument)),
    ...(firstKey > 0 ? { keys: [firstKey, numberOf(last), numberOf(step)] as const } : {}),
  };
  const subcommandDocs = fieldsOf(doc.get("subcommands"));
  return [
    command,
    ...itemsOf(subcommands).flatMap((sub) => readInfo(sub, ownName, subcommandDocs)),
  ];
}

/** Those of others are kept: nobody here decides by a name that kvdb does not have. */
function flagOf(text: string): CommandFlag {
  return (text === "no_auth" ? "noauth" : text) as CommandFlag;
}

function readArgument(answer: Answer): SyntaxArgument {
  const fields = fieldsOf(answer);
  const flags = itemsOf(fields.get("flags")).map(textOf);
  const token = fields.get("token");
  return {
    name: textOf(fields.get("display_text")) || textOf(fields.get("name")),
    type: textOf(fields.get("type")) as ArgumentType,
    ...(token === undefined ? {} : { token: textOf(token) }),
    isOptional: flags.includes("optional"),
    isMultiple: flags.includes("multiple"),
    repeatsToken: flags.includes("multiple_token"),
    arguments: itemsOf(fields.get("arguments")).map(readArgument),
  };
}

// ---- answers of either protocol ----

function itemsOf(answer: Answer | undefined): readonly Answer[] {
  return answer !== undefined && "items" in answer ? answer.items : [];
}

/** A map, or in RESP2 names and values in turn; empty for anything else. */
function fieldsOf(answer: Answer | undefined): Fields {
  if (answer?.kind === "map") {
    return new Map(answer.entries.map(([name, value]) => [textOf(name), value]));
  }
  const items = itemsOf(answer);
  const fields = new Map<string, Answer>();
  for (let at = 0; at + 1 < items.length; at += 2) {
    fields.set(textOf(items[at]), items[at + 1] as Answer);
  }
  return fields;
}

function textOf(answer: Answer | undefined): string {
  if (answer?.kind === "bulk") return answer.bytes.toString();
  return answer?.kind === "status" || answer?.kind === "verbatim" ? answer.text : "";
}

function numberOf(answer: Answer | undefined): number {
  return answer?.kind === "integer" ? Number(answer.value) : 0;
}
