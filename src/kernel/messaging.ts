/**
 * Messages and client-side caching put together with the engine: the steps of the gate that concern them, and what no command
 * tells, because nobody's command made it (a key that expires) or because it gathers until the turn ends.
 */

import type { Gate } from "../commands/dispatch.ts";
import { matchesGlob } from "../commands/glob.ts";
import type { Journal } from "../journal/journal.ts";
import { PubSub } from "../pubsub/pubsub.ts";
import { Tracking } from "../pubsub/tracking.ts";
import type { Session } from "../session/session.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { SUBSCRIBED } from "./gate-steps.ts";
import { TRACKED } from "./tracked-step.ts";
import type { Turns } from "./turns.ts";

export interface MessagingParts {
  readonly keyspace: Keyspace;
  /** All open sessions by id. */
  readonly sessions: ReadonlyMap<number, Session>;
  endTurnSoon(): void;
}

export class Messaging {
  readonly pubsub = new PubSub(matchesGlob);
  readonly tracking: Tracking;

  constructor({ keyspace, sessions, endTurnSoon }: MessagingParts) {
    this.tracking = new Tracking({
      sessions,
      listen: (listener) => keyspace.listenToChanges(listener),
      goesByItself: () => keyspace.goesByItself,
      onDue: () => {
        this.pubsub.isDue = true;
        endTurnSoon();
      },
    });
  }

  attach(gate: Gate, journal: Journal, turns: Turns): void {
    this.pubsub.subscribedBit = gate.bit(SUBSCRIBED);
    this.tracking.trackedBit = gate.bit(TRACKED);
    turns.onEnd(() => this.#tellRest(journal));
  }

  /** It leaves with the replies of the turn. */
  #tellRest(journal: Journal): void {
    if (this.pubsub.isDue) {
      const hold = journal.lastHold;
      this.pubsub.deliver(hold);
      this.tracking.deliver(hold, null);
    }
    this.tracking.endTurn();
  }

  /** The session has ended. */
  forget(session: Session): void {
    this.pubsub.unsubscribeAll(session);
    this.tracking.end(session);
  }
}
