/**
 * Both sides of replication and the stream between them, as commands see them together (session/replication.ts). Each side is
 * put in its place by the kernel; until then nobody follows this server, and it follows nobody.
 */
import { CommandError } from "../commands/command-error.ts";
import {
  type FailoverState,
  type Following,
  type FollowOptions,
  type Leading,
  NO_REPLICAS,
  type PrimaryState,
  type ReplicaState,
  type Replication,
  type StreamNumbers,
} from "../session/replication.ts";
import type { Session } from "../session/session.ts";

/** The side that is followed, as the other one needs it. */
export interface LeadingSide extends Leading {
  /** The connection of a session is gone. */
  forget(session: Session): void;
}

const NOBODY_FOLLOWS: LeadingSide = { ...NO_REPLICAS, forget: () => {} };

const FOLLOWS_NOBODY: Following = {
  primary: null,
  advice: "",
  ...{ failedCommands: 0, receivedBytes: 0 },
  resetStatistics: () => {},
  follow: () => {
    throw new CommandError("ERR", "here is nobody who could follow another server");
  },
  lead: async () => {},
};

export class ServerReplication implements Replication {
  readonly stream: StreamNumbers;
  leading: LeadingSide = NOBODY_FOLLOWS;
  following: Following = FOLLOWS_NOBODY;

  constructor(stream: StreamNumbers) {
    this.stream = stream;
  }

  get role(): "master" | "slave" {
    return this.following.primary === null ? "master" : "slave";
  }

  get replicas(): readonly ReplicaState[] {
    return this.leading.replicas;
  }

  acknowledged(offset: number): number {
    return this.leading.acknowledged(offset);
  }

  get goodReplicas(): number {
    return this.leading.goodReplicas;
  }

  get failoverState(): FailoverState {
    return this.leading.failoverState;
  }

  get sentBytes(): number {
    return this.leading.sentBytes;
  }

  get backlogBytes(): number {
    return this.leading.backlogBytes;
  }

  get bufferBytes(): number {
    return this.leading.bufferBytes;
  }

  get copies(): Leading["copies"] {
    return this.leading.copies;
  }

  published(command: "PUBLISH" | "SPUBLISH", channel: Buffer, message: Buffer): void {
    this.leading.published(command, channel, message);
  }

  resetStatistics(): void {
    this.leading.resetStatistics();
    this.following.resetStatistics();
  }

  get receivedBytes(): number {
    return this.following.receivedBytes;
  }

  get failedCommands(): number {
    return this.following.failedCommands;
  }

  get advice(): string {
    return this.following.advice;
  }

  get primary(): PrimaryState | null {
    return this.following.primary;
  }

  follow(host: string, port: number, options?: FollowOptions): boolean {
    return this.following.follow(host, port, options);
  }

  lead(): Promise<void> {
    return this.following.lead();
  }
}
