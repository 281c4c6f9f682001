/** The thread of worker-life.test.ts. */
import { live } from "../../../src/kernel/worker-life.ts";

declare const self: Worker;

live<string>(self, (isOver) => (way) => {
  postMessage(way);
  if (way === "open") setInterval(() => {}, 1000);
  if (way === "stepping") while (!isOver());
});
