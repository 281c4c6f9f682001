/** The completion script for zsh, as a function in fpath or sourced. */
import type { Flag } from "./arguments.ts";
import type { CompletionWords } from "./completion.ts";
import type { Choice } from "./own-words.ts";

export function zshCompletion({ flags, serveFlags, commands }: CompletionWords): string {
  const cases = commands
    .filter(({ choices, takesFile }) => choices.length > 0 || takesFile)
    .map(({ name, choices, takesFile }) => {
      const files = takesFile ? "; _files" : "";
      return `    ${name}) choices=(${described(choices)}); _describe -t choices '${name}' choices${files} ;;`;
    });
  return `#compdef kvdb
# zsh completion for kvdb: kvdb completion zsh > "\${fpath[1]}/_kvdb", or source <(kvdb completion zsh)
_kvdb() {
  local curcontext="$curcontext" state line
  local -a choices
  _arguments -C -A '-*' \\
${argumentSpecs(flags)} \\
    '1: :->command' '*:: :->data' && return
  if [[ $state == command ]]; then
    choices=(${described(commands)})
    _describe -t commands 'command' choices
    return
  fi
  case "$words[1]" in
    serve) _arguments \\
${argumentSpecs(serveFlags)} ;;
${cases.join("\n")}
  esac
}
if [[ "$funcstack[1]" == _kvdb ]]; then _kvdb "$@"; else compdef _kvdb kvdb; fi
`;
}

/** `'name:what it is'`. */
function described(choices: readonly Choice[]): string {
  return choices
    .map(({ name, summary }) => quoted(`${name.replaceAll(":", "\\:")}:${summary}`))
    .join(" ");
}

/** `'--dir[folder of the data]:path:_files'`. */
function argumentSpecs(flags: readonly Flag[]): string {
  const specs = flags.map(({ name, value, summary }) => {
    const action = value === "file" || value === "path" ? "_files" : "";
    const argument = value === undefined ? "" : `:${value.replaceAll(":", " ")}:${action}`;
    return `    ${quoted(`${name}[${summary.replace(/[[\]\\:]/g, "\\$&")}]${argument}`)}`;
  });
  return specs.join(" \\\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
