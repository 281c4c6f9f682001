/** The entry of a snapshot worker's thread. What it does is snapshot-tasks.ts's. */
import { builtins } from "../../plugins/index.ts";
import { systemClock } from "../platform/clock.ts";
import { systemFiles } from "../platform/files.ts";
import { systemRandom } from "../platform/random.ts";
import type { SnapshotOrder } from "./snapshot-messages.ts";
import { SnapshotTasks } from "./snapshot-tasks.ts";

declare const self: Worker;

const tasks = new SnapshotTasks({
  files: systemFiles,
  clock: systemClock,
  random: systemRandom,
  builtins,
  tell: (news) => postMessage(news),
});

self.onmessage = ({ data }: MessageEvent<SnapshotOrder>) => tasks.heed(data);
