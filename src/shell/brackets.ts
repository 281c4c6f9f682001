/**
 * Finds where JSON ends by its brackets and strings alone, whatever else is wrong within; whoever
 * takes the value says that. Goes on where it stopped: text that comes line by line is looked at
 * once.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

export class BracketScanner {
  /** `wrong`: a bracket was closed by one of the other kind. */
  state: "open" | "closed" | "wrong" = "open";
  /** There was a string. */
  hasText = false;
  /** What closes the brackets that are open, the innermost last. */
  readonly #closing: number[] = [];
  #isInString = false;
  #isEscaped = false;

  /**
   * From a bracket, or from where the text before ended. Gives the place behind the last bracket,
   * or behind the wrong one; the length of the text while one is open.
   */
  scan(text: string, at: number): number {
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (this.#isInString) this.#inString(code);
      else if (code === QUOTE) {
        this.#isInString = true;
        this.hasText = true;
      } else if (code === OPEN_OBJECT) this.#closing.push(CLOSE_OBJECT);
      else if (code === OPEN_ARRAY) this.#closing.push(CLOSE_ARRAY);
      else if ((code === CLOSE_OBJECT || code === CLOSE_ARRAY) && this.#close(code)) return at + 1;
    }
    return at;
  }

  #inString(code: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (code === BACKSLASH) this.#isEscaped = true;
    else if (code === QUOTE) this.#isInString = false;
  }

  /** Whether that was the end. */
  #close(code: number): boolean {
    if (this.#closing.pop() !== code) this.state = "wrong";
    else if (this.#closing.length === 0) this.state = "closed";
    return this.state !== "open";
  }
}
