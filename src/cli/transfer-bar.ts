/**
 * How far an export or import is, for a person at a terminal: a bar on standard error, drawn again in its place and gone when
 * it is over. Never in a pipe or a file.
 */
import { type GenericFormatter, SingleBar } from "cli-progress";
import { byteText, countText } from "../shell/amounts.ts";
import type { World } from "./world.ts";

/** What is over sooner need not be shown. */
const SHOWN_AFTER_MS = 300;
const USUAL_COLUMNS = 80;
const CELLS = 20;
/** Steps of the whole, so that the library's percent is right. */
const TOTAL = 10_000;

export interface TransferProgress {
  readonly keys: number;
  readonly bytes: number;
  /** From 0 to 1; undefined: nobody knows the whole. */
  readonly share: number | undefined;
}

export class TransferBar {
  readonly #world: World;
  readonly #doing: string;
  readonly #unit: string;
  readonly #begunMs: number;
  #bar: SingleBar | undefined;

  /** `unit`: what is counted. */
  constructor(doing: string, world: World, unit = "key") {
    this.#doing = doing;
    this.#unit = unit;
    this.#world = world;
    this.#begunMs = world.platform.clock.monotonicMs();
  }

  show(progress: TransferProgress): void {
    const { console, environment, platform } = this.#world;
    if (!console.errorIsTerminal || environment["TERM"] === "dumb") return;
    const elapsedMs = platform.clock.monotonicMs() - this.#begunMs;
    if (elapsedMs < SHOWN_AFTER_MS) return;
    const payload = { text: barText(this.#doing, progress, elapsedMs, this.#unit) };
    const value = Math.round((progress.share ?? 0) * TOTAL);
    if (this.#bar === undefined) this.#bar = this.#begin(value, payload);
    else this.#bar.update(value, payload);
  }

  end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #begin(value: number, payload: Payload): SingleBar {
    const { console, platform } = this.#world;
    // What the library asks of a terminal.
    const stream = {
      isTTY: true,
      columns: console.columns ?? USUAL_COLUMNS,
      write: (text: string) => platform.writeLog(text),
    };
    const bar = new SingleBar({
      format: formatBar,
      stream: stream as unknown as NodeJS.WriteStream,
      clearOnComplete: true,
      hideCursor: false,
      noTTYOutput: false,
      gracefulExit: false,
    });
    bar.start(TOTAL, value, payload);
    return bar;
  }
}

interface Payload {
  readonly text: string;
}

const formatBar: GenericFormatter = (_options, _params, payload: Payload) => payload.text;

/** `importing [####                ] 20 %, 1200 keys, 1.2 MiB, 2.4 MiB a second` */
export function barText(
  doing: string,
  { keys, bytes, share }: TransferProgress,
  elapsedMs: number,
  unit = "key",
): string {
  const rate = `${byteText(Math.round((bytes / elapsedMs) * 1000))} a second`;
  const amounts = `${countText(keys, unit)}, ${byteText(bytes)}, ${rate}`;
  if (share === undefined) return `${doing} ${amounts}`;
  const bounded = Math.min(1, Math.max(0, share));
  const bar = "#".repeat(Math.round(bounded * CELLS)).padEnd(CELLS);
  return `${doing} [${bar}] ${Math.floor(bounded * 100)} %, ${amounts}`;
}
