/**
 * What changes in an engine while its server follows another one: who may write, and that nothing goes away by itself, since
 * that is the primary's to say. What has expired is not found, and stays until the primary deletes it.
 */
import type { Gate } from "../commands/dispatch.ts";
import type { ReplicaSettings } from "../replication/replica-settings.ts";
import { READ_ONLY, STALE, WRITABLE } from "../replication/replica-steps.ts";
import { unblocked } from "../replication/unblocked.ts";
import type { BlockedClients } from "../session/blocked-clients.ts";
import type { Keyspace } from "../store/keyspace.ts";
import type { OwnDeadlines } from "./own-deadlines.ts";

export interface ReplicaDutiesParts {
  readonly settings: ReplicaSettings;
  readonly gate: Gate;
  readonly keyspace: Keyspace;
  readonly blockedClients: BlockedClients;
  readonly background: { rest(): () => void };
  readonly ownDeadlines: Pick<OwnDeadlines, "areNoted" | "forget">;
  /** Of CLIENT PAUSE: then, too, what has expired stays. */
  isPaused(): boolean;
}

export class ReplicaDuties {
  /** This server follows another one. */
  isFollowing = false;
  /** Told when that has changed. */
  onRole: () => void = () => {};
  readonly #parts: ReplicaDutiesParts;
  #isLinkUp = false;
  #resume: () => void = () => {};

  constructor(parts: ReplicaDutiesParts) {
    this.#parts = parts;
    parts.settings.onChange = () => this.#apply();
  }

  begin(): void {
    const { background, blockedClients } = this.#parts;
    this.isFollowing = true;
    this.#isLinkUp = false;
    this.#resume = background.rest();
    // Who pushes is somewhere else from now on.
    blockedClients.interruptAll(unblocked);
    this.#apply();
    this.onRole();
  }

  end(): void {
    this.isFollowing = false;
    this.#resume();
    this.#parts.ownDeadlines.forget();
    this.#apply();
    this.onRole();
  }

  /** A full copy is in the place of all data. */
  dataReplaced(): void {
    this.#parts.ownDeadlines.forget();
  }

  linkChanged(isUp: boolean): void {
    this.#isLinkUp = isUp;
    this.#apply();
  }

  #apply(): void {
    const { settings, gate, keyspace, ownDeadlines, isPaused } = this.#parts;
    const { isFollowing } = this;
    const isWritable = isFollowing && !settings.isReadOnly;
    gate.setActive(READ_ONLY, isFollowing && settings.isReadOnly);
    gate.setActive(WRITABLE, isWritable);
    ownDeadlines.areNoted = isWritable;
    gate.setActive(STALE, isFollowing && !this.#isLinkUp && !settings.servesStaleData);
    keyspace.keepsExpired = isFollowing || isPaused();
  }
}
