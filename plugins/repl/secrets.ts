/**
 * Which lines hold a secret: they are kept in no history, neither in the file nor in memory. Rather
 * one line too many is forgotten than one kept.
 */
import { type CommandLine, splitCommands } from "kvdb/shell";

/** Settings of CONFIG SET whose values are secrets. */
const SECRET_SETTINGS = /^(requirepass|masterauth|.*(pass|secret).*)$/i;
/** A URL that names a user: `redis://ada:secret@host`. */
const URL_WITH_USER = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/@]*@/i;

export function holdsSecret(text: string): boolean {
  return URL_WITH_USER.test(text) || splitCommands(text).some(isSecret);
}

function isSecret({ parsed }: CommandLine): boolean {
  const [name = "", second = "", ...others] = parsed.words.map((word) =>
    word.toString().toLowerCase(),
  );
  switch (name) {
    case "auth":
      return true;
    case "hello":
    case "migrate":
      return [second, ...others].some((word) => word === "auth" || word === "auth2");
    case "config":
      return second === "set" && others.some((word) => SECRET_SETTINGS.test(word));
    case "acl":
      return second === "setuser";
    default:
      return false;
  }
}
