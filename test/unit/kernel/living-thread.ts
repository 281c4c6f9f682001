/** The thread of worker-life.test.ts. */
import { live, type ThreadScope } from "../../../src/kernel/worker-life.ts";

declare const self: ThreadScope;

const LINGER_MS = 200;

const begin = (isOver: () => boolean) => (way: string) => {
  postMessage(way);
  if (way === "open") setInterval(() => {}, 1000);
  if (way === "stepping") while (!isOver());
};

live<string>(self, begin, LINGER_MS);
