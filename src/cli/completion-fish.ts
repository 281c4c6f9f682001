/** The completion script for fish. */
import type { Flag } from "./arguments.ts";
import type { CompletionWords } from "./completion.ts";

export function fishCompletion({ flags, serveFlags, commands }: CompletionWords): string {
  const valued = flags.filter(({ value }) => value !== undefined).map(({ name }) => name);
  const lines = [
    ...flags.map((flag) => flagLine(flag, "__kvdb_is 0")),
    ...commands.map(({ name, summary }) => choiceLine(name, summary, "__kvdb_is 0")),
    ...serveFlags.map((flag) => flagLine(flag, "__kvdb_has serve")),
    ...commands.flatMap(({ name, choices }) =>
      choices.map((choice) => {
        const condition = choice.name.startsWith("--") ? "__kvdb_has" : "__kvdb_is 1";
        return choiceLine(choice.name, choice.summary, `${condition} ${name}`);
      }),
    ),
    ...commands
      .filter(({ takesFile }) => takesFile)
      .map(({ name }) => `complete -c kvdb -n '__kvdb_has ${name}' -F`),
  ];
  return `# fish completion for kvdb: kvdb completion fish > ~/.config/fish/completions/kvdb.fish
function __kvdb_words --description 'The command and its data so far'
    set -l tokens (commandline -opc)
    set -e tokens[1]
    while set -q tokens[1]
        switch $tokens[1]
            case ${valued.join(" ")}
                set -e tokens[1]
                set -q tokens[1]; and set -e tokens[1]
            case '-*'
                set -e tokens[1]
            case '*'
                break
        end
    end
    set -q tokens[1]; and printf '%s\\n' $tokens
end
function __kvdb_is --description 'So many words are there, and the first is this one'
    set -l words (__kvdb_words)
    test (count $words) -eq $argv[1]; or return 1
    set -q argv[2]; or return 0
    test "$words[1]" = $argv[2]
end
function __kvdb_has --description 'The first word is this one'
    set -l words (__kvdb_words)
    test "$words[1]" = $argv[1]
end
complete -c kvdb -f
${lines.join("\n")}
`;
}

function flagLine({ name, value, summary }: Flag, condition: string): string {
  const isPath = value === "file" || value === "path";
  const argument = value === undefined ? "" : isPath ? " -rF" : " -x";
  return `complete -c kvdb -n '${condition}' -l ${name.slice(2)}${argument} -d ${quoted(summary)}`;
}

function choiceLine(name: string, summary: string, condition: string): string {
  return `complete -c kvdb -n '${condition}' -a ${quoted(name)} -d ${quoted(summary)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
