/**
 * What the arguments of the command line ask for. arguments.ts reads them with commander; where no flag
 * stands before the command there is nothing to read, and `kvdb get name` does without: it costs a tenth
 * of the whole.
 */
import type { Given } from "../kernel/settings.ts";
import type { OutputMode } from "../shell/answer-text.ts";

export interface OwnFlags {
  readonly configFile: string | undefined;
  readonly recover: boolean;
  /** A null answer is exit code 1. */
  readonly exitStatus: boolean;
  readonly output: OutputMode;
  /** Undefined: the environment and the terminal decide. */
  readonly colour: boolean | undefined;
  /** Nothing is asked before a destructive command. */
  readonly yes: boolean;
  /** A script goes on after a line that failed; `init` overwrites. */
  readonly force: boolean;
  /** Settings given as options, those of `serve` included. */
  readonly given: readonly Given[];
}

export type Invocation =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "start"; readonly flags: OwnFlags; readonly serve: boolean }
  | {
      readonly kind: "words";
      readonly flags: OwnFlags;
      readonly words: readonly [string, ...string[]];
    };

const NO_FLAGS: OwnFlags = {
  configFile: undefined,
  recover: false,
  exitStatus: false,
  output: "plain",
  colour: undefined,
  yes: false,
  force: false,
  given: [],
};

/** A command with its data and nothing before it; undefined for all else. `serve` has options of its own. */
export function flaglessInvocation([word, ...data]: readonly string[]): Invocation | undefined {
  if (word === undefined || word.startsWith("-") || word === "serve") return undefined;
  return { kind: "words", flags: NO_FLAGS, words: [word, ...data] };
}
