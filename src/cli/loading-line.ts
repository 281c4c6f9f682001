/**
 * How far a load is, for a person at a terminal who waits for a command or looks at a server: one
 * line on standard error, drawn again in its place, and gone when it is over. Lines of the log that
 * come meanwhile stand above it. Never in a pipe or a file.
 */
import type { LoadingView } from "../kernel/loading.ts";
import { SHELL_FRONTEND } from "../kernel/schema.ts";
import type { Clock } from "../platform/clock.ts";
import { type LoadingProgress, loadingProgress, loadingText } from "../shell/loading-text.ts";
import type { World } from "./world.ts";

/** What is over sooner need not be shown. */
const SHOWN_AFTER_MS = 1_000;
/** A person reads no faster. */
const REDRAW_MS = 100;
/** Width where the terminal tells none. */
const USUAL_COLUMNS = 80;

/** Back to the first column, and everything from there on away. */
const CLEAR = "\r\x1b[K";

export interface LoadingLineOptions {
  readonly clock: Clock;
  readonly columns: number;
  write(text: string): void;
}

export class LoadingLine implements LoadingView {
  readonly #options: LoadingLineOptions;
  #begunMs: number | undefined;
  #drawnMs = 0;
  #isShown = false;

  constructor(options: LoadingLineOptions) {
    this.#options = options;
  }

  progress(done: number, total: number): void {
    this.#draw("loading", (elapsedMs) => loadingProgress(done, total, elapsedMs));
  }

  indexing(share: number): void {
    this.#draw("making indexes", () => ({ share }));
  }

  #draw(doing: string, progressAfter: (elapsedMs: number) => LoadingProgress): void {
    const { clock, columns, write } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#begunMs ??= nowMs;
    const elapsedMs = nowMs - this.#begunMs;
    if (elapsedMs < SHOWN_AFTER_MS || nowMs - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = nowMs;
    this.#isShown = true;
    // In the last column some terminals begin a new line.
    const text = loadingText(progressAfter(elapsedMs), doing).slice(0, columns - 1);
    write(`${CLEAR}${text}`);
  }

  end(): void {
    if (this.#isShown) this.#options.write(CLEAR);
    this.#isShown = false;
  }

  /** For a line of the log: the next drawing comes below it. */
  writeLog(line: string): void {
    this.end();
    this.#drawnMs = 0;
    this.#options.write(line);
  }
}

/** Undefined where nobody sees it, and where the shell shows the same in its own way. */
export function loadingLine(
  frontends: readonly { readonly use: string }[],
  { console, environment, platform }: World,
): LoadingLine | undefined {
  const hasPrompt =
    platform.terminal !== undefined && frontends.some(({ use }) => use === SHELL_FRONTEND);
  if (!console.errorIsTerminal || environment["TERM"] === "dumb" || hasPrompt) return undefined;
  return new LoadingLine({
    clock: platform.clock,
    columns: console.columns ?? USUAL_COLUMNS,
    write: platform.writeLog,
  });
}
