/**
 * The words of `bind` in Redis's spelling: `*` and `::*` are every address of a kind, and one with a `-` before it may be
 * missing on this machine (`127.0.0.1 -::1`).
 */

export interface Address {
  readonly hostname: string;
  /** Whether the machine may be without it. */
  readonly isOptional: boolean;
}

export function addressOf(word: string): Address {
  const isOptional = word.startsWith("-");
  const name = isOptional ? word.slice(1) : word;
  return { hostname: name === "*" ? "0.0.0.0" : name === "::*" ? "::" : name, isOptional };
}

/** What the system answers when it has no such address, or none of its kind. */
export function isMissing(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT";
}
