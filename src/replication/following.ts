/**
 * The side that follows: whom, because the configuration or a command says so, and what is kept from one primary to the next.
 * How one is followed is pursuit.ts's; what a server is while it follows (refusals, expiry) is the host's.
 *
 *   begin, follow ──▶ a pursuit, until another one begins, `lead` or `stop`
 *   rest          ──▶ nobody is followed, and the data stays a replica's
 *   lead          ──▶ nobody is followed; and a primary, as soon as the stream has a new id
 */
import { CommandError } from "../commands/command-error.ts";
import type { Following, FollowOptions, PrimaryState } from "../session/replication.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { CopyTaking } from "./copy-taking.ts";
import type { FollowingOptions } from "./following-parts.ts";
import { type PrimaryAddress, primaryText } from "./primary-address.ts";
import { Pursuit } from "./pursuit.ts";

/** Commands that fail are told one by one up to here, then each hundredth. */
const TOLD_FAILURES = 20;
const FAILURES_PER_LINE = 100;

const ADVICE =
  "This data is a replica's: write to its primary, or make it a primary's own with `replicaof no one`.";

export class FollowingSide implements Following {
  failedCommands = 0;
  /** From those that are followed no more, less what statistics no longer count. */
  #pastBytes = 0;
  /** Told when somebody else is followed, or nobody, because a command said so. */
  onAddress: () => void = () => {};
  readonly #options: FollowingOptions;
  readonly #acknowledgements: Acknowledgements;
  readonly #copies: CopyTaking;
  #pursuit: Pursuit | undefined;
  /** Nobody is followed any more, and this server is no primary yet: what it was told of the one that it has left. */
  #left: PrimaryState | null = null;
  /** Settles when it is one. */
  #leading: Promise<void> | undefined;
  #isStopped = false;
  /** The data is a replica's, and nobody is followed. */
  #rests = false;

  constructor(options: FollowingOptions) {
    const { host, clock, log } = options;
    this.#options = options;
    this.#acknowledgements = new Acknowledgements(options);
    this.#copies = new CopyTaking({ host, clock, log, isStopped: () => this.#isStopped });
  }

  get address(): PrimaryAddress | null {
    return this.#pursuit?.address ?? null;
  }

  get isLinkUp(): boolean {
    return this.#pursuit?.isLinkUp === true;
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
    const { host, log, clock } = this.#options;
    const current = this.#pursuit;
    // As Redis tells it: since there was a link, to whomever.
    const downSinceMs = this.isLinkUp ? clock.monotonicMs() : current?.downSinceMs;
    if (current !== undefined) this.#drop(current);
    else if (this.#left === null && !this.#rests) host.beginFollowing();
    this.#left = null;
    this.#rests = false;
    this.#acknowledgements.begin();
    const pursuit = new Pursuit({
      ...{ ...this.#options, address, failover, downSinceMs },
      ...{ acknowledgements: this.#acknowledgements, copies: this.#copies },
      onFailure: (command, failure) => this.#failed(command, failure),
    });
    this.#pursuit = pursuit;
    log.info("following a primary", { primary: primaryText(address) });
    pursuit.begin();
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
      this.#left = pursuit.state;
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
      await this.#copies.loaded();
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
    await this.#copies.settled();
  }

  #drop(pursuit: Pursuit): void {
    pursuit.close();
    this.#pastBytes += pursuit.receivedBytes;
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
    return this.#pastBytes + (this.#pursuit?.receivedBytes ?? 0);
  }

  resetStatistics(): void {
    this.#pastBytes -= this.receivedBytes;
    this.failedCommands = 0;
  }

  get primary(): PrimaryState | null {
    return this.#pursuit?.state ?? this.#left;
  }
}
