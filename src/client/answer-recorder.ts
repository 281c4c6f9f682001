/**
 * A Reply that makes a value of what a command writes. For those who run one command at a time; the
 * server's own way encodes at once and keeps no values.
 */
import type { Reply } from "../commands/reply.ts";
import { type Answer, NULL_ANSWER } from "../resp/answer.ts";
import type { ReadonlyBytes } from "../store/arena.ts";

type Written =
  | { readonly kind: "whole"; readonly answer: Answer }
  | { readonly kind: "array" | "set" | "push" | "map"; readonly count: number };

export class AnswerRecorder implements Reply {
  #written: Written[] = [];
  #at = 0;

  /** Nothing was written since the last call of `take`. */
  get isEmpty(): boolean {
    return this.#written.length === 0;
  }

  /** The answer that was written since the last call. Throws when there is none or a part of one. */
  take(): Answer {
    this.#at = 0;
    try {
      const answer = this.#read();
      if (this.#at !== this.#written.length) throw new Error("a command wrote more than one reply");
      return answer;
    } finally {
      this.#written = [];
    }
  }

  /** Those that were written since the last call: confirmations are several. */
  takeAll(): Answer[] {
    const answers: Answer[] = [];
    this.#at = 0;
    try {
      while (this.#at < this.#written.length) answers.push(this.#read());
      return answers;
    } finally {
      this.#written = [];
    }
  }

  #read(): Answer {
    const written = this.#written[this.#at++];
    if (written === undefined) throw new Error("a command wrote no reply, or an incomplete one");
    if (written.kind === "whole") return written.answer;
    if (written.kind !== "map") {
      return {
        kind: written.kind,
        items: Array.from({ length: written.count }, () => this.#read()),
      };
    }
    const entries = Array.from(
      { length: written.count },
      () => [this.#read(), this.#read()] as const,
    );
    return { kind: "map", entries };
  }

  #add(answer: Answer): void {
    this.#written.push({ kind: "whole", answer });
  }

  ok(): void {
    this.status("OK");
  }

  status(text: string): void {
    this.#add({ kind: "status", text });
  }

  integer(value: number | bigint): void {
    const exact = typeof value === "bigint" && Number.isSafeInteger(Number(value));
    this.#add({ kind: "integer", value: exact ? Number(value) : value });
  }

  double(value: number): void {
    this.#add({ kind: "double", value });
  }

  boolean(value: boolean): void {
    this.#add({ kind: "boolean", value });
  }

  bulk(bytes: ReadonlyBytes, start: number, end: number): void {
    const copy = Buffer.alloc(end - start);
    bytes.copy(copy, 0, start, end);
    this.#add({ kind: "bulk", bytes: copy });
  }

  json(bytes: ReadonlyBytes, start: number, end: number): void {
    this.bulk(bytes, start, end);
  }

  text(text: string): void {
    this.#add({ kind: "bulk", bytes: Buffer.from(text) });
  }

  verbatim(text: string, format: string): void {
    this.#add({ kind: "verbatim", text, format });
  }

  null(): void {
    this.#add(NULL_ANSWER);
  }

  nullArray(): void {
    this.#add(NULL_ANSWER);
  }

  array(count: number): void {
    this.#written.push({ kind: "array", count });
  }

  map(count: number): void {
    this.#written.push({ kind: "map", count });
  }

  set(count: number): void {
    this.#written.push({ kind: "set", count });
  }

  push(count: number): void {
    this.#written.push({ kind: "push", count });
  }

  error(code: string, text: string): void {
    this.#add({ kind: "error", code, text });
  }

  mark(): number {
    return this.#written.length;
  }

  rewind(mark: number): void {
    this.#written.length = mark;
  }
}
