/**
 * The side that follows: whom, since when, over which connection, and what to do when that breaks. What one connection says is
 * primary-link.ts's, what becomes of the stream stream-application.ts's; what a server is while it follows (refusals, expiry)
 * is the host's.
 *
 *   follow → connect → handshake ─┬─ +FULLRESYNC → a copy comes, replaces all data ─┬─ stream, an acknowledgement each second
 *               ▲                 └─ +CONTINUE ────────────────────────────────────┘        │
 *               └──────────────── after a while, longer each time ◀── whatever goes wrong ──┘
 *
 * Invariant: what is asked for is what follows the data as it stands here, in the lineage that it has.
 */
import { CommandError } from "../commands/command-error.ts";
import { asKvdbError } from "../errors.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Random } from "../platform/random.ts";
import type { Client, Revision } from "../plugin.ts";
import type { Following, FollowOptions, PrimaryState } from "../session/replication.ts";
import { AcknowledgedOffset } from "./acknowledged-offset.ts";
import type { CopyFile } from "./copy-file.ts";
import type { Introduction } from "./handshake.ts";
import { type PrimaryAddress, primaryText } from "./primary-address.ts";
import { PrimaryLink } from "./primary-link.ts";
import type { ConnectPrimary } from "./primary-socket.ts";
import type { ReplicaSettings } from "./replica-settings.ts";
import type { ReplicationStream } from "./stream.ts";
import type { ApplicationEvents, StreamApplication } from "./stream-application.ts";

/** The first attempt after a break, and the longest wait between two; each wait is up to a quarter shorter, by chance. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5000;
/** A primary that says that it will serve soon is asked so often. */
const SOON_MS = 1000;
/** Redis's: how often what was applied is acknowledged. */
const ACKNOWLEDGE_MS = 1000;
/** Commands that fail are told one by one up to here, then each hundredth. */
const TOLD_FAILURES = 20;
const FAILURES_PER_LINE = 100;

const ADVICE =
  "This data is a replica's: write to its primary, or make it a primary's own with `replicaof no one`.";

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
  "id" | "offset" | "isInUse" | "isFollowing" | "renew" | "adopt" | "rename"
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

/** Whom this server follows, and how that goes. */
interface Pursuit {
  readonly address: PrimaryAddress;
  readonly application: StreamApplication;
  /** When its stream was heard last, before the link that is up; else since when it is followed. */
  heardMs: number;
  readonly unsubscribe: () => void;
  /** Undefined: until the next attempt. */
  link: PrimaryLink | undefined;
  /** That one is to take over in our place; told once. */
  failover: FollowOptions["failover"];
  timer: Timer | undefined;
  acknowledging: Timer | undefined;
  waitMs: number;
  /** The copy that is coming in. */
  copy: CopyFile | undefined;
  place: CopyPlace | undefined;
  /** On the monotonic clock; undefined: the link was never up, or is. */
  downSinceMs: number | undefined;
  /** An acknowledgement is due as soon as everything up to here is durable; 0: none is. */
  wantedRevision: Revision;
  /** The last failure that was told: the same one is told once. */
  told: string;
  /** Behind it came what nobody can read; -1: nothing did. */
  unreadableOffset: number;
  /** What follows the data cannot be read here: it is not asked for, all data is. */
  needsCopy: boolean;
}

export class FollowingSide implements Following {
  failedCommands = 0;
  /** Through links that are gone, less what statistics no longer count. */
  #pastBytes = 0;
  /** Told when somebody else is followed, or nobody, because a command said so. */
  onAddress: () => void = () => {};
  readonly #options: FollowingOptions;
  readonly #acknowledged = new AcknowledgedOffset();
  readonly #synced = new AcknowledgedOffset();
  #pursuit: Pursuit | undefined;
  /** Nobody is followed any more, and this server is no primary yet: what it was told of the one that it has left. */
  #left: PrimaryState | null = null;
  /** Settles when it is one. */
  #leading: Promise<void> | undefined;
  /** What is under way with the whole data; the next copy waits for it. Never rejects. */
  #taking: Promise<unknown> = Promise.resolve();
  /** What goes with copies that nobody wants. Never rejects. */
  #closing: Promise<unknown> = Promise.resolve();
  #isStopped = false;
  /** The data is a replica's, and nobody is followed. */
  #rests = false;

