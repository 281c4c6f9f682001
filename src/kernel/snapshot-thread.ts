/** Starts the thread of a snapshot worker. It takes a few milliseconds and some 5 MB; a thread lives for one snapshot. */
import type { SnapshotNews, StartSnapshotWorker } from "./snapshot-messages.ts";
import { startedLife } from "./worker-life.ts";

export const startSnapshotThread: StartSnapshotWorker = (onNews) => {
  // In the executable all modules lie in one folder, so the name is right there too (scripts/build.ts).
  const thread = new Worker(new URL("./snapshot-worker.ts", import.meta.url).href);
  thread.onmessage = ({ data }: MessageEvent<SnapshotNews>) => onNews(data);
  const failed = (message: string) => onNews({ kind: "failed", code: "INTERNAL", message });
  thread.onerror = ({ message }) => failed(message);
  // A plugin may end its thread, which is no error; after `stop` nobody listens any more.
  thread.addEventListener("close", () => failed("the worker of a snapshot has ended"));
  const life = startedLife((message) => thread.postMessage(message));
  return {
    post: (order) => thread.postMessage(order),
    stop: () => life.end(),
  };
};
