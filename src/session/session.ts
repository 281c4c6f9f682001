/**
 * One client, whatever frontend it came through: its database, protocol, name, what it may do, and what its replies
 * wait for. Not its socket: `client` is what the frontend tells of that.
 */
import type { Client } from "../plugin.ts";
import type { Subscriptions } from "../pubsub/subscriptions.ts";
import type { Tracker } from "../pubsub/tracker.ts";
import type { Database } from "../store/database.ts";
import type { LaterOptions, LaterReply } from "./later-reply.ts";
import type { Server } from "./server.ts";
import type { Transaction, Watch } from "./transaction.ts";

/** Where a request comes from. Replay and replica only look up and run; internal ones skip what concerns clients. */
export type Origin = "client" | "internal" | "replica" | "replay";

/** CLIENT REPLY: `skipNext` silences the next command, which runs in mode `skip`. */
export type ReplyMode = "on" | "off" | "skipNext" | "skip";

export class Session {
  readonly id: number;
  readonly server: Server;
  readonly client: Client;
  readonly origin: Origin;
  readonly createdMs: number;
  database: Database;
  protocol: 2 | 3 = 2;
  name = "";
  libraryName = "";
  libraryVersion = "";
  user = "default";
  /** It has given a password, or needed none when it began. */
  hasLoggedIn = true;
  /** It has yet to give one, so it may send little. */
  isRestricted = false;
  /** Steps of the gate that this session must pass besides those of the whole server: a mask. */
  gates = 0;
  /** Steps of the gate that are asked for its origin at all: a mask. */
  readonly askedSteps: number;
  /** Its replies may leave once this revision is durable; 0: at once. The frontend takes it, and sets 0. */
  hold = 0;
  /** A command of it has changed something since the frontend set it to false. */
  hasWritten = false;
  /** The revision of the last record that it made; 0: none. */
  written = 0;
  /** The sync that its reply was last counted for; the journal's. */
  countedSync = -1;
  /** Of its last command, which answers later: until its reply is written no other command of this session may run. */
  later: LaterReply | null = null;
  /** What it has queued since MULTI; null: its commands run. */
  transaction: Transaction | null = null;
  /** What it watches; null: nothing. */
  watch: Watch | null = null;
  /** Whether a command may answer later: the client can be told, and nothing here needs an answer at once. */
  mayWait: boolean;
  replyMode: ReplyMode = "on";
  /** What its client subscribes to; null: nothing so far. */
  subscriptions: Subscriptions | null = null;
  /** How its client keeps copies of what it reads; null: it never did. */
  tracker: Tracker | null = null;
  /** Bytes of its buffers as they were counted last. */
  countedBytes = 0;
  /** Its client follows this server: it was fed with all data, or is now. */
  isReplica = false;
  /** It is told of every command: MONITOR. */
  isMonitor = false;
  noEvict = false;
  noTouch = false;
  lastCommand = "";
  lastCommandMs: number;

  constructor(options: {
    id: number;
    server: Server;
    client: Client;
    origin: Origin;
    askedSteps: number;
    database: Database;
    nowMs: number;
  }) {
    this.id = options.id;
    this.server = options.server;
    this.client = options.client;
    this.origin = options.origin;
    this.askedSteps = options.askedSteps;
    this.database = options.database;
    this.createdMs = options.nowMs;
    this.lastCommandMs = options.nowMs;
    this.mayWait = options.client.replyReady !== undefined;
  }

  /** Memory that kvdb keeps for it, besides what its frontend keeps. */
  get keptBytes(): number {
    const queued = (this.transaction?.bytes ?? 0) + (this.watch?.bytes ?? 0);
    return queued + (this.subscriptions?.bytes ?? 0) + (this.tracker?.bytes ?? 0);
  }

  /**
   * For a command flagged `blocking`, which then writes no reply itself: the way to answer later. Throws a CommandError
   * where nobody can wait, so it is called before anything has begun; `mayWait` tells ahead.
   */
  answerLater(options: LaterOptions = {}): LaterReply {
    return this.server.answerLater(this, options);
  }
}
