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

/** The integer that a command answered, as INCR does. Throws a TypeError for any other answer, and beyond 2^53. */
export function integerOf(answer: Answer): number {
  if (answer.kind === "integer" && typeof answer.value === "number") return answer.value;
  throw new TypeError(`expected an integer, the answer is ${describe(answer)}`);
}

/** The text that a command answered, as GET does, from UTF-8; undefined for null. Throws a TypeError for any other answer. */
export function textOf(answer: Answer): string | undefined {
  switch (answer.kind) {
    case "bulk":
      return answer.bytes.toString();
    case "status":
    case "verbatim":
      return answer.text;
    case "null":
      return undefined;
    default:
      throw new TypeError(`expected text, the answer is ${describe(answer)}`);
  }
}

function describe(answer: Answer): string {
  return answer.kind === "error"
    ? `the error ${answer.code} ${answer.text}`
    : `of kind ${answer.kind}`;
}
