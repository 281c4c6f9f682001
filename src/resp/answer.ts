/**
 * A reply as a value: what a command answered, whole, with the types of RESP3. For those who look at
 * answers (shell, scripts, the embedded API, plugins), not for the way of a server's own replies,
 * which are written as they come.
 */

export type Answer =
  | { readonly kind: "status"; readonly text: string }
  | { readonly kind: "error"; readonly code: string; readonly text: string }
  /** A bigint beyond 2^53. */
  | { readonly kind: "integer"; readonly value: number | bigint }
  | { readonly kind: "double"; readonly value: number }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "bulk"; readonly bytes: Buffer }
  /** Text for people, `format` is `txt` or `mkd`. */
  | { readonly kind: "verbatim"; readonly text: string; readonly format: string }
  | { readonly kind: "null" }
  | { readonly kind: "array" | "set" | "push"; readonly items: readonly Answer[] }
  | { readonly kind: "map"; readonly entries: readonly (readonly [Answer, Answer])[] };

export type ErrorAnswer = Extract<Answer, { kind: "error" }>;

export const NULL_ANSWER: Answer = { kind: "null" };

/** Errors are `CODE text`. Servers of others may leave the code out. */
export function errorAnswer(line: string): ErrorAnswer {
  const [, code = "ERR", text = line] = /^([A-Z][A-Z0-9_]*) (.*)$/s.exec(line) ?? [];
  return { kind: "error", code, text };
}
