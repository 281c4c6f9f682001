/**
 * One client, whatever frontend it came through: its database, protocol, name, what it may do, and what its replies
 * wait for. Not its socket: `client` is what the frontend tells of that.
 */
import type { Client } from "../plugin.ts";
import type { Database } from "../store/database.ts";
import type { Server } from "./server.ts";

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
  /** Steps of the gate that this session must pass besides those of the whole server: a mask. */
  gates = 0;
  /** Steps of the gate that are asked for its origin at all: a mask. */
  readonly askedSteps: number;
  /** Its replies may leave once this revision is durable; 0: at once. The frontend takes it with `takeHold`. */
  hold = 0;
  replyMode: ReplyMode = "on";
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
  }
}
