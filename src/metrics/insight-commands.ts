/** The commands that tell what kvdb knows about its commands, as one list, made of what they ask. */
import type { Command } from "../commands/command.ts";
import type { BigKeys } from "./big-keys.ts";
import type { HotKeys } from "./hot-keys.ts";
import { keyCommands } from "./key-commands.ts";
import { latencyCommands } from "./latency-commands.ts";
import type { LatencyEvents } from "./latency-events.ts";
import { monitorCommands } from "./monitor-command.ts";
import type { Slowlog } from "./slowlog.ts";
import { slowlogCommands } from "./slowlog-commands.ts";

export interface InsightParts {
  readonly hotKeys: HotKeys;
  readonly bigKeys: BigKeys;
  readonly slowlog: Slowlog;
  readonly latency: LatencyEvents;
}

export function insightCommands(parts: InsightParts): readonly Command[] {
  return [
    ...slowlogCommands(parts.slowlog),
    ...latencyCommands(parts.latency),
    ...monitorCommands,
    ...keyCommands(parts),
  ];
}
