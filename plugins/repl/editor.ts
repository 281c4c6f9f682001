/**
 * A line that is being edited: text, cursor, what was cut, the way through the history, a search in it.
 * Keys go in, text comes out; no terminal, no time. What is drawn of it is line-view.ts's.
 *
 * Invariant: the cursor stands between two characters.
 */
import type { History } from "./history.ts";
import { type Action, actionOf, insertedText, type Key } from "./keys.ts";
import {
  blankWordStart,
  countCharacters,
  lineEnd,
  lineStart,
  nextCharacter,
  previousCharacter,
  skipCharacters,
  wordEnd,
  wordStart,
} from "./text-edit.ts";

/** What a key asks of whoever owns the editor. */
export type Request = "submit" | "interrupt" | "end" | "clear-screen" | "complete";

export interface Search {
  query: string;
  /** Index in the history of what was found; undefined when nothing was. */
  found: number | undefined;
  readonly textBefore: string;
  readonly cursorBefore: number;
}

interface Snapshot {
  readonly text: string;
  readonly cursor: number;
}

interface Navigation {
  /** Only what begins with it is offered. */
  readonly prefix: string;
  /** Index in the history; its length for the line that was being written. */
  at: number;
  readonly draft: string;
}

/** Snapshots that are kept to go back to. */
const MAX_UNDO = 200;

export class Editor {
  text = "";
  cursor = 0;
  search: Search | undefined;
  readonly #history: History;
  #navigation: Navigation | undefined;
  #killed = "";
  #undo: Snapshot[] = [];
  /** What came so far of a paste that is under way: its keys are text. */
  #pasted: string[] | undefined;
  /** The last key inserted a character: the next one joins it as one step to undo. */
  #isTyping = false;

  constructor(history: History) {
    this.#history = history;
  }

  /** The rest of the newest line of the history that begins like this one; empty without one. */
  get suggestion(): string {
    if (this.search !== undefined || this.text === "" || this.cursor < this.text.length) return "";
    return this.#history.suggest(this.text).slice(this.text.length);
  }

  reset(text = "", cursor = text.length): void {
    this.text = text;
    this.cursor = cursor;
    this.search = undefined;
    this.#navigation = undefined;
    this.#undo = [];
    this.#isTyping = false;
  }

  /** `text`: the character, where the key is one. */
  press(text: string | undefined, key: Key): Request | undefined {
    if (this.#paste(text, key)) return undefined;
    const inserted = insertedText(text, key);
    const action = inserted === undefined ? actionOf(key) : undefined;
    if (this.search !== undefined) return this.#pressInSearch(inserted, action);
    const wasTyping = this.#isTyping;
    this.#isTyping = inserted !== undefined;
    if (inserted !== undefined) {
      if (!wasTyping || /\s/.test(inserted)) this.#remember();
      this.#insert(inserted);
      return undefined;
    }
    return action === undefined ? undefined : this.#act(action);
  }

  insert(text: string): void {
    this.#remember();
    this.#insert(text);
  }

  /** Puts `text` in the place of a part, the cursor behind it. */
  replace(start: number, end: number, text: string): void {
    this.#remember();
    this.#splice(start, end, text);
  }

  // ---- pastes ----

  /** What is pasted is text, whatever it holds: a line break in it must not run half of it. */
  #paste(text: string | undefined, key: Key): boolean {
    if (key.name === "paste-start") {
      this.#pasted = [];
      return true;
    }
    if (this.#pasted === undefined) return false;
    if (key.name !== "paste-end") this.#pasted.push(text ?? key.sequence ?? "");
    else {
      const pasted = this.#pasted.join("");
      this.#pasted = undefined;
      this.search = undefined;
      this.insert(withoutControls(pasted));
    }
    return true;
  }

  // ---- actions ----

  #act(action: Action): Request | undefined {
    switch (action) {
      case "submit":
      case "interrupt":
      case "clear-screen":
      case "complete":
        return action;
      case "end-or-delete":
        if (this.text === "") return "end";
        this.#change("delete-right");
        return undefined;
      case "search":
        this.#beginSearch();
        return undefined;
      case "undo":
        this.#goBack();
        return undefined;
      default:
        if (!this.#move(action) && !this.#navigate(action)) this.#change(action);
        return undefined;
    }
  }

  #move(action: Action): boolean {
    const { text, cursor } = this;
    const isAtEnd = cursor === text.length;
    switch (action) {
      case "left":
        this.cursor = previousCharacter(text, cursor);
        return true;
      case "right":
        if (isAtEnd) this.#acceptSuggestion(this.suggestion.length);
        else this.cursor = nextCharacter(text, cursor);
        return true;
      case "word-left":
        this.cursor = wordStart(text, cursor);
        return true;
      case "word-right":
        if (isAtEnd) this.#acceptSuggestion(wordEnd(this.suggestion, 0));
        else this.cursor = wordEnd(text, cursor);
        return true;
      case "line-start":
        this.cursor = lineStart(text, cursor);
        return true;
      case "line-end":
        if (isAtEnd) this.#acceptSuggestion(this.suggestion.length);
        else this.cursor = lineEnd(text, cursor);
        return true;
      default:
        return false;
    }
  }

