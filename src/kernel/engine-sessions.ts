/**
 * The sessions of an engine: how one begins, and who has to forget it when it ends. What a session is, is session.ts's; who
 * its user is and what that one may do, auth/users.ts's.
 */
import type { Users } from "../auth/users.ts";
import type { Gate } from "../commands/dispatch.ts";
import type { MemoryLimit } from "../memory/memory-limit.ts";
import type { Monitors } from "../metrics/monitors.ts";
import type { Client } from "../plugin.ts";
import type { ServerReplication } from "../replication/replication.ts";
import type { Server } from "../session/server.ts";
import { type Origin, Session } from "../session/session.ts";
import type { Database } from "../store/database.ts";
import type { Transactions } from "../transaction/transactions.ts";
import type { Messaging } from "./messaging.ts";
import { NOBODY } from "./nobody.ts";
import type { UntouchedCommands } from "./untouched-commands.ts";

export interface EngineSessionsParts {
  readonly server: Server;
  /** Those that are open, by id. */
  readonly open: Map<number, Session>;
  readonly gate: Gate;
  readonly accounts: Users;
  readonly memory: MemoryLimit;
  readonly untouched: UntouchedCommands;
  readonly monitors: Monitors;
  readonly transactions: Transactions;
  readonly replication: ServerReplication;
  readonly messaging: Messaging;
}

export class EngineSessions {
  readonly #parts: EngineSessionsParts;
  #nextId = 1;

  constructor(parts: EngineSessionsParts) {
    this.#parts = parts;
  }

  connect(client: Client, origin: Origin): Session {
    const { server, open, accounts } = this.#parts;
    const session = this.create(client, origin);
    accounts.dismiss(session);
    open.set(session.id, session);
    server.statistics.connectionsReceived++;
    return session;
  }

  disconnect(session: Session): void {
    const { open, memory, untouched, monitors } = this.#parts;
    const { transactions, replication, messaging } = this.#parts;
    open.delete(session.id);
    memory.clients.forget(session);
    untouched.set(session, false);
    monitors.remove(session);
    session.later?.abandon();
    transactions.forget(session);
    replication.leading.forget(session);
    messaging.forget(session);
  }

  /** For what the engine does itself: it is no client's. */
  nobodys(origin: Origin): Session {
    return this.create(NOBODY, origin);
  }

  /** It is in no list, and nobody has to forget it. */
  create(client: Client, origin: Origin): Session {
    const { server, gate } = this.#parts;
    return new Session({
      id: this.#nextId++,
      server,
      client,
      origin,
      askedSteps: gate.stepsFor(origin),
      database: server.keyspace.databases[0] as Database,
      nowMs: server.clock.now(),
    });
  }
}
