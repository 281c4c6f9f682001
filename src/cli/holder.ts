/**
 * The process that holds a data folder, as others see it: the way to it is the socket that it has announced. Here is nothing
 * that opens a folder: who only talks to a server need not read how that is done.
 */
import { type Link, type LinkMessages, type Part, partText } from "../client/link.ts";
import { SocketLink } from "../client/socket-link.ts";
import { KvdbError } from "../errors.ts";
import type { LoadingView } from "../kernel/loading.ts";
import type { Clock } from "../platform/clock.ts";
import type { LockHolder } from "../platform/folder-lock.ts";
import type { Answer } from "../resp/answer.ts";

/** How long a holder may take to greet. One that runs does so within a turn, also while it loads. */
const GREETING_LIMIT_MS = 10_000;
/** How often a holder that still loads is asked again. */
const LOADING_PAUSE_MS = 50;

/** Undefined when it lets nobody in, does not answer within `limitMs`, or has ended. */
export async function reach(
  holder: LockHolder | undefined,
  clock: Clock,
  messages: LinkMessages = {},
  limitMs = GREETING_LIMIT_MS,
): Promise<Link | undefined> {
  if (holder?.socket === undefined) return undefined;
  const patience = new AbortController();
  const timer = clock.after(limitMs, () => patience.abort());
  try {
    return await SocketLink.connect({ unix: holder.socket }, {}, patience.signal, messages);
  } catch (error) {
    if (error instanceof KvdbError && error.code === "UNAVAILABLE") return undefined;
    throw error;
  } finally {
    timer.cancel();
  }
}

/**
 * A holder that still reads its data says LOADING: the command waits as it would have here. One that is
 * told to stop answers by ending the connection.
 */
export function forwarding(link: Link, clock: Clock, view: LoadingView | undefined): Link {
  return {
    async call(parts: readonly Part[]): Promise<Answer> {
      try {
        for (;;) {
          const answer = await link.call(parts).catch((error: unknown) => {
            const isGone = error instanceof KvdbError && error.code === "UNAVAILABLE";
            if (isGone && partText(parts[0] as Part).toUpperCase() === "SHUTDOWN") return STOPPED;
            throw error;
          });
          if (answer.kind !== "error" || answer.code !== "LOADING") return answer;
          if (view !== undefined) await showProgress(link, view);
          await pause(clock, LOADING_PAUSE_MS);
        }
      } finally {
        view?.end();
      }
    },
    close: () => link.close(),
  };
}

async function showProgress(link: Link, view: LoadingView): Promise<void> {
  const answer = await link.call(["INFO", "persistence"]);
  const text = answer.kind === "verbatim" ? answer.text : "";
  const [, total] = /^loading_total_bytes:(\d+)/m.exec(text) ?? [];
  const [, done] = /^loading_loaded_bytes:(\d+)/m.exec(text) ?? [];
  const [, indexes] = /^loading_indexes_perc:([\d.]+)/m.exec(text) ?? [];
  if (indexes !== undefined) view.indexing(Number(indexes) / 100);
  else if (done !== undefined && total !== undefined) view.progress(Number(done), Number(total));
}

const STOPPED: Answer = { kind: "status", text: "OK" };

export function isHeld(error: unknown): error is KvdbError {
  return error instanceof KvdbError && error.code === "HELD";
}

export function pause(clock: Clock, durationMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(durationMs, resolve));
}
