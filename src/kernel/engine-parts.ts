/**
 * What an engine is made of, put together: each part behind those that it needs. What belongs together has a file of its own,
 * engine-data.ts to engine-states.ts; this one says only how they hang together.
 */
import { AUTHENTICATED, PERMITTED } from "../auth/permission-step.ts";
import { Users } from "../auth/users.ts";
import { trackingParameter } from "../commands/client-tracking.ts";
import { ErrorCounts } from "../commands/error-counts.ts";
import { CommandTable } from "../commands/table.ts";
import { newStatistics } from "../metrics/new-statistics.ts";
import { Rates } from "../metrics/rates.ts";
import { ClientPause } from "../session/client-pause.ts";
import { OutputLimits } from "../session/output-limits.ts";
import type { Server, ServerParameter } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import { TRANSACTION } from "../transaction/transaction-step.ts";
import { Transactions } from "../transaction/transactions.ts";
import { AddedInfo } from "./added-info.ts";
import { DEBUGGING } from "./debug-step.ts";
import { engineCommands } from "./engine-commands.ts";
import { engineData } from "./engine-data.ts";
import { engineFeed } from "./engine-feed.ts";
import { EngineIndexes } from "./engine-indexes.ts";
import { EngineLoading } from "./engine-loading.ts";
import { engineMemory } from "./engine-memory.ts";
import type { EngineSettings } from "./engine-port.ts";
import { engineReplication } from "./engine-replication.ts";
import { EngineSessions } from "./engine-sessions.ts";
import { EngineStates } from "./engine-states.ts";
import { engineTurns } from "./engine-turns.ts";
import { DURABLE, LOADING, PAUSED } from "./gate-steps.ts";
import { TurnClock } from "./turn-clock.ts";
import { UntouchedCommands } from "./untouched-commands.ts";

export type EngineParts = ReturnType<typeof engineParts>;

/** Longer than usual, and one thing after the other. `server`: what sessions are told that they run in. */
export function engineParts(options: EngineSettings, server: Server) {
  const { databases, clock, random, log } = options;
  const commands = new CommandTable();
  const sessions = new Map<number, Session>();
  const parameters = new Map<string, ServerParameter>();
  const addParameter = (parameter: ServerParameter) => {
    parameters.set(parameter.name, parameter);
  };
  const info = new AddedInfo();
  const errors = new ErrorCounts();
  const turnClock = new TurnClock();
  const outputLimits = new OutputLimits();
  const endTurnSoon = () => turns.endSoon();
  const beginTurn = () => {
    turns.begin();
    const nowMs = turns.now();
    keyspace.access.tick(nowMs);
    memory.beginTurn();
    return nowMs;
  };
  const isLoading = () => gate.isActive(LOADING);

  const { keyspace, events, messaging, journal, blockedClients } = engineData({
    ...{ databases, commands, sessions, clock, random, log, endTurnSoon },
  });
  const { pubsub, tracking } = messaging;
  const { gate, insight, monitors, pluginCommands } = engineCommands({
    ...{ commands, keyspace, journal, events, blockedClients, pubsub, tracking, errors },
    ...{ clock, log, addParameter, beginTurn },
  });
  const { latency, bigKeys } = insight;
  const statistics = newStatistics(clock.now());
  const rates = new Rates(clock, server);
  const { turns, laterReplies, snapshot, background, slices } = engineTurns({
    ...{ keyspace, journal, gate, clock, turnClock, statistics, rates, latency },
  });
  const isResting = () => isLoading() || background.isResting;
  const memory = engineMemory({
    ...{ keyspace, sessions, clock, journal, turns, snapshot, gate, isResting, latency },
    addParameter,
  });
  const indexes = new EngineIndexes({ keyspace, slices, log });
  commands.add(indexes.commands, "kvdb");
  const changes = engineFeed({
    ...{ journal, commands, memory, slices, clock, log, addParameter, info },
  });
  memory.include(tracking);
  let endRest = () => {};
  /** The data stays as it is until the pause is over. */
  const setPaused = (isPaused: boolean) => {
    gate.setActive(PAUSED, isPaused);
    if (isPaused) endRest = background.rest();
    else endRest();
    keyspace.keepsExpired = isPaused || following.duties.isFollowing;
  };
  const pause = new ClientPause(clock, setPaused);
  const { stream, replication, followers, shutdown, following } = engineReplication({
    ...{ keyspace, gate, commands, journal, events, blockedClients, changes, pause },
    ...{ outputLimits, turns, snapshot, background, clock, log },
    ...{ addParameter, beginTurn, isLoading },
    isPaused: () => gate.isActive(PAUSED),
    newSession: (client) => sessionLives.create(client, "replica"),
  });
  gate.tableChanged();
  const transactions = new Transactions({ gate, journal, keyspace, events, tracking });
  const accounts = new Users({
    ...{ commands, sessions, clock, password: options.password },
    authenticatedBit: gate.bit(AUTHENTICATED),
    permittedBit: gate.bit(PERMITTED),
    transactionBit: gate.bit(TRANSACTION),
  });
  changes.rightOf = (session) => accounts.keyReader(session, "changes");
  messaging.attach(gate, journal, turns);
  addParameter(trackingParameter(tracking));
  const untouched = new UntouchedCommands(gate, keyspace.access);
  const sessionLives = new EngineSessions({
    ...{ server, open: sessions, gate, accounts, memory, untouched, monitors },
    ...{ transactions, replication, messaging },
  });
  const loading = new EngineLoading({
    ...{ keyspace, gate, journal, turns, indexes, accounts, changes, stream, bigKeys, log },
    newSession: (origin) => sessionLives.nobodys(origin),
  });
  const states = new EngineStates({
    ...{ keyspace, journal, gate, turns, snapshot, slices, indexes, changes },
    ...{ blockedClients, pause, bigKeys, clock, stream },
  });

  gate.setActive(DEBUGGING, options.debugCommand !== "yes");
  memory.maxBytes = options.maxMemoryBytes;
  for (const [name, value] of Object.entries(options.memoryParameters ?? {})) {
    parameters.get(name)?.set?.(value);
  }
  info.add("debug", () => ({ longest_turn_cpu_usec: Math.round(turnClock.longestUsec) }));
  journal.onRecord = endTurnSoon;
  journal.disk.onHealth = (failure) => gate.setActive(DURABLE, failure !== null);

  return {
    ...{ commands, sessions, parameters, info, errors, turnClock, outputLimits, beginTurn },
    ...{ keyspace, events, pubsub, tracking, journal, blockedClients },
    ...{ gate, insight, monitors, pluginCommands, statistics, rates },
    ...{ turns, laterReplies, snapshot, background, slices, memory, indexes, changes, pause },
    ...{ stream, replication, followers, shutdown, following, transactions, accounts, untouched },
    ...{ sessionLives, loading, states },
  };
}
