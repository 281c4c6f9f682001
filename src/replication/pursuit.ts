/**
 * The pursuit of one primary, until another one is followed or none: one connection after the other, what each brings (a copy,
 * the stream), what is acknowledged to it, and how long to wait when it breaks. What one connection says is primary-link.ts's,
 * what becomes of the stream stream-application.ts's, and of a copy copy-taking.ts's.
 *
 *   begin → connect → handshake ─┬─ +FULLRESYNC → a copy comes, replaces all data ─┬─ stream, an acknowledgement each second
 *              ▲                 └─ +CONTINUE ────────────────────────────────────┘        │
 *              └──────────────── after a while, longer each time ◀── whatever goes wrong ──┘
 *
 * Invariant: what is asked for is what follows the data as it stands here, in the lineage that it has.
 */
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Timer } from "../platform/clock.ts";
import type { Client, Revision } from "../plugin.ts";
import type { FollowOptions, PrimaryState } from "../session/replication.ts";
import type { Acknowledgements } from "./acknowledgements.ts";
import type { CopyFile } from "./copy-file.ts";
import type { CopyTaking } from "./copy-taking.ts";
import type { CopyPlace, FollowingOptions } from "./following-parts.ts";
import type { Introduction } from "./handshake.ts";
import { type PrimaryAddress, primaryText } from "./primary-address.ts";
import { PrimaryLink } from "./primary-link.ts";
import type { StreamApplication } from "./stream-application.ts";

/** The first attempt after a break, and the longest wait between two; each wait is up to a quarter shorter, by chance. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5000;
/** A primary that says that it will serve soon is asked so often. */
const SOON_MS = 1000;
/** Redis's: how often what was applied is acknowledged. */
const ACKNOWLEDGE_MS = 1000;

export interface PursuitOptions extends FollowingOptions {
  readonly address: PrimaryAddress;
  /** That one is to take over in our place; told once. */
  readonly failover: FollowOptions["failover"];
  /** Of the link to whomever was followed before, on the monotonic clock; undefined: there was none. */
  readonly downSinceMs: number | undefined;
  readonly acknowledgements: Acknowledgements;
  readonly copies: CopyTaking;
  /** The primary has run it, and here it fails. */
  onFailure(command: string, failure: string): void;
}

export class Pursuit {
  readonly #options: PursuitOptions;
  readonly #application: StreamApplication;
  readonly #unsubscribe: () => void;
  /** Undefined: until the next attempt. */
  #link: PrimaryLink | undefined;
  /** Through links that are gone. */
  #pastBytes = 0;
  #failover: FollowOptions["failover"];
  #timer: Timer | undefined;
  #acknowledging: Timer | undefined;
  #waitMs = FIRST_WAIT_MS;
  /** The copy that is coming in. */
  #copy: CopyFile | undefined;
  #place: CopyPlace | undefined;
  /** When its stream was heard last, before the link that is up; else since when it is followed. */
  #heardMs: number;
  #downSinceMs: number | undefined;
  /** An acknowledgement is due as soon as everything up to here is durable; 0: none is. */
  #wantedRevision: Revision = 0;
  /** The last failure that was told: the same one is told once. */
  #told = "";
  /** Behind it came what nobody can read; -1: nothing did. */
  #unreadableOffset = -1;
  /** What follows the data cannot be read here: it is not asked for, all data is. */
  #needsCopy = false;
  #isOver = false;

  constructor(options: PursuitOptions) {
    const { host, clock } = options;
    this.#options = options;
    this.#failover = options.failover;
    this.#heardMs = clock.monotonicMs();
    this.#downSinceMs = options.downSinceMs;
    const events = {
      onRoom: () => this.#link?.resume(),
      onApplied: () => this.#applied(),
      onProblem: (problem: string) => this.#unreadable(problem),
      onFailure: options.onFailure,
    };
    this.#application = host.createApplication(events, this.#client());
    this.#unsubscribe = host.onDurable(() => this.#durable());
  }

  get address(): PrimaryAddress {
    return this.#options.address;
  }

  get isLinkUp(): boolean {
    return this.#link?.state === "connected";
  }

  /** On the monotonic clock; undefined: the link was never up, or is. */
  get downSinceMs(): number | undefined {
    return this.#downSinceMs;
  }

  get receivedBytes(): number {
    return this.#pastBytes + (this.#link?.receivedBytes ?? 0);
  }

