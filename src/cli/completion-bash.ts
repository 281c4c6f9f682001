/** The completion script for bash, also the old one of macOS (3.2): no mapfile, no associative arrays. */
import type { Flag } from "./arguments.ts";
import type { CompletionWords } from "./completion.ts";

export function bashCompletion({ flags, serveFlags, commands }: CompletionWords): string {
  const withChoices = commands.filter(({ choices }) => choices.length > 0);
  const cases = withChoices.map(
    ({ name, choices }) => `      ${name}) words="${choices.map((one) => one.name).join(" ")}" ;;`,
  );
  const files = commands.filter(({ takesFile }) => takesFile).map(({ name }) => name);
  return `# bash completion for kvdb: source <(kvdb completion bash)
_kvdb_reply() {
  local line
  while IFS= read -r line; do COMPREPLY+=("$line"); done
}
_kvdb() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="" words="" at
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "\${COMP_WORDS[at]}" in
      ${valued(flags)}) ((at++)) ;;
      -*) ;;
      *) command="\${COMP_WORDS[at]}"; break ;;
    esac
  done
  if [[ -z $command || $command == serve ]]; then
    case "$previous" in
      ${pathFlags([...flags, ...serveFlags])})
        compopt -o filenames 2>/dev/null
        _kvdb_reply < <(compgen -f -- "$current")
        return ;;
      ${valued([...flags, ...serveFlags])}) return ;;
    esac
  fi
  if [[ -z $command ]]; then
    if [[ $current == -* ]]; then words="${names(flags)}"
    else words="${commands.map(({ name }) => name).join(" ")}"; fi
  elif [[ $command == serve ]]; then words="${names(serveFlags)}"
  elif [[ $current == -* || $((at + 1)) == "$COMP_CWORD" ]]; then
    case "$command" in
${cases.join("\n")}
    esac
    case "$command" in
      ${files.join("|")}) compopt -o filenames 2>/dev/null; _kvdb_reply < <(compgen -f -- "$current") ;;
    esac
  fi
  _kvdb_reply < <(compgen -W "$words" -- "$current")
}
complete -F _kvdb kvdb
`;
}

function names(flags: readonly Flag[]): string {
  return flags.map(({ name }) => name).join(" ");
}

/** Flags that take the next word. */
function valued(flags: readonly Flag[]): string {
  return alternatives(flags.filter(({ value }) => value !== undefined));
}

function pathFlags(flags: readonly Flag[]): string {
  return alternatives(flags.filter(({ value }) => value === "file" || value === "path"));
}

function alternatives(flags: readonly Flag[]): string {
  return [...new Set(flags.map(({ name }) => name))].join("|");
}
