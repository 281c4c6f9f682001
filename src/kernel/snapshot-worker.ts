/** The entry of a snapshot worker's thread. What it does is snapshot-tasks.ts's. */
import { builtins } from "../../plugins/index.ts";
import { systemClock } from "../platform/clock.ts";
import { systemFiles } from "../platform/files.ts";
import { systemRandom } from "../platform/random.ts";
import type { SnapshotOrder } from "./snapshot-messages.ts";
import { SnapshotTasks } from "./snapshot-tasks.ts";
import { live, type ThreadScope } from "./worker-life.ts";

declare const self: ThreadScope;

live<SnapshotOrder>(self, (isOver) => {
  const tasks = new SnapshotTasks({
    files: systemFiles,
    clock: systemClock,
    random: systemRandom,
    builtins,
    isOver,
    tell: (news) => postMessage(news),
  });
  return (order) => tasks.heed(order);
});
