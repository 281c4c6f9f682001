/**
 * The engine's turns, and what is done in them and between commands: replies that come later, the snapshot that may be under
 * way, expiry and freeing in the background, long work in slices; put together of the parts that the engine has.
 */
import type { Gate } from "../commands/dispatch.ts";
import type { Journal } from "../journal/journal.ts";
import type { Clock } from "../platform/clock.ts";
import type { Statistics } from "../session/server.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { BackgroundWork, type BackgroundWorkParts } from "./background-work.ts";
import { CurrentSnapshot } from "./current-snapshot.ts";
import { LaterReplies } from "./later-replies.ts";
import { WorkSlices } from "./slices.ts";
import type { TurnClock } from "./turn-clock.ts";
import { Turns } from "./turns.ts";

export interface EngineTurnsParts {
  readonly keyspace: Keyspace;
  readonly journal: Journal;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly turnClock: TurnClock;
  readonly statistics: Statistics;
  readonly rates: BackgroundWorkParts["rates"];
  readonly latency: BackgroundWorkParts["latency"];
}

export function engineTurns(parts: EngineTurnsParts): {
  readonly turns: Turns;
  readonly laterReplies: LaterReplies;
  readonly snapshot: CurrentSnapshot;
  readonly background: BackgroundWork;
  readonly slices: WorkSlices;
} {
  const { keyspace, gate, clock } = parts;
  const endTurnSoon = () => turns.endSoon();
  const laterReplies = new LaterReplies(gate, endTurnSoon);
  const snapshot = new CurrentSnapshot({
    ...{ arena: keyspace.arena, access: keyspace.access },
    ...{ clock, endTurnSoon },
  });
  const turns = new Turns({ ...parts, laterReplies, snapshot });
  const background = new BackgroundWork({ ...parts, turns, snapshot });
  const slices = new WorkSlices({ ...parts, turns, snapshot });
  return { turns, laterReplies, snapshot, background, slices };
}