  constructor(options: FollowingOptions) {
    this.#options = options;
  }

  get address(): PrimaryAddress | null {
    return this.#pursuit?.address ?? null;
  }

  get isLinkUp(): boolean {
    return this.#pursuit?.link?.state === "connected";
  }

  /** Wants the place to stay as it is: kvdb is stopping. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  get advice(): string {
    return this.#rests ? ADVICE : "";
  }

  follow(host: string, port: number, options: FollowOptions = {}): boolean {
    const { obstacle } = this.#options.host;
    if (obstacle !== "") throw new CommandError("ERR", obstacle);
    const current = this.#pursuit?.address;
    if (current?.host === host && current.port === port) return false;
    if (this.#isStopped) return true;
    this.begin({ host, port }, options);
    this.onAddress();
    return true;
  }

  /** As the configuration says. */
  begin(address: PrimaryAddress, { failover }: FollowOptions = {}): void {
    const { log, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const current = this.#pursuit;
    // As Redis tells it: since there was a link, to whomever.
    const downSinceMs = this.isLinkUp ? nowMs : current?.downSinceMs;
    if (current !== undefined) this.#drop(current);
    else if (this.#left === null && !this.#rests) this.#options.host.beginFollowing();
    this.#left = null;
    this.#rests = false;
    this.#beginAcknowledging();
    const pursuit: Pursuit = {
      ...{ address, failover, link: undefined, timer: undefined, acknowledging: undefined },
      ...{ waitMs: FIRST_WAIT_MS, copy: undefined, place: undefined, downSinceMs },
      ...{ wantedRevision: 0, told: "", heardMs: nowMs },
      ...{ unreadableOffset: -1, needsCopy: false },
      application: this.#options.host.createApplication(
        {
          onRoom: () => pursuit.link?.resume(),
          onApplied: () => this.#applied(pursuit),
          onProblem: (problem) => this.#unreadable(pursuit, problem),
          onFailure: (command, failure) => this.#failed(command, failure),
        },
        this.#clientOf(() => pursuit),
      ),
      unsubscribe: this.#options.host.onDurable(() => this.#durable(pursuit)),
    };
    this.#pursuit = pursuit;
    log.info("following a primary", { primary: primaryText(address) });
    this.#connectSoon(pursuit);
  }

  /** What is here is a replica's and stays as it is, until somebody is followed, or `lead`. */
  rest(): void {
    this.#rests = true;
    this.#options.host.beginFollowing();
  }

  /** Resolves when clients may write: the stream has its new id. Until then this server is a replica, whoever asks. */
  async lead(): Promise<void> {
    const pursuit = this.#pursuit;
    if (pursuit !== undefined) {
      this.#drop(pursuit);
      this.#left = this.primary;
      this.#leading = undefined;
      this.#pursuit = undefined;
      this.onAddress();
    }
    const isReplica = this.#left !== null || this.#rests;
    if (isReplica) this.#leading ??= this.#becomePrimary(this.#left);
    await this.#leading;
  }

  async #becomePrimary(left: PrimaryState | null): Promise<void> {
    const { stream, log, host } = this.#options;
    try {
      // A copy that is being loaded is ours when it is: there is no way back then.
      await this.#taking;
      await stream.renew();
    } finally {
      if (this.#left === left) this.#leading = undefined;
    }
    // Somebody may have wanted otherwise meanwhile.
    if (this.#left !== left || this.#pursuit !== undefined) return;
    this.#left = null;
    this.#rests = false;
    host.endFollowing();
    log.info("following nobody any more: this server is a primary", { id: stream.id });
  }

  /** With kvdb: the place stays as it is. Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#pursuit !== undefined) this.#drop(this.#pursuit);
    this.#pursuit = undefined;
    await this.#taking;
    await this.#closing;
  }

  /** What CLIENT LIST shows of a link, and CLIENT KILL ends. It comes again, as after any break. */
  #clientOf(pursuit: () => Pursuit): Client {
    return {
      get address() {
        return pursuit().link?.ends?.address ?? "";
      },
      get localAddress() {
        return pursuit().link?.ends?.localAddress ?? "";
      },
      inputBytes: () => pursuit().application.waitingBytes,
      outputBytes: () => 0,
      close: () => this.#broken(pursuit(), "the connection was ended here"),
    };
  }

  #drop(pursuit: Pursuit): void {
    pursuit.link?.close();
    this.#forgetLink(pursuit);
    pursuit.timer?.cancel();
    pursuit.acknowledging?.cancel();
    pursuit.unsubscribe();
    pursuit.application.close();
    this.#dropCopy(pursuit);
    this.#options.host.linkChanged(false);
    this.#tellFailover(pursuit, false, "somebody else is followed");
  }

