/**
 * What the keys of the editor do, in the manner of readline and fish. A key is what
 * `readline.emitKeypressEvents` tells of it.
 */

export interface Key {
  /** `left`, `return`, `a`; undefined for a character that is no key of its own. */
  readonly name?: string | undefined;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
  readonly shift?: boolean;
  /** The bytes that the terminal sent. */
  readonly sequence?: string;
}

export type Action =
  | "submit"
  | "insert-line-break"
  | "interrupt"
  | "end-or-delete"
  | "clear-screen"
  | "complete"
  | "search"
  | "cancel"
  | "left"
  | "right"
  | "word-left"
  | "word-right"
  | "line-start"
  | "line-end"
  | "up"
  | "down"
  | "previous"
  | "next"
  | "first"
  | "last"
  | "delete-left"
  | "delete-right"
  | "kill-to-start"
  | "kill-to-end"
  | "kill-word-left"
  | "kill-blank-word-left"
  | "kill-word-right"
  | "yank"
  | "swap"
  | "undo";

const plain: Readonly<Record<string, Action>> = {
  return: "submit",
  enter: "submit",
  tab: "complete",
  escape: "cancel",
  left: "left",
  right: "right",
  up: "up",
  down: "down",
  home: "line-start",
  end: "line-end",
  pageup: "first",
  pagedown: "last",
  backspace: "delete-left",
  delete: "delete-right",
};

const withControl: Readonly<Record<string, Action>> = {
  a: "line-start",
  b: "left",
  c: "interrupt",
  d: "end-or-delete",
  e: "line-end",
  f: "right",
  g: "cancel",
  h: "delete-left",
  j: "submit",
  k: "kill-to-end",
  l: "clear-screen",
  m: "submit",
  n: "next",
  p: "previous",
  r: "search",
  t: "swap",
  u: "kill-to-start",
  w: "kill-blank-word-left",
  y: "yank",
  left: "word-left",
  right: "word-right",
  backspace: "kill-word-left",
  delete: "kill-word-right",
};

const withMeta: Readonly<Record<string, Action>> = {
  b: "word-left",
  d: "kill-word-right",
  f: "word-right",
  left: "word-left",
  right: "word-right",
  backspace: "kill-word-left",
  delete: "kill-word-right",
  return: "insert-line-break",
  enter: "insert-line-break",
  "<": "first",
  ">": "last",
};

/** Ctrl-_, which has no name. */
const UNIT_SEPARATOR = "\x1f";

/** Undefined for a key that means nothing, or that is a character to insert. */
export function actionOf({ name, ctrl, meta, sequence }: Key): Action | undefined {
  if (sequence === UNIT_SEPARATOR) return "undo";
  if (name === undefined) return undefined;
  const table = ctrl ? withControl : meta ? withMeta : plain;
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** The character that a key inserts, if it inserts one. */
export function insertedText(text: string | undefined, { ctrl, meta }: Key): string | undefined {
  if (text === undefined || text === "" || ctrl || meta) return undefined;
  return /\p{Cc}/u.test(text) ? undefined : text;
}
