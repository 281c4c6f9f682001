/**
 * Builds the new text of a document out of pieces of the old one and of what is put in: the bytes that no edit names are
 * copied as they are. Nothing of a document changes here.
 *
 * Edits are made from the end of the document to its beginning, what is within another before that one: then an edit of an
 * object or array finds those made within it on the top of a stack, and takes them along with the bytes around them. So
 * edits may be nested, and any number of them costs one pass over the text.
 */
import type { JsonSpans } from "./json-spans.ts";

/** Bytes that a text is made of: bytes[start, end). */
export interface TextPart {
  readonly bytes: Buffer;
  readonly start: number;
  end: number;
}

/** Text as parts. Those that follow one another in one buffer become one. */
export class PartList {
  readonly parts: TextPart[] = [];
  size = 0;

  add(bytes: Buffer, start: number, end: number): this {
    if (start === end) return this;
    this.size += end - start;
    const last = this.parts.at(-1);
    if (last !== undefined && last.bytes === bytes && last.end === start) last.end = end;
    else this.parts.push({ bytes, start, end });
    return this;
  }

  addText(text: Readonly<TextPart>): this {
    return this.add(text.bytes, text.start, text.end);
  }

  addAll(list: PartList): this {
    for (const part of list.parts) this.addText(part);
    return this;
  }

  /** Writes the text from `at` on. Answers where it ends. */
  write(target: Buffer, at: number): number {
    let to = at;
    for (const { bytes, start, end } of this.parts) {
      bytes.copy(target, to, start, end);
      to += end - start;
    }
    return to;
  }
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: PartList;
}

export class DocumentEdits {
  readonly bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  /** Finished ones, none within another, that of the smallest offset last. */
  readonly #edits: Edit[] = [];

  /** Edits of the document bytes[start, end). */
  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  /** Adds the old bytes [from, to) to the text, with the edits within them; ranges are taken from left to right. */
  take(text: PartList, from: number, to: number): PartList {
    let at = from;
    for (let edit = this.#edits.at(-1); edit !== undefined && edit.start < to; ) {
      text.add(this.bytes, at, edit.start).addAll(edit.text);
      at = edit.end;
      this.#edits.pop();
      edit = this.#edits.at(-1);
    }
    return text.add(this.bytes, at, to);
  }

  /** Leaves out the old bytes up to `to`, with the edits within them. */
  drop(to: number): void {
    for (let edit = this.#edits.at(-1); edit !== undefined && edit.start < to; ) {
      this.#edits.pop();
      edit = this.#edits.at(-1);
    }
  }

  /** Puts the text in the place of the old bytes [start, end), whose own edits have been taken or dropped. */
  replace(start: number, end: number, text: PartList): void {
    this.#edits.push({ start, end, text });
  }

  /** The new text as a whole. */
  finish(): PartList {
    return this.take(new PartList(), this.#start, this.#end);
  }
}

/**
 * Numbers of the spans in the order in which edits are made. Of places that were named twice only one is among them. With
 * `outermost` none is within another: whatever is, goes with the one around it.
 */
export function editOrder(spans: JsonSpans, outermost: boolean): number[] {
  const { start, end } = spans;
  if (spans.count === 1) return [0];
  const numbers = Array.from({ length: spans.count }, (_, number) => number);
  numbers.sort((a, b) => start[a] - start[b]);
  let lastStart = -1;
  let lastEnd = -1;
  const kept = numbers.filter((number) => {
    if (start[number] === lastStart || (outermost && start[number] < lastEnd)) return false;
    lastStart = start[number];
    lastEnd = end[number];
    return true;
  });
  return kept.reverse();
}
