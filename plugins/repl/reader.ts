/** How the shell gets lines from a person: by the editor, or from a terminal without escapes as it gives them. */
import type { Piece } from "./layout.ts";

export type ReadResult =
  | { readonly kind: "line"; readonly text: string }
  /** Ctrl-C: the line is given up. `wasEmpty`: there was none. */
  | { readonly kind: "interrupt"; readonly wasEmpty: boolean }
  /** Ctrl-D, or the terminal is gone. */
  | { readonly kind: "end" };

export interface ReadOptions {
  readonly prompt: readonly Piece[];
  /** False for an answer to a question: no history, no help. */
  readonly isCommand: boolean;
}

export interface Reader {
  open(): void;
  read(options: ReadOptions): Promise<ReadResult>;
  /** Prints a line of the log without harm to the line that is being edited. */
  printAbove(text: string): void;
  /** Shows a state that passes, undefined: takes it away. */
  showStatus(text: string | undefined): void;
  /** Called at Ctrl-C while no line is read. */
  onInterrupt: (() => void) | undefined;
  suspend(): void;
  resume(): void;
  /** A read under way ends. */
  close(): void;
}
