/** Options of the repl frontend, with their defaults and the schema that checks them. */
import { join } from "node:path";
import type { Terminal } from "kvdb";
import { type OutputMode, outputModes } from "kvdb/shell";

export interface ReplOptions {
  /** File that keeps the lines that were run. */
  readonly history?: string;
  /** How many of them; 0: none is kept. */
  readonly historySize?: number;
  readonly mode?: OutputMode;
  /** Whether answers longer than the screen are shown by a pager. */
  readonly pager?: boolean;
  /** Undefined: as the terminal and NO_COLOR say. */
  readonly colour?: boolean;
}

export const DEFAULT_HISTORY_SIZE = 10_000;

export const replSchema = {
  type: "object",
  properties: {
    history: {
      type: "string",
      minLength: 1,
      format: "path",
      description: "File that keeps the lines that were run; default ~/.local/state/kvdb/history",
    },
    historySize: {
      type: "integer",
      minimum: 0,
      maximum: 1_000_000,
      default: DEFAULT_HISTORY_SIZE,
      description: "How many lines are kept; 0: none",
    },
    mode: {
      type: "string",
      enum: [...outputModes],
      default: "plain",
      description: "How answers are written",
    },
    pager: {
      type: "boolean",
      default: true,
      description: "Whether answers longer than the screen are shown by $PAGER, or less",
    },
    colour: {
      type: "boolean",
      description: "Whether colours are used; else as the terminal and NO_COLOR say",
    },
  },
  additionalProperties: false,
} as const;

/** The options as the shell uses them. `mode`, `pager`: its words change them. */
export interface ReplSettings {
  /** Undefined: none. */
  readonly historyFile: string | undefined;
  readonly historySize: number;
  mode: OutputMode;
  pager: boolean;
  readonly colour: boolean;
  /** A terminal without escapes: lines are read as it gives them, nothing is drawn. */
  readonly isDumb: boolean;
}

export function settingsOf(options: ReplOptions, terminal: Terminal): ReplSettings {
  const { environment, output } = terminal;
  const historySize = options.historySize ?? DEFAULT_HISTORY_SIZE;
  const isDumb = environment["TERM"] === "dumb";
  const hasColours = !isDumb && output.getColorDepth({ ...environment }) > 1;
  return {
    historyFile: historySize === 0 ? undefined : historyFile(options, terminal),
    historySize,
    mode: options.mode ?? "plain",
    // A pager needs the escapes that a dumb terminal lacks.
    pager: !isDumb && (options.pager ?? true),
    colour: !isDumb && (options.colour ?? hasColours),
    isDumb,
  };
}

/** What the environment says stands above the configuration, as everywhere. */
function historyFile({ history }: ReplOptions, terminal: Terminal): string | undefined {
  const { environment, homeFolder } = terminal;
  const named = environment["KVDB_HISTORY"];
  if (named !== undefined) return named === "" ? undefined : named;
  if (history !== undefined) return history;
  const state = environment["XDG_STATE_HOME"];
  return join(state || join(homeFolder, ".local", "state"), "kvdb", "history");
}
