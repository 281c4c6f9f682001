/**
 * How many errors were answered, by their code (`ERR`, `WRONGTYPE`), for INFO errorstats. Codes come from code, a plugin's
 * too, so their number is bounded: beyond it they count together, as Redis does it since 7.2.
 */
import type { ErrorCount } from "../session/server.ts";

const MAX_CODES = 128;
const OTHERS = "ERRORSTATS_DISABLED";

export class ErrorCounts implements ErrorCount {
  readonly #byCode = new Map<string, number>();
  total = 0;

  note(code: string): void {
    this.total++;
    const isKept = this.#byCode.has(code) || this.#byCode.size < MAX_CODES;
    const name = isKept ? code : OTHERS;
    this.#byCode.set(name, (this.#byCode.get(name) ?? 0) + 1);
  }

  /** In the order of the codes. */
  byCode(): (readonly [code: string, count: number])[] {
    return [...this.#byCode].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  reset(): void {
    this.#byCode.clear();
    this.total = 0;
  }
}
