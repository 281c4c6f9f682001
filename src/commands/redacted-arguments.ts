/**
 * Which arguments of a command are secrets: what is kept or shown of commands (SLOWLOG, MONITOR) says "(redacted)" instead,
 * for the same arguments as Redis, so that no tool shows a password that it would not show of Redis; and, which Redis shows,
 * for those of a command that another one is only asked about.
 */
import type { Arguments } from "./arguments.ts";

export const REDACTED = "(redacted)";

/** Settings that hold a password. */
const SECRET_SETTINGS = [
  ...["REQUIREPASS", "MASTERAUTH", "MASTERUSER"],
  ...["TLS-KEY-FILE-PASS", "TLS-CLIENT-KEY-FILE-PASS"],
] as const;

/** The first words of the commands below. */
const WITH_SECRETS = ["AUTH", "ACL", "HELLO", "MIGRATE", "CONFIG"] as const;

const NONE: ReadonlySet<number> = new Set();

/** Their indexes. `name` is that of the command table: `CONFIG|SET`. */
export function redactedArguments(name: string, args: Arguments): ReadonlySet<number> {
  switch (name) {
    case "AUTH":
      return range(1, args.count);
    case "ACL|SETUSER":
      return range(2, args.count);
    case "HELLO":
      return credentialsOfHello(args);
    case "MIGRATE":
      return new Set([...behind(args, 6, "AUTH", 1), ...behind(args, 6, "AUTH2", 2)]);
    case "CONFIG|SET":
      return secretSettings(args);
    case "ACL|DRYRUN":
      return ofCommandAt(args, 3);
    case "COMMAND|GETKEYS":
    case "COMMAND|GETKEYSANDFLAGS":
      return ofCommandAt(args, 2);
    default:
      return NONE;
  }
}

/** All that stands behind the name of a command that may have secrets. */
function ofCommandAt(args: Arguments, at: number): ReadonlySet<number> {
  const hasSecrets = at < args.count && WITH_SECRETS.some((name) => args.is(at, name));
  return hasSecrets ? range(at + 1, args.count) : NONE;
}

function range(from: number, end: number): ReadonlySet<number> {
  return new Set(Array.from({ length: end - from }, (_, index) => from + index));
}

/** So many arguments behind a word. */
function behind(args: Arguments, from: number, word: string, count: number): ReadonlySet<number> {
  for (let i = from; i < args.count; i++) {
    if (args.is(i, word)) return range(i + 1, Math.min(i + 1 + count, args.count));
  }
  return NONE;
}

/** A client may be named AUTH. */
function credentialsOfHello(args: Arguments): ReadonlySet<number> {
  for (let i = 2; i < args.count; i++) {
    if (args.is(i, "AUTH")) return range(i + 1, Math.min(i + 3, args.count));
    if (args.is(i, "SETNAME")) i++;
  }
  return NONE;
}

function secretSettings(args: Arguments): ReadonlySet<number> {
  const found = new Set<number>();
  for (let i = 2; i + 1 < args.count; i += 2) {
    if (SECRET_SETTINGS.some((name) => args.is(i, name))) found.add(i + 1);
  }
  return found;
}
