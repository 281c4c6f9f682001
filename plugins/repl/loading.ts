/** Waits for a server that still reads its data, and shows how far it is. */
import { type Answer, type Clock, KvdbError, type Part } from "kvdb";
import { loadingText } from "kvdb/shell";

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

/** With what the server tells; `loading …` when it tells nothing. */
function statusOf(answer: Answer): string {
  const text = answer.kind === "bulk" ? answer.bytes.toString() : textOf(answer);
  const field = (name: string) => {
    const [, number] = new RegExp(`^loading_${name}:([\\d.]+)`, "m").exec(text) ?? [];
    return number === undefined ? undefined : Number(number);
  };
  const indexes = field("indexes_perc");
  if (indexes !== undefined) return loadingText({ share: indexes / 100 }, "making indexes");
  const percent = field("loaded_perc");
  if (percent === undefined) return "loading …";
  const done = field("loaded_bytes");
  const total = field("total_bytes");
  const seconds = field("eta_seconds");
  return loadingText({
    share: percent / 100,
    ...(done !== undefined && total !== undefined && { bytes: { done, total } }),
    ...(seconds !== undefined && percent > 0 && { restMs: seconds * 1000 }),
  });
}

function textOf(answer: Answer): string {
  return answer.kind === "verbatim" ? answer.text : "";
}