  #acceptSuggestion(length: number): void {
    if (length > 0) this.insert(this.suggestion.slice(0, length));
  }

  #change(action: Action): void {
    const { text, cursor } = this;
    switch (action) {
      case "insert-line-break":
        this.insert("\n");
        break;
      case "delete-left":
        this.replace(previousCharacter(text, cursor), cursor, "");
        break;
      case "delete-right":
        this.replace(cursor, nextCharacter(text, cursor), "");
        break;
      case "yank":
        this.insert(this.#killed);
        break;
      case "swap":
        this.#swap();
        break;
      default:
        this.#kill(...this.#killedPart(action));
    }
  }

  #killedPart(action: Action): [start: number, end: number] {
    const { text, cursor } = this;
    switch (action) {
      case "kill-to-start":
        return [lineStart(text, cursor), cursor];
      case "kill-to-end": {
        const end = lineEnd(text, cursor);
        // At the end of a line that is not the last, its line break.
        return [cursor, end === cursor ? Math.min(end + 1, text.length) : end];
      }
      case "kill-word-left":
        return [wordStart(text, cursor), cursor];
      case "kill-blank-word-left":
        return [blankWordStart(text, cursor), cursor];
      case "kill-word-right":
        return [cursor, wordEnd(text, cursor)];
      default:
        return [cursor, cursor];
    }
  }

  #kill(start: number, end: number): void {
    if (start === end) return;
    this.#killed = this.text.slice(start, end);
    this.replace(start, end, "");
  }

  /** The characters around the cursor; at the end, the two before it. */
  #swap(): void {
    const { text } = this;
    const middle = this.cursor === text.length ? previousCharacter(text, this.cursor) : this.cursor;
    const start = previousCharacter(text, middle);
    const end = nextCharacter(text, middle);
    if (start === middle) return;
    this.replace(start, end, text.slice(middle, end) + text.slice(start, middle));
  }

  #insert(text: string): void {
    this.#splice(this.cursor, this.cursor, text);
  }

  #splice(start: number, end: number, text: string): void {
    this.text = this.text.slice(0, start) + text + this.text.slice(end);
    this.cursor = start + text.length;
    this.#navigation = undefined;
  }

  #remember(): void {
    const last = this.#undo.at(-1);
    if (last?.text === this.text) return;
    this.#undo.push({ text: this.text, cursor: this.cursor });
    if (this.#undo.length > MAX_UNDO) this.#undo.shift();
  }

  #goBack(): void {
    let last = this.#undo.pop();
    if (last?.text === this.text) last = this.#undo.pop();
    if (last === undefined) return;
    this.text = last.text;
    this.cursor = last.cursor;
    this.#navigation = undefined;
  }

  // ---- the way through the history ----

  /** Up and down stay within a text of several lines until its first or last line. */
  #navigate(action: Action): boolean {
    switch (action) {
      case "up":
        if (!this.#moveLine(-1)) this.#step(-1);
        return true;
      case "down":
        if (!this.#moveLine(1)) this.#step(1);
        return true;
      case "previous":
        this.#step(-1);
        return true;
      case "next":
        this.#step(1);
        return true;
      case "first":
      case "last":
        this.#goTo(action === "first" ? 0 : this.#history.length);
        return true;
      default:
        return false;
    }
  }

  #moveLine(direction: -1 | 1): boolean {
    // On the way through the history the cursor stands at the end of whatever was found.
    if (this.#navigation !== undefined) return false;
    const { text, cursor } = this;
    const start = lineStart(text, cursor);
    const column = countCharacters(text, start, cursor);
    if (direction < 0 ? start === 0 : lineEnd(text, cursor) === text.length) return false;
    const target = direction < 0 ? lineStart(text, start - 1) : lineEnd(text, cursor) + 1;
    this.cursor = skipCharacters(text, target, lineEnd(text, target), column);
    return true;
  }

  #step(direction: -1 | 1): void {
    const navigation = this.#way();
    const at = this.#history.find(navigation.at, direction, (entry) => {
      return entry !== this.text && entry.startsWith(navigation.prefix);
    });
    if (at !== undefined) this.#show(navigation, at);
    else if (direction > 0) this.#show(navigation, this.#history.length);
  }

  #goTo(at: number): void {
    if (this.#history.length > 0) this.#show(this.#way(), at);
  }

  #way(): Navigation {
    const { text, cursor } = this;
    this.#navigation ??= {
      prefix: text.slice(0, cursor),
      at: this.#history.length,
      draft: text,
    };
    return this.#navigation;
  }

  #show(navigation: Navigation, at: number): void {
    navigation.at = at;
    this.text = this.#history.at(at) ?? navigation.draft;
    this.cursor = this.text.length;
  }

  // ---- the search ----

  #beginSearch(): void {
    this.search = {
      query: "",
      found: undefined,
      textBefore: this.text,
      cursorBefore: this.cursor,
    };
  }

  #pressInSearch(inserted: string | undefined, action: Action | undefined): Request | undefined {
    const search = this.search as Search;
    if (inserted !== undefined) {
      search.query += inserted;
      this.#find(search, (search.found ?? this.#history.length - 1) + 1);
      return undefined;
    }
    switch (action) {
      case undefined:
        return undefined;
      case "search":
        this.#find(search, search.found ?? this.#history.length);
        return undefined;
      case "delete-left":
        search.query = search.query.slice(0, previousCharacter(search.query, search.query.length));
        this.#find(search, this.#history.length);
        return undefined;
      case "cancel":
      case "interrupt":
        this.reset(search.textBefore, search.cursorBefore);
        return undefined;
      default:
        // Any other key leaves the search with what it found, and then does what it does.
        this.search = undefined;
        return this.#act(action);
    }
  }

  /** From `before` backward. Where nothing is found, what was found before stays to be seen. */
  #find(search: Search, before: number): void {
    const { query } = search;
    if (query === "") return;
    const found = this.#history.find(before, -1, (entry) => entry.includes(query));
    const isRepeat = found === undefined && search.found !== undefined;
    if (isRepeat && this.text.includes(query)) return;
    search.found = found;
    if (found === undefined) return;
    this.text = this.#history.at(found) ?? "";
    this.cursor = this.text.indexOf(query) + query.length;
  }
}

/** Terminals send line breaks as their Return. */
function withoutControls(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n\t]/gu, "");
}
