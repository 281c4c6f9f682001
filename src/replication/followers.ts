/**
 * The replicas that follow this server, together: who they are, what is done each second while there are any (signs of life,
 * time limits), who waits for their acknowledgements, and whether there are enough of them to write. What is sent to one
 * is follower.ts's.
 *
 * It costs nothing while nobody follows: no timer runs, and no command asks.
 */
import { KvdbError } from "../errors.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { FailoverState, Leading, ReplicaState } from "../session/replication.ts";
import type { Session } from "../session/session.ts";
import { emptyCopy } from "./empty-copy.ts";
import { type Announced, type Asked, Follower, nothingAnnounced } from "./follower.ts";
import { type CopyMaker, FullCopies } from "./full-copies.ts";
import { newLeadingSettings } from "./leading-settings.ts";
import { addressOf } from "./replica-address.ts";
import type { LeadingSide } from "./replication.ts";
import type { ReplicationStream } from "./stream.ts";

const TICK_MS = 1000;

const PING = Buffer.from("*1\r\n$4\r\nPING\r\n");
const GETACK = Buffer.from("*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n");

export interface FollowersParts {
  readonly stream: ReplicationStream;
  readonly clock: Clock;
  readonly log: Log;
  /** 40 hexadecimal digits that nobody can foresee. */
  mark(): string;
  /** Steps of the gate that a replica's session must pass: it sends nothing but REPLCONF. */
  readonly replicaBit: number;
  /** Whether writes are refused because there are too few replicas. */
  onEnough(isEnough: boolean): void;
  /** Everything recorded so far is to become durable soon, since only then it leaves. */
  hurry(): void;
  /** Whether a replica needs what was recorded a while ago: then it stays, also where there is no log. */
  onLate(isLate: boolean): void;
  /** Whether the stream is sent to a replica as it comes. */
  onFed(isFed: boolean): void;
  /** Memory for records that are kept for replicas. */
  keptBytes(): number;
  isFollowing(): boolean;
  /** A command is running that calls others: they become one record. */
  isJoining(): boolean;
}

export class Followers implements LeadingSide {
  readonly settings = newLeadingSettings();
  readonly copies: Leading["copies"] & {
    full: number;
    partialGranted: number;
    partialRefused: number;
  } = { full: 0, partialGranted: 0, partialRefused: 0 };
  /** The kernel's; null: nobody is given a copy, for the reason in `obstacle`. */
  maker: CopyMaker | null = null;
  obstacle = "no copies are made for replicas here";
  failoverState: FailoverState = "no-failover";
  readonly #parts: FollowersParts;
  readonly #all = new Map<Session, Follower>();
  readonly #announced = new WeakMap<Session, Announced>();
  readonly #fullCopies: FullCopies;
  /** Told of each acknowledgement, when a replica is gone, and of another role. */
  readonly #listeners = new Set<() => void>();
  #timer: Timer | null = null;
  #ticks = 0;
  /** Of those that are gone, less what statistics no longer count. */
  #pastBytes = 0;
  #isEnough = true;
  #isAsking = false;

