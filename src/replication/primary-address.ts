/**
 * Whom to follow, as people write it: `6379` (on this machine), `host 6379`, `host:6379`, `[::1]:6379`, `no one`. Where Redis
 * takes two words, one with a colon or a port alone is taken as well.
 */

/** Without a host it is this machine. */
export const THIS_MACHINE = "127.0.0.1";

export const MAX_PORT = 65535;

/** A regular expression for what may be one; whether the port can be is `parsePrimary`'s to say. */
export const PRIMARY_PATTERN =
  "^\\s*(?:|\\d+|[^\\s]+:\\d+|[^\\s]+\\s+\\d+|[nN][oO]\\s+[oO][nN][eE])\\s*$";

export interface PrimaryAddress {
  readonly host: string;
  readonly port: number;
}

/** Null: nobody. A text: why it is no address. */
export function parsePrimary(text: string): PrimaryAddress | null | string {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const [first = "", second = ""] = words;
  if (words.length === 0 || isNobody(words)) return null;
  if (words.length > 2) return `expected a host and a port, found ${words.length} words`;
  if (words.length === 2) return addressOf(first, second);
  if (/^\d+$/.test(first)) return addressOf(THIS_MACHINE, first);
  const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(first) ?? [];
  if (host === "") return `"${first}" has no port`;
  const isBracketed = host.startsWith("[") && host.endsWith("]");
  if (host.includes(":") && !isBracketed) {
    return `"${first}": write an address with colons in brackets, or a space before the port`;
  }
  return addressOf(isBracketed ? host.slice(1, -1) : host, port);
}

export function isNobody(words: readonly string[]): boolean {
  return words.length === 2 && words.join(" ").toLowerCase() === "no one";
}

function addressOf(host: string, port: string): PrimaryAddress | string {
  const number = parsePort(port);
  if (number === null) return `"${port}" is no port`;
  // It will stand in a log, and in lines that have an end.
  if (!/^[\x21-\x7e]{1,255}$/.test(host)) return `"${host}" is no host`;
  return { host, port: number };
}

/** Null: it is none. */
export function parsePort(text: string): number | null {
  if (!/^\d{1,5}$/.test(text)) return null;
  const port = Number(text);
  return port >= 1 && port <= MAX_PORT ? port : null;
}

/** As INFO, a configuration and a log have it: `host port`. */
export function primaryText({ host, port }: PrimaryAddress): string {
  return `${host} ${port}`;
}