  #forgetLink(pursuit: Pursuit): void {
    this.#pastBytes += pursuit.link?.receivedBytes ?? 0;
    pursuit.link = undefined;
  }

  #dropCopy(pursuit: Pursuit): void {
    const { copy } = pursuit;
    pursuit.copy = undefined;
    pursuit.place = undefined;
    if (copy === undefined) return;
    this.#closing = Promise.all([this.#closing, this.#closeCopy(copy)]);
  }

  async #closeCopy(copy: CopyFile): Promise<void> {
    try {
      await copy.close();
    } catch (error) {
      this.#options.log.error("the file of a copy cannot be closed", {
        error: asKvdbError(error).message,
      });
    }
  }

  // ---- one connection ----

  /** Not while a copy is being loaded: what to ask for is known when that is over. */
  #connectSoon(pursuit: Pursuit): void {
    const begin = async () => {
      await this.#taking;
      await this.#options.stream.follow();
    };
    begin().then(
      () => this.#pursuit === pursuit && this.#connect(pursuit),
      (error) =>
        this.#pursuit === pursuit && this.#ended(pursuit, asKvdbError(error).message, false),
    );
  }

  #connect(pursuit: Pursuit): void {
    const { clock, connect, settings, host } = this.#options;
    // What the connection before has left was being applied until now. What is asked for comes again, so none of it may be.
    pursuit.application.forgetWaiting();
    const link = new PrimaryLink({
      ...{ address: pursuit.address, tls: settings.tls, connect, clock },
      introduction: this.#introduction(pursuit),
      timeoutMs: () => host.timeoutSeconds * 1000,
      events: {
        beginCopy: (id, offset) => this.#beginCopy(pursuit, { id, offset }),
        copyLength: async (bytes) => pursuit.copy?.requireRoom(bytes),
        takeCopy: () => this.#takeCopy(pursuit),
        goOn: (id) => this.#goOn(pursuit, id),
        stream: (chunk) => pursuit.application.push(chunk),
        connected: () => this.#connected(pursuit),
        ended: (reason, isLater) => this.#ended(pursuit, reason, isLater),
        note: (what) => this.#options.log.warn(what, { primary: primaryText(pursuit.address) }),
      },
    });
    pursuit.link = link;
    link.open();
  }

  #introduction({ failover, needsCopy }: Pursuit): Introduction {
    const { settings, stream, host } = this.#options;
    const { user, password, announcedPort, announcedIp } = settings;
    return {
      ...(password === "" ? {} : { password, ...(user === "" ? {} : { user }) }),
      listeningPort: announcedPort === 0 ? host.listeningPort : announcedPort,
      announcedIp,
      from: stream.isInUse && !needsCopy ? { id: stream.id, offset: stream.offset + 1 } : null,
      isFailover: failover !== undefined,
    };
  }

  async #beginCopy(pursuit: Pursuit, place: CopyPlace): Promise<CopyFile> {
    const { host, log } = this.#options;
    log.info("a full copy comes from the primary", { ...place });
    this.#tellFailover(pursuit, true, "");
    const copy = await host.openCopy();
    if (this.#pursuit !== pursuit || pursuit.link === undefined) {
      await copy.close();
      return copy;
    }
    pursuit.copy = copy;
    pursuit.place = place;
    copy.onRoom = () => pursuit.link?.resume();
    copy.onFailure = (error) => this.#broken(pursuit, error.message);
    return copy;
  }

  #takeCopy(pursuit: Pursuit): Promise<void> {
    const { copy, place } = pursuit;
    if (copy === undefined || place === undefined) return Promise.resolve();
    // From here on it is not dropped with the link.
    pursuit.copy = undefined;
    const taking = this.#taking.then(async () => {
      await this.#take(copy, place);
      pursuit.needsCopy = false;
    });
    this.#taking = Promise.allSettled([taking]);
    return taking;
  }

  async #take(copy: CopyFile, place: CopyPlace): Promise<void> {
    const { host, log, clock } = this.#options;
    const begunMs = clock.monotonicMs();
    try {
      if (this.#isStopped) throw new Error("kvdb stops");
      await host.takeCopy(await copy.whole(), place);
    } finally {
      await this.#closeCopy(copy);
    }
    this.#beginAcknowledging();
    const tookMs = Math.round(clock.monotonicMs() - begunMs);
    log.info("the copy has replaced all data", { ...place, tookMs });
  }

  async #goOn(pursuit: Pursuit, id: string): Promise<void> {
    const { stream, log } = this.#options;
    this.#tellFailover(pursuit, true, "");
    await stream.rename(id);
    log.info("going on where the data stands", { id, offset: stream.offset });
  }

  #connected(pursuit: Pursuit): void {
    const { stream, host, log } = this.#options;
    pursuit.application.restart(Math.max(0, stream.database));
    pursuit.waitMs = FIRST_WAIT_MS;
    pursuit.downSinceMs = undefined;
    if (pursuit.told !== "") log.info("the primary is there again");
    pursuit.told = "";
    host.linkChanged(true);
    this.#acknowledgeRegularly(pursuit);
  }

  #ended(pursuit: Pursuit, reason: string, isLater: boolean): void {
    const { clock, random, log, host } = this.#options;
    const wasUp = pursuit.acknowledging !== undefined;
    if (wasUp) {
      pursuit.heardMs = pursuit.link?.heardMs ?? pursuit.heardMs;
      pursuit.downSinceMs = clock.monotonicMs();
    }
    this.#forgetLink(pursuit);
    pursuit.acknowledging?.cancel();
    pursuit.acknowledging = undefined;
    this.#dropCopy(pursuit);
    host.linkChanged(false);
    this.#tellFailover(pursuit, false, reason);
    const longest = isLater ? SOON_MS : pursuit.waitMs;
    const waitMs = longest - random.below(Math.ceil(longest / 4));
    pursuit.waitMs = Math.min(2 * pursuit.waitMs, LONGEST_WAIT_MS);
    if (reason !== pursuit.told) {
      const what = wasUp ? "the link to the primary is lost" : "the primary cannot be followed now";
      log.warn(what, { reason });
    }
    pursuit.told = reason;
    pursuit.timer = clock.after(waitMs, () => this.#connectSoon(pursuit));
  }

  /** Once it may be the connection's fault. Twice at one place it is the stream's, and would be for ever: it is gone round. */
  #unreadable(pursuit: Pursuit, problem: string): void {
    const { stream, log } = this.#options;
    if (pursuit.link === undefined) return;
    const { offset } = stream;
    if (pursuit.unreadableOffset === offset) {
      pursuit.needsCopy = true;
      const what = "the stream cannot be followed over this place: all data is to be copied";
      log.error(what, { offset, reason: problem });
    }
    pursuit.unreadableOffset = offset;
    this.#broken(pursuit, problem);
  }

  #broken(pursuit: Pursuit, reason: string): void {
    const { link } = pursuit;
    if (link === undefined) return;
    link.close();
    this.#ended(pursuit, `${primaryText(pursuit.address)}: ${reason}`, false);
  }

  #tellFailover(pursuit: Pursuit, hasTakenOver: boolean, problem: string): void {
    const { failover } = pursuit;
    pursuit.failover = undefined;
    failover?.(hasTakenOver, problem);
  }

  // ---- the stream ----

  #applied(pursuit: Pursuit): void {
    const { stream, host } = this.#options;
    this.#acknowledged.note(host.lastRevision, stream.offset);
    this.#synced.note(host.lastRevision, stream.offset);
    if (!pursuit.application.takeWish()) return;
    pursuit.wantedRevision = host.lastRevision;
    this.#durable(pursuit);
  }

  /** What there is is as durable as was promised; whether it is on disk as well is to be seen. */
  #beginAcknowledging(): void {
    const { stream, host } = this.#options;
    this.#acknowledged.begin(stream.offset);
    this.#synced.begin(0);
    this.#synced.note(host.lastRevision, stream.offset);
  }

  /** Who asked is answered as soon as it is true. */
  #durable(pursuit: Pursuit): void {
    const { wantedRevision } = pursuit;
    if (wantedRevision === 0 || this.#options.host.durableRevision < wantedRevision) return;
    pursuit.wantedRevision = 0;
    this.#acknowledge(pursuit);
  }

  #acknowledgeRegularly(pursuit: Pursuit): void {
    this.#acknowledge(pursuit);
    const again = () => this.#acknowledgeRegularly(pursuit);
    pursuit.acknowledging = this.#options.clock.after(ACKNOWLEDGE_MS, again);
  }

  #acknowledge({ link }: Pursuit): void {
    if (link?.state !== "connected") return;
    const { durableRevision, syncedRevision } = this.#options.host;
    const offset = this.#acknowledged.at(durableRevision);
    const synced = syncedRevision === null ? 0 : this.#synced.at(syncedRevision);
    // As Redis since 7.2; older ones pass it over.
    const onDisk = synced > 0 ? ["FACK", String(synced)] : [];
    link.send(["REPLCONF", "ACK", String(offset), ...onDisk]);
  }

  #failed(command: string, failure: string): void {
    this.failedCommands++;
    if (this.failedCommands > TOLD_FAILURES && this.failedCommands % FAILURES_PER_LINE !== 0)
      return;
    this.#options.log.error(
      "a command of the primary fails here: the data may differ from now on",
      {
        ...{ command, failure, failures: this.failedCommands },
      },
    );
  }

  // ---- how it goes ----

  get receivedBytes(): number {
    return this.#pastBytes + (this.#pursuit?.link?.receivedBytes ?? 0);
  }

  resetStatistics(): void {
    this.#pastBytes -= this.receivedBytes;
    this.failedCommands = 0;
  }

  get primary(): PrimaryState | null {
    const pursuit = this.#pursuit;
    if (pursuit === undefined) return this.#left;
    const { settings, stream, clock } = this.#options;
    const { link, address, application } = pursuit;
    const since = (ms: number) => Math.floor((clock.monotonicMs() - ms) / 1000);
    const ioSeconds = link === undefined ? -1 : since(link.heardMs);
    const isUp = link?.state === "connected";
    const lagBytes = application.waitingBytes;
    const downSince = pursuit.downSinceMs;
    return {
      ...address,
      session: isUp ? application.session : null,
      link: link?.state ?? "connect",
      isSyncing: link?.state === "sync",
      syncTotalBytes: link?.copy?.totalBytes ?? -1,
      syncReadBytes: link?.copy?.readBytes ?? 0,
      syncLastIoSeconds: ioSeconds,
      lastIoSeconds: isUp ? ioSeconds : -1,
      downSinceSeconds: isUp || downSince === undefined ? -1 : since(downSince),
      readOffset: stream.offset + lagBytes,
      appliedOffset: stream.offset,
      lagSeconds: isUp ? ioSeconds : since(pursuit.heardMs),
      lagBytes,
      problem: pursuit.told,
      isReadOnly: settings.isReadOnly,
      priority: settings.priority,
      announced: settings.isAnnounced,
    };
  }
}
