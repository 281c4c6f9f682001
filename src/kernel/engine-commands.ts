/**
 * How an engine runs commands: kvdb's own in the table, the gate that all of them pass, what is known of the time they take,
 * and who watches; put together of the parts that the engine has.
 */
import { collectionParameters } from "../commands/collection-parameters.ts";
import { CommandTimes } from "../commands/command-times.ts";
import { Gate } from "../commands/dispatch.ts";
import type { ErrorCounts } from "../commands/error-counts.ts";
import { coreCommands } from "../commands/index.ts";
import type { CommandTable } from "../commands/table.ts";
import type { Journal } from "../journal/journal.ts";
import { Insight } from "../metrics/insight.ts";
import { insightCommands } from "../metrics/insight-commands.ts";
import { Monitors } from "../metrics/monitors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { KeyEvents } from "../pubsub/key-events.ts";
import type { PubSub } from "../pubsub/pubsub.ts";
import type { Tracking } from "../pubsub/tracking.ts";
import type { BlockedClients } from "../session/blocked-clients.ts";
import type { ServerParameter } from "../session/server.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { FaultLog } from "./fault-log.ts";
import { gateSteps } from "./gate-steps.ts";
import { PluginCommands } from "./plugin-commands.ts";

export interface EngineCommandsParts {
  readonly commands: CommandTable;
  readonly keyspace: Keyspace;
  readonly journal: Journal;
  readonly events: KeyEvents;
  readonly blockedClients: BlockedClients;
  readonly pubsub: PubSub;
  readonly tracking: Tracking;
  readonly errors: ErrorCounts;
  readonly clock: Clock;
  readonly log: Log;
  addParameter(parameter: ServerParameter): void;
  /** Answers the time of the turn. */
  readonly beginTurn: () => number;
}

export function engineCommands(parts: EngineCommandsParts): {
  readonly gate: Gate;
  readonly insight: Insight;
  readonly monitors: Monitors;
  readonly pluginCommands: PluginCommands;
} {
  const { commands, keyspace, journal, clock, log } = parts;
  const times = new CommandTimes(clock, commands);
  const insight = new Insight({ times, clock, keyspace });
  const { disk } = journal;
  disk.syncs.onSync = (ms) => insight.syncTook(disk.mode === "always", ms);
  commands.add([...coreCommands, ...insightCommands(insight)], "kvdb");
  const { limits } = keyspace.collections;
  for (const parameter of [...insight.parameters, ...collectionParameters(limits)]) {
    parts.addParameter(parameter);
  }
  const gate = new Gate({
    ...{ ...parts, table: commands, recorder: journal, steps: gateSteps, times },
    now: parts.beginTurn,
    onFault: (command, thrown) => tellFault(log, command, thrown),
  });
  const monitors = new Monitors(gate, clock);
  const faults = new FaultLog(log, clock);
  const pluginCommands = new PluginCommands({ gate, journal, keyspace, faults });
  return { gate, insight, monitors, pluginCommands };
}

function tellFault(log: Log, command: string, thrown: unknown): void {
  const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  log.error("a command threw: this is a defect", { command, error: text });
}
