/**
 * What following another server needs of this one: of its data and its stream, which the kernel puts together, and of the
 * world around it.
 */
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Random } from "../platform/random.ts";
import type { Client, Revision } from "../plugin.ts";
import type { CopyFile } from "./copy-file.ts";
import type { ConnectPrimary } from "./primary-socket.ts";
import type { ReplicaSettings } from "./replica-settings.ts";
import type { ReplicationStream } from "./stream.ts";
import type { ApplicationEvents, StreamApplication } from "./stream-application.ts";

/** Where a copy stands in its primary's stream. */
export interface CopyPlace {
  readonly id: string;
  readonly offset: number;
}

/** What a server does for the side that follows. */
export interface FollowingHost {
  /** Why nobody can be followed; empty: somebody can. */
  readonly obstacle: string;
  /** From now on, until `endFollowing`, clients are told that they may not write. */
  beginFollowing(): void;
  endFollowing(): void;
  /** The link is up, or down: clients may be told that what they read is old. */
  linkChanged(isUp: boolean): void;
  openCopy(): Promise<CopyFile>;
  /** All data is replaced by the copy when it resolves, and the stream stands where the copy does; else all is as before. */
  takeCopy(path: string, place: CopyPlace): Promise<void>;
  /** `client` is what the connection is told of among those of clients. */
  createApplication(events: ApplicationEvents, client: Client): StreamApplication;
  /** Where this server listens; 0: nowhere. */
  readonly listeningPort: number;
  readonly timeoutSeconds: number;
  /** Up to here what was recorded is as durable as promised: where that is nothing, all there is; and the last one. */
  readonly durableRevision: Revision;
  /** Up to here it is on disk, whatever is promised; null: it is not recorded. */
  readonly syncedRevision: Revision | null;
  readonly lastRevision: Revision;
  onDurable(listener: () => void): () => void;
}

/** The stream, as far as following another server changes it. */
export type FollowedStream = Pick<
  ReplicationStream,
  "id" | "offset" | "isInUse" | "isFollowing" | "renew" | "adopt" | "confirm" | "rename"
> & {
  /** Selected in it behind the last record; -1: what comes selects one. */
  readonly database: number;
  /** Somebody is followed: what is recorded of one's own is no part of the stream. Resolves when that is durable. */
  follow(): Promise<void>;
};

export interface FollowingOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly settings: ReplicaSettings;
  readonly connect: ConnectPrimary;
  readonly stream: FollowedStream;
  readonly host: FollowingHost;
}