  constructor(parts: FollowersParts) {
    this.#parts = parts;
    const { clock, log, stream } = parts;
    this.#fullCopies = new FullCopies({
      maker: {
        make: (order) => this.maker?.make(order) ?? Promise.reject(this.#noCopies()),
        cancel: () => this.maker?.cancel(),
      },
      ...{ settings: this.settings, clock, log },
      streamId: () => stream.id,
    });
  }

  // ---- what commands ask and do ----

  announced(session: Session): Announced {
    const known = this.#announced.get(session) ?? nothingAnnounced();
    this.#announced.set(session, known);
    return known;
  }

  /**
   * The session is a replica's from now on; what it is sent begins when its command is over, and not before `leading`: this server
   * may yet have to become a primary.
   */
  begin(session: Session, asked: Asked, leading?: Promise<void>): void {
    const { stream, clock, log } = this.#parts;
    const announced = this.announced(session);
    const address = addressOf(session, announced);
    const replica = `${address.ip}:${address.port}`;
    session.isReplica = true;
    session.gates |= this.#parts.replicaBit;
    log.info("a replica asks for the stream", { replica, ...asked });
    const follower = new Follower({
      ...{ session, announced, asked, stream, copies: this.#fullCopies },
      emptyCopy: () => emptyCopy(stream.cut(), clock.now()),
      mark: () => this.#parts.mark(),
      nowMs: () => clock.monotonicMs(),
      onHeard: () => this.#heard(),
      onFed: () => this.#noteNeeds(),
      onGranted: (granted) => this.#granted(granted, replica),
      onEnded: (reason) => {
        if (reason !== "") log.warn("a replica is disconnected", { replica, reason });
      },
    });
    this.#all.set(session, follower);
    this.#timer ??= clock.after(TICK_MS, () => this.#tick());
    void follower.run(leading);
  }

  /** `synced`: up to there it is on its disk; undefined: it does not say so. */
  acknowledge(session: Session, offset: number, synced?: number): void {
    this.#all.get(session)?.acknowledge(offset, synced);
  }

  /** The connection of a session is gone. */
  forget(session: Session): void {
    const follower = this.#all.get(session);
    if (follower === undefined) return;
    this.#all.delete(session);
    this.#pastBytes += follower.output.sentBytes;
    follower.forget();
    if (this.#all.size === 0) this.#stopTimer();
    this.#noteNeeds();
    this.refresh();
    this.#tellListeners();
  }

  release(reason: string): void {
    for (const follower of [...this.#all.values()]) if (follower.isTold) follower.drop(reason);
  }

  stop(): void {
    this.#stopTimer();
    this.#fullCopies.stop();
    for (const follower of [...this.#all.values()]) follower.drop("kvdb is stopping");
  }

  // ---- what is known of them ----

  get replicas(): readonly ReplicaState[] {
    const nowMs = this.#parts.clock.monotonicMs();
    const states: ReplicaState[] = [];
    for (const follower of this.#all.values()) {
      const { session, state, announced } = follower;
      if (state === null) continue;
      const acknowledged = Math.max(0, follower.acknowledged);
      const lagMs = Math.max(0, nowMs - follower.heardMs);
      states.push({
        ...{ sessionId: session.id, state, offset: acknowledged },
        ...addressOf(session, announced),
        lagSeconds: state === "online" ? Math.floor(lagMs / 1000) : 0,
        lagBytes: Math.max(0, this.#parts.stream.offset - acknowledged),
      });
    }
    return states;
  }

  get count(): number {
    return this.#all.size;
  }

  get sentBytes(): number {
    let bytes = this.#pastBytes;
    for (const { output } of this.#all.values()) bytes += output.sentBytes;
    return bytes;
  }

  get backlogBytes(): number {
    return this.#parts.keptBytes();
  }

  get bufferBytes(): number {
    let bytes = this.backlogBytes;
    for (const { output } of this.#all.values()) bytes += output.waitingBytes;
    return bytes;
  }

  resetStatistics(): void {
    Object.assign(this.copies, { full: 0, partialGranted: 0, partialRefused: 0 });
    this.#pastBytes -= this.sentBytes;
  }

  acknowledged(offset: number): number {
    let count = 0;
    for (const { state, acknowledged } of this.#all.values()) {
      if (state === "online" && acknowledged >= offset) count++;
    }
    return count;
  }

  /** How many replicas have everything up to an offset on disk, whatever they promise. Only those count that have said so. */
  synced(offset: number): number {
    let count = 0;
    for (const { state, synced } of this.#all.values()) {
      if (state === "online" && synced >= offset) count++;
    }
    return count;
  }

  get goodReplicas(): number {
    const { minReplicas, maxLagSeconds } = this.settings;
    if (minReplicas === 0 || maxLagSeconds === 0) return 0;
    const nowMs = this.#parts.clock.monotonicMs();
    let count = 0;
    for (const { state, heardMs } of this.#all.values()) {
      if (state === "online" && Math.floor((nowMs - heardMs) / 1000) <= maxLagSeconds) count++;
    }
    return count;
  }

  /** This server follows another one: what is acknowledged is that one's stream. */
  get isFollowing(): boolean {
    return this.#parts.isFollowing();
  }

  /** Calls back at each acknowledgement, when a replica is gone, and when `isFollowing` changes. Returns the function that ends it. */
  onAcknowledged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Has all replicas acknowledge what they have: once for all that ask in a turn. */
  askForAcknowledgements(): void {
    const { stream, hurry } = this.#parts;
    // The end of the stream is awaited in a failover: they tell by themselves each second.
    const isOver = this.failoverState !== "no-failover";
    if (this.#isAsking || isOver || this.#all.size === 0) return;
    this.#isAsking = true;
    queueMicrotask(() => {
      this.#isAsking = false;
      stream.note(GETACK);
      hurry();
    });
  }

  published(command: "PUBLISH" | "SPUBLISH", channel: Buffer, message: Buffer): void {
    if (this.#all.size === 0) return;
    const { stream, isJoining } = this.#parts;
    const bytes = respCommand([Buffer.from(command), channel, message]);
    // A record between the commands of a transaction would be one within its record.
    if (isJoining()) queueMicrotask(() => stream.note(bytes));
    else stream.note(bytes);
  }

  /** This server is a replica from now on, or a primary. */
  roleChanged(): void {
    this.refresh();
    this.#tellListeners();
  }

  /** Works out anew whether there are enough replicas to write. */
  refresh(): void {
    const { minReplicas, maxLagSeconds } = this.settings;
    const isAsked = minReplicas > 0 && maxLagSeconds > 0 && !this.#parts.isFollowing();
    const isEnough = !isAsked || this.goodReplicas >= minReplicas;
    if (isEnough === this.#isEnough) return;
    this.#isEnough = isEnough;
    this.#parts.onEnough(isEnough);
  }

  // ---- what happens ----

  #heard(): void {
    if (this.settings.minReplicas > 0) this.refresh();
    this.#tellListeners();
  }

  #tellListeners(): void {
    for (const listener of this.#listeners) listener();
  }

  #granted(granted: "partial" | "refused" | "full", replica: string): void {
    const { log, stream } = this.#parts;
    if (granted === "partial") {
      this.copies.partialGranted++;
      log.info("a replica goes on where it was", { replica });
    } else if (granted === "refused") {
      this.copies.partialRefused++;
      const { id, offset, firstOffset } = stream;
      log.info("a replica cannot go on where it was", { replica, id, firstOffset, offset });
    } else {
      this.copies.full++;
      this.#parts.onLate(true);
      log.info("a replica needs a full copy", { replica });
    }
  }

  #noCopies(): KvdbError {
    return new KvdbError("UNAVAILABLE", this.obstacle);
  }

  #noteNeeds(): void {
    let isLate = false;
    let isFed = false;
    for (const follower of this.#all.values()) {
      isLate ||= follower.isLate;
      isFed ||= follower.isFed;
    }
    this.#parts.onLate(isLate);
    this.#parts.onFed(isFed);
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Each second, while there are replicas. */
  #tick(): void {
    this.#timer = this.#parts.clock.after(TICK_MS, () => this.#tick());
    this.#ticks++;
    for (const follower of [...this.#all.values()]) this.#lookAt(follower);
    this.#noteNeeds();
    const isDue = this.#ticks % this.settings.pingSeconds === 0;
    // Of a failover the end of the stream is awaited.
    if (isDue && this.failoverState === "no-failover" && !this.#parts.isFollowing()) {
      this.#parts.stream.note(PING);
    }
    this.refresh();
  }

  #lookAt(follower: Follower): void {
    const { state, output } = follower;
    follower.noteInput();
    // Redis takes an empty line for a sign of life, wherever it waits for a copy.
    if (state === "wait_bgsave") output.text("\n");
    const nowMs = this.#parts.clock.monotonicMs();
    const limitMs = this.settings.timeoutSeconds * 1000;
    const isSilent = follower.acknowledges && nowMs - follower.heardMs > limitMs;
    const isStuck = nowMs - follower.progressMs > limitMs && output.waitingBytes > 0;
    if (state === "online" && isSilent) follower.drop("nothing was heard of it (repl-timeout)");
    else if (state === "send_bulk" && isStuck) {
      follower.drop("it takes nothing of its copy (repl-timeout)");
    }
  }
}

/** The words of a command as an array of RESP. */
function respCommand(words: readonly Buffer[]): Buffer {
  const end = Buffer.from("\r\n");
  const parts = words.flatMap((word) => [Buffer.from(`$${word.length}\r\n`), word, end]);
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts]);
}
