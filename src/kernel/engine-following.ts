/**
 * What an engine has for following another server: the settings, what changes while it does (replica-duties.ts), and how the
 * stream of a primary gets into the data. The side that follows is put together by the kernel, which has files and checkpoints.
 */
import type { Gate } from "../commands/dispatch.ts";
import type { Journal } from "../journal/journal.ts";
import type { Clock } from "../platform/clock.ts";
import type { Client } from "../plugin.ts";
import type { KeyEvents } from "../pubsub/key-events.ts";
import { ReplicaSettings } from "../replication/replica-settings.ts";
import {
  type ApplicationEvents,
  type AppliedEngine,
  StreamApplication,
} from "../replication/stream-application.ts";
import type { BlockedClients } from "../session/blocked-clients.ts";
import type { Session } from "../session/session.ts";
import type { Keyspace } from "../store/keyspace.ts";
import type { BackgroundWork } from "./background-work.ts";
import type { CurrentSnapshot } from "./current-snapshot.ts";
import { OwnDeadlines } from "./own-deadlines.ts";
import { ReplicaDuties } from "./replica-duties.ts";
import type { Turns } from "./turns.ts";

/** As Redis shows it: what a primary sends asks for no permission. */
const PRIMARY_USER = "(superuser)";

export interface EngineFollowingParts {
  readonly keyspace: Keyspace;
  readonly gate: Gate;
  readonly journal: Journal;
  readonly events: KeyEvents;
  readonly blockedClients: BlockedClients;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly snapshot: CurrentSnapshot;
  readonly background: BackgroundWork;
  isPaused(): boolean;
  isLoading(): boolean;
  beginTurn(): number;
  /** One of the origin "replica". */
  newSession(client: Client): Session;
}

export class EngineFollowing {
  readonly settings = new ReplicaSettings();
  readonly duties: ReplicaDuties;
  readonly #parts: EngineFollowingParts;

  constructor(parts: EngineFollowingParts) {
    this.#parts = parts;
    const ownDeadlines = new OwnDeadlines(parts);
    this.duties = new ReplicaDuties({ ...parts, settings: this.settings, ownDeadlines });
  }

  createApplication(events: ApplicationEvents, client: Client): StreamApplication {
    const session = this.#parts.newSession(client);
    session.user = PRIMARY_USER;
    return new StreamApplication(this.#applied(), session, events);
  }

  #applied(): AppliedEngine {
    const { keyspace, gate, journal, events, blockedClients } = this.#parts;
    const { clock, snapshot, turns } = this.#parts;
    const { beginTurn, isLoading } = this.#parts;
    const { disk } = journal;
    return {
      ...{ keyspace, gate, journal, events, blockedClients, clock, beginTurn },
      // What cannot be made durable is not taken: it would be lost, and could not be asked for again.
      get mustWait() {
        return (
          !disk.acceptsInput || disk.failure !== null || !snapshot.acceptsWrites || isLoading()
        );
      },
      get turnIsFull() {
        return snapshot.turnIsFull;
      },
      onRoom: (listener) => {
        const ends = [turns.onEnd(listener), disk.onDurable(listener)];
        return () => {
          for (const end of ends) end();
        };
      },
    };
  }
}
