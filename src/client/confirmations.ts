/**
 * Messages as a link tells them from answers: pushed in RESP3, arrays that look like one in RESP2, as servers of old send
 * them. SUBSCRIBE and its kin have no answer of their own but a confirmation for each name, which is a message too.
 */
import type { Answer } from "../resp/answer.ts";
import { type Part, partText } from "./link.ts";

const MESSAGE = /^(?:[ps]?message|[ps]?(?:un)?subscribe|invalidate)$/;
const CONFIRMATION = /^([ps]?)(un)?subscribe$/;

export class Confirmations {
  /** What is subscribed to, by the letter of its kind: the names' bytes as text. */
  readonly #names = new Map<string, Set<string>>();

  /** How many confirmations the command will have; 0: it has an answer. */
  expectedOf(parts: readonly Part[]): number {
    const found = CONFIRMATION.exec(partText(parts[0] ?? "").toLowerCase());
    if (found === null) return 0;
    if (parts.length > 1) return parts.length - 1;
    // Of SUBSCRIBE without a name there is an error, and no confirmation.
    if (found[2] === undefined) return 0;
    return Math.max(1, this.#names.get(found[1])?.size ?? 0);
  }

  /** Whether it is a message and no answer. `expected`: confirmations are waited for. */
  isMessage(answer: Answer, expected: number): boolean {
    if (answer.kind === "push") return true;
    if (answer.kind !== "array" || (expected === 0 && this.#isEmpty)) return false;
    return MESSAGE.test(wordOf(answer));
  }

  /** Whether the message confirms something; then it is noted. */
  note(message: Answer): boolean {
    const found = CONFIRMATION.exec(wordOf(message));
    if (found === null || !("items" in message)) return false;
    const [, kind, isEnd] = found;
    const name = message.items[1];
    const names = this.#names.get(kind) ?? new Set();
    this.#names.set(kind, names);
    if (name?.kind === "bulk") {
      const text = name.bytes.toString("latin1");
      if (isEnd === undefined) names.add(text);
      else names.delete(text);
    }
    return true;
  }

  get #isEmpty(): boolean {
    return [...this.#names.values()].every((names) => names.size === 0);
  }
}

/** `message`, `psubscribe`: what a message begins with. */
function wordOf(message: Answer): string {
  const first = "items" in message ? message.items[0] : undefined;
  return first?.kind === "bulk" ? first.bytes.toString() : "";
}
