/** Waits for a server that still reads its data, and shows how far it is. */
import { type Answer, type Clock, KvdbError, type Part } from "kvdb";

export interface LoadingOptions {
  readonly clock: Clock;
  call(parts: readonly Part[]): Promise<Answer>;
  /** Undefined: nothing to show any more. */
  show(status: string | undefined): void;
  isGivenUp(): boolean;
}

const PAUSE_MS = 20;
/** What is over sooner need not be shown. */
const SHOWN_AFTER_MS = 200;
const BAR_CELLS = 24;

/** Resolves when commands are carried out, or when the user has given up. */
export async function awaitLoaded({ call, clock, show, isGivenUp }: LoadingOptions): Promise<void> {
  const begunMs = clock.monotonicMs();
  let isShown = false;
  while (!isGivenUp() && (await isLoading(call))) {
    if (clock.monotonicMs() - begunMs > SHOWN_AFTER_MS) {
      show(statusOf(await call(["INFO", "persistence"])));
      isShown = true;
    }
    await new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve));
  }
  if (isShown) show(undefined);
}

async function isLoading(call: LoadingOptions["call"]): Promise<boolean> {
  try {
    // PING is answered while loading in some servers; a question about a key never is.
    const answer = await call(["EXISTS", ""]);
    return answer.kind === "error" && answer.code === "LOADING";
  } catch (error) {
    // The prompt tells that nobody answers.
    if (error instanceof KvdbError) return false;
    throw error;
  }
}

/** `loading [######                  ] 25 %`; without a number where the server tells none. */
function statusOf(answer: Answer): string {
  const text = answer.kind === "bulk" ? answer.bytes.toString() : textOf(answer);
  const [, percent] = /^loading_loaded_perc:([\d.]+)/m.exec(text) ?? [];
  if (percent === undefined) return "loading …";
  const share = Math.min(100, Number(percent));
  const bar = "#".repeat(Math.round((share / 100) * BAR_CELLS)).padEnd(BAR_CELLS);
  return `loading [${bar}] ${Math.floor(share)} %`;
}

function textOf(answer: Answer): string {
  return answer.kind === "verbatim" ? answer.text : "";
}
