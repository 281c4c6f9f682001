/**
 * Replication as commands see it, through `session.server.replication`: the numbers of the stream, who follows this server, whom
 * it follows, and what may be done about it. Interfaces alone: src/replication is what is behind them.
 *
 *   primary ──── stream of bytes, from offset 1 on ───▶ replica ──── the same stream ───▶ its own replicas
 *           ◀─── REPLCONF ACK offset, each second ─────
 */
import type { Session } from "./session.ts";

export interface Replication extends Leading, Following {
  /** In Redis's words, which INFO and ROLE tell. */
  readonly role: "master" | "slave";
  readonly stream: StreamNumbers;
}

/** Where the stream stands. Offsets count bytes, the first one is 1. */
export interface StreamNumbers {
  /** 40 hexadecimal digits. */
  readonly id: string;
  /** The id that the stream had before, up to `previousEnd`; zeros: none. */
  readonly previousId: string;
  /** The first offset that is not of the previous id any more; -1: there is none. */
  readonly previousEnd: number;
  /** Of the last byte. */
  readonly offset: number;
  /** Of the oldest byte that can still be given; `offset` + 1: of none. */
  readonly firstOffset: number;
  /** Records are kept as a stream: a replica has been here, or this is one. */
  readonly isInUse: boolean;
}

// ---- who follows this server ----

export interface Leading {
  /** In the order in which they came. */
  readonly replicas: readonly ReplicaState[];
  /** How many replicas have acknowledged everything up to an offset. */
  acknowledged(offset: number): number;
  /** Replicas that are well, as min-replicas-max-lag says; 0 when that or min-replicas-to-write is 0. */
  readonly goodReplicas: number;
  /** Of a coordinated failover, as INFO tells it. */
  readonly failoverState: FailoverState;
  /** Bytes that went to replicas. */
  readonly sentBytes: number;
  /** Memory for the records that they may ask for again. */
  readonly backlogBytes: number;
  /** Memory for what waits for replicas, and for the records that they may ask for again. */
  readonly bufferBytes: number;
  readonly copies: CopyCounts;
  /** CONFIG RESETSTAT. */
  resetStatistics(): void;
  /** A client has published something: replicas tell their own subscribers. */
  published(command: "PUBLISH" | "SPUBLISH", channel: Buffer, message: Buffer): void;
}

export type FailoverState = "no-failover" | "waiting-for-sync" | "failover-in-progress";

export interface CopyCounts {
  /** How often all data was sent, and how often a replica could go on where it was, or could not although it wanted to. */
  readonly full: number;
  readonly partialGranted: number;
  readonly partialRefused: number;
}

export interface ReplicaState {
  /** Of its session. */
  readonly sessionId: number;
  /** As it announced itself, else where its connection comes from. */
  readonly ip: string;
  readonly port: number;
  readonly state: "wait_bgsave" | "send_bulk" | "online";
  /** Everything up to here is acknowledged. */
  readonly offset: number;
  /** Since its last acknowledgement; while it has given none, since its connection is a replica's. */
  readonly lagSeconds: number;
  /** What it has not acknowledged. */
  readonly lagBytes: number;
}

// ---- whom this server follows ----

export interface Following {
  /** Null: nobody. */
  readonly primary: PrimaryState | null;
  /** What somebody may do who is told that nobody writes here; empty: it is plain. */
  readonly advice: string;
  /** Commands that a primary has run, and that have failed here. */
  readonly failedCommands: number;
  /** Bytes that came from primaries. */
  readonly receivedBytes: number;
  /** CONFIG RESETSTAT. */
  resetStatistics(): void;
  /** Begins to follow another server. What follows this one is let go. False, and harmless: it follows that one already. */
  follow(host: string, port: number, options?: FollowOptions): boolean;
  /** Follows nobody any more. Resolves when this server is a primary, and takes writes. Harmless when it is one. */
  lead(): Promise<void>;
}

export interface FollowOptions {
  /**
   * That one is to become a primary in our place, as FAILOVER has agreed: it is asked by `PSYNC id offset FAILOVER`. Called once,
   * with whether it has: when it refused, and when its connection broke, it has not, and goes on being asked until `lead`.
   */
  readonly failover?: (hasTakenOver: boolean, problem: string) => void;
}

export interface PrimaryState {
  /** Of its connection, as one among those of clients; null: its stream does not come now. */
  readonly session: Session | null;
  readonly host: string;
  readonly port: number;
  /** As ROLE names it. */
  readonly link: "connect" | "connecting" | "handshake" | "sync" | "connected";
  /** A full copy comes in, or is loaded. */
  readonly isSyncing: boolean;
  /** Of the copy. -1: nobody knows yet how long it is. */
  readonly syncTotalBytes: number;
  readonly syncReadBytes: number;
  readonly syncLastIoSeconds: number;
  /** Since something came from it; -1: the link is down. */
  readonly lastIoSeconds: number;
  /** Since when the link is down, in seconds; -1: it is up, or was never. */
  readonly downSinceSeconds: number;
  /** How far its stream has come in, and how far it stands in the data. */
  readonly readOffset: number;
  readonly appliedOffset: number;
  /** Why the link is down, as far as it is known; empty: it is up, or was not tried. */
  readonly problem: string;
  /**
   * By how much time this server is behind it, at most: for so long nothing of its stream came, whatever the link is doing. And how
   * many bytes have come in that are not applied.
   */
  readonly lagSeconds: number;
  readonly lagBytes: number;
  /** Clients may not write here (replica-read-only). */
  readonly isReadOnly: boolean;
  readonly priority: number;
  readonly announced: boolean;
}

/** Nobody follows. */
export const NO_REPLICAS: Leading = {
  replicas: [],
  acknowledged: () => 0,
  goodReplicas: 0,
  failoverState: "no-failover",
  ...{ sentBytes: 0, backlogBytes: 0, bufferBytes: 0 },
  copies: { full: 0, partialGranted: 0, partialRefused: 0 },
  resetStatistics: () => {},
  published: () => {},
};