  /** What CLIENT LIST shows of a link, and CLIENT KILL ends. It comes again, as after any break. */
  #client(): Client {
    const ends = () => this.#link?.ends;
    return {
      get address() {
        return ends()?.address ?? "";
      },
      get localAddress() {
        return ends()?.localAddress ?? "";
      },
      inputBytes: () => this.#application.waitingBytes,
      outputBytes: () => 0,
      close: () => this.#broken("the connection was ended here"),
    };
  }

  /** Somebody else is followed, or nobody. */
  close(): void {
    this.#isOver = true;
    this.#link?.close();
    this.#forgetLink();
    this.#timer?.cancel();
    this.#acknowledging?.cancel();
    this.#unsubscribe();
    this.#application.close();
    this.#dropCopy();
    this.#options.host.linkChanged(false);
    this.#tellFailover(false, "somebody else is followed");
  }

  #forgetLink(): void {
    this.#pastBytes += this.#link?.receivedBytes ?? 0;
    this.#link = undefined;
  }

  #dropCopy(): void {
    const copy = this.#copy;
    this.#copy = undefined;
    this.#place = undefined;
    if (copy !== undefined) this.#options.copies.drop(copy);
  }

  #tellFailover(hasTakenOver: boolean, problem: string): void {
    const failover = this.#failover;
    this.#failover = undefined;
    failover?.(hasTakenOver, problem);
  }

  // ---- one connection ----

  /** Connects soon. Not while a copy is being loaded: what to ask for is known when that is over. */
  begin(): void {
    const { copies, stream } = this.#options;
    const ready = copies.loaded().then(() => stream.follow());
    ready.then(
      () => !this.#isOver && this.#connect(),
      (error) => !this.#isOver && this.#ended(asKvdbError(error).message, false),
    );
  }

  #connect(): void {
    const { clock, connect, settings, host, address, log } = this.#options;
    // What the connection before has left was being applied until now. What is asked for comes again, so none of it may be.
    this.#application.forgetWaiting();
    const link = new PrimaryLink({
      ...{ address, tls: settings.tls, connect, clock },
      introduction: this.#introduction(),
      timeoutMs: () => host.timeoutSeconds * 1000,
      events: {
        beginCopy: (id, offset) => this.#beginCopy({ id, offset }),
        copyLength: async (bytes) => this.#copy?.requireRoom(bytes),
        takeCopy: () => this.#takeCopy(),
        goOn: (id) => this.#goOn(id),
        stream: (chunk) => this.#application.push(chunk),
        connected: () => this.#connected(),
        ended: (reason, isLater) => this.#ended(reason, isLater),
        note: (what) => log.warn(what, { primary: primaryText(address) }),
      },
    });
    this.#link = link;
    link.open();
  }

  #introduction(): Introduction {
    const { settings, stream, host } = this.#options;
    const { user, password, announcedPort, announcedIp } = settings;
    const goesOn = stream.isInUse && !this.#needsCopy;
    return {
      ...(password === "" ? {} : { password, ...(user === "" ? {} : { user }) }),
      listeningPort: announcedPort === 0 ? host.listeningPort : announcedPort,
      announcedIp,
      from: goesOn ? { id: stream.id, offset: stream.offset + 1 } : null,
      isFailover: this.#failover !== undefined,
    };
  }

  #connected(): void {
    const { stream, host, log } = this.#options;
    this.#application.restart(Math.max(0, stream.database));
    this.#waitMs = FIRST_WAIT_MS;
    this.#downSinceMs = undefined;
    if (this.#told !== "") log.info("the primary is there again");
    this.#told = "";
    host.linkChanged(true);
    this.#acknowledgeRegularly();
  }

  #ended(reason: string, isLater: boolean): void {
    const { clock, random, log, host } = this.#options;
    const wasUp = this.#acknowledging !== undefined;
    if (wasUp) {
      this.#heardMs = this.#link?.heardMs ?? this.#heardMs;
      this.#downSinceMs = clock.monotonicMs();
    }
    this.#forgetLink();
    this.#acknowledging?.cancel();
    this.#acknowledging = undefined;
    this.#dropCopy();
    host.linkChanged(false);
    this.#tellFailover(false, reason);
    const longest = isLater ? SOON_MS : this.#waitMs;
    const waitMs = longest - random.below(Math.ceil(longest / 4));
    this.#waitMs = Math.min(2 * this.#waitMs, LONGEST_WAIT_MS);
    if (reason !== this.#told) {
      const what = wasUp ? "the link to the primary is lost" : "the primary cannot be followed now";
      log.warn(what, { reason });
    }
    this.#told = reason;
    this.#timer = clock.after(waitMs, () => this.begin());
  }

  #broken(reason: string): void {
    if (this.#link === undefined) return;
    this.#link.close();
    this.#ended(`${primaryText(this.address)}: ${reason}`, false);
  }

  /** Once it may be the connection's fault. Twice at one place it is the stream's, and would be for ever: it is gone round. */
  #unreadable(problem: string): void {
    const { stream, log } = this.#options;
    if (this.#link === undefined) return;
    const { offset } = stream;
    if (this.#unreadableOffset === offset) {
      this.#needsCopy = true;
      const what = "the stream cannot be followed over this place: all data is to be copied";
      log.error(what, { offset, reason: problem });
    }
    this.#unreadableOffset = offset;
    this.#broken(problem);
  }

  // ---- what it brings ----

  async #beginCopy(place: CopyPlace): Promise<CopyFile> {
    const { copies, log } = this.#options;
    log.info("a full copy comes from the primary", { ...place });
    this.#tellFailover(true, "");
    const link = this.#link;
    const copy = await copies.open(() => this.#link === link);
    if (copy === undefined) throw new KvdbError("UNAVAILABLE", "the link is another one by now");
    this.#copy = copy;
    this.#place = place;
    copy.onRoom = () => this.#link?.resume();
    copy.onFailure = (error) => this.#broken(error.message);
    return copy;
  }

  #takeCopy(): Promise<void> {
    const { copies, acknowledgements } = this.#options;
    const copy = this.#copy;
    const place = this.#place;
    if (copy === undefined || place === undefined) return Promise.resolve();
    // From here on it is not dropped with the link.
    this.#copy = undefined;
    return copies.take(copy, place, () => {
      acknowledgements.begin();
      this.#needsCopy = false;
    });
  }

  async #goOn(id: string): Promise<void> {
    const { stream, log } = this.#options;
    this.#tellFailover(true, "");
    await stream.rename(id);
    log.info("going on where the data stands", { id, offset: stream.offset });
  }

  // ---- acknowledgements ----

  #applied(): void {
    const { host, acknowledgements } = this.#options;
    acknowledgements.noteApplied();
    if (!this.#application.takeWish()) return;
    this.#wantedRevision = host.lastRevision;
    this.#durable();
  }

  /** Who asked is answered as soon as it is true. */
  #durable(): void {
    const wanted = this.#wantedRevision;
    if (wanted === 0 || this.#options.host.durableRevision < wanted) return;
    this.#wantedRevision = 0;
    this.#acknowledge();
  }

  #acknowledgeRegularly(): void {
    this.#acknowledge();
    const again = () => this.#acknowledgeRegularly();
    this.#acknowledging = this.#options.clock.after(ACKNOWLEDGE_MS, again);
  }

  #acknowledge(): void {
    if (this.isLinkUp) this.#link?.send(this.#options.acknowledgements.command);
  }

  // ---- how it goes ----

  get state(): PrimaryState {
    const { settings, stream, clock, address } = this.#options;
    const link = this.#link;
    const since = (ms: number) => Math.floor((clock.monotonicMs() - ms) / 1000);
    const ioSeconds = link === undefined ? -1 : since(link.heardMs);
    const isUp = this.isLinkUp;
    const lagBytes = this.#application.waitingBytes;
    const downSince = this.#downSinceMs;
    return {
      ...address,
      session: isUp ? this.#application.session : null,
      link: link?.state ?? "connect",
      isSyncing: link?.state === "sync",
      syncTotalBytes: link?.copy?.totalBytes ?? -1,
      syncReadBytes: link?.copy?.readBytes ?? 0,
      syncLastIoSeconds: ioSeconds,
      lastIoSeconds: isUp ? ioSeconds : -1,
      downSinceSeconds: isUp || downSince === undefined ? -1 : since(downSince),
      readOffset: stream.offset + lagBytes,
      appliedOffset: stream.offset,
      lagSeconds: isUp ? ioSeconds : since(this.#heardMs),
      lagBytes,
      problem: this.#told,
      isReadOnly: settings.isReadOnly,
      priority: settings.priority,
      announced: settings.isAnnounced,
    };
  }
}
