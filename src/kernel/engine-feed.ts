/** The feed of an engine's changes, put together with it: its command, its setting, what INFO tells of it, and its memory. */
import type { CommandTable } from "../commands/table.ts";
import { ChangeFeed } from "../feed/change-feed.ts";
import { changesCommand } from "../feed/changes-command.ts";
import { feedInfo, feedParameter } from "../feed/feed-state.ts";
import type { Journal } from "../journal/journal.ts";
import type { MemoryLimit } from "../memory/memory-limit.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { ServerParameter } from "../session/server.ts";
import type { AddedInfo } from "./added-info.ts";
import type { WorkSlices } from "./slices.ts";

export interface EngineFeedParts {
  readonly journal: Journal;
  readonly commands: CommandTable;
  readonly memory: MemoryLimit;
  readonly slices: WorkSlices;
  readonly info: AddedInfo;
  readonly clock: Clock;
  readonly log: Log;
  addParameter(parameter: ServerParameter): void;
}

export function engineFeed(parts: EngineFeedParts): ChangeFeed {
  const changes = new ChangeFeed({ ...parts, log: parts.log.child("changes") });
  parts.commands.add([changesCommand(changes)], "kvdb");
  parts.memory.include(changes);
  parts.addParameter(feedParameter(changes));
  parts.info.add("persistence", () => feedInfo(changes));
  return changes;
}
