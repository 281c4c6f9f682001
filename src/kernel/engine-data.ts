/**
 * The data of an engine, put together: the keyspace, who is told of its changes, and the journal that records them.
 */
import type { CommandTable } from "../commands/table.ts";
import { Journal } from "../journal/journal.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Random } from "../platform/random.ts";
import { KeyEvents } from "../pubsub/key-events.ts";
import { BlockedClients } from "../session/blocked-clients.ts";
import type { Session } from "../session/session.ts";
import { Keyspace } from "../store/keyspace.ts";
import { Messaging } from "./messaging.ts";

export interface EngineDataParts {
  /** How many. */
  readonly databases: number;
  readonly commands: CommandTable;
  /** Those that are open, by id. */
  readonly sessions: ReadonlyMap<number, Session>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  endTurnSoon(): void;
}

export function engineData(parts: EngineDataParts): {
  readonly keyspace: Keyspace;
  readonly events: KeyEvents;
  readonly messaging: Messaging;
  readonly journal: Journal;
  readonly blockedClients: BlockedClients;
} {
  const { databases, commands, sessions, clock, random, endTurnSoon } = parts;
  const [key0 = 0, key1 = 0] = crypto.getRandomValues(new Int32Array(2));
  const nowMs = clock.now();
  const keyspace = new Keyspace({ databases, hashKey: [key0, key1], random, nowMs });
  const events = new KeyEvents(keyspace);
  const messaging = new Messaging({ keyspace, sessions, endTurnSoon });
  events.delivery = messaging.pubsub;
  const log = parts.log.child("journal");
  const journal = new Journal({ keyspace, commands, events, clock, log });
  const blockedClients = new BlockedClients({ keyspace, clock, onReady: endTurnSoon });
  return { keyspace, events, messaging, journal, blockedClients };
}
