/**
 * The shell's way to the data, whoever holds it: one link, opened again when it was lost, with what
 * the user had chosen on it: the database, and who they said they are.
 */
import {
  type Answer,
  type CommandInfo,
  KvdbError,
  type Link,
  type LinkMessages,
  type Part,
  type ShellContext,
} from "kvdb";
import type { Catalog } from "kvdb/shell";

/** What CLIENT LIST shows of a shell on its own engine; whoever sits there needs no password. */
const CLIENT = { address: "shell", trusted: true };

export class Connection {
  database: number;
  /** Commands are being gathered by MULTI. */
  isInTransaction = false;
  /** Of each command that MULTI has gathered: the database that it chooses, if it does. */
  #queued: (number | undefined)[] = [];
  catalog: Catalog = catalogOf([]);
  readonly #context: ShellContext;
  #link: Link | undefined;
  /** AUTH or HELLO as it was accepted last: given again on a new link. */
  #login: readonly Part[] | undefined;
  #isClosed = false;
  /** Ends the waits for answers that are under way. */
  readonly #giveUps = new Set<(reason: KvdbError) => void>();
  #opening: Promise<void> | undefined;

  constructor(context: ShellContext) {
    this.#context = context;
    this.database = context.place.database ?? 0;
  }

  get isOpen(): boolean {
    return this.#link !== undefined;
  }

  /** Rejects when nobody answers. Harmless when it is open. */
  async open(): Promise<void> {
    if (this.#link !== undefined && this.#opening === undefined) return;
    // A completion and a command may ask at the same time: one link is enough.
    this.#opening ??= this.#open();
    try {
      await this.#opening;
    } finally {
      this.#opening = undefined;
    }
  }

  async #open(): Promise<void> {
    if (this.#isClosed) throw new KvdbError("UNAVAILABLE", "the shell is closing");
    const link = await this.#context.openLink(CLIENT);
    this.#link = link;
    this.#forgetTransaction();
    try {
      if (this.#login !== undefined) await link.call(this.#login);
      if (this.database !== 0) await this.#chooseDatabase(link);
      if (this.catalog.all().length === 0) await this.refreshCatalog();
    } catch (error) {
      await this.#lose();
      throw error;
    }
  }

  async call(parts: readonly Part[]): Promise<Answer> {
    await this.open();
    const link = this.#link as Link;
    try {
      const answer = await this.#awaitAnswer(link, parts);
      if (this.isInTransaction) this.#noteTransaction(parts, answer);
      else if (answer.kind !== "error") await this.#note(parts);
      return answer;
    } catch (error) {
      if (this.#link === link) await this.#lose();
      throw error;
    }
  }

  /**
   * What nobody typed: the questions of a completion, of a look at a key. Within a transaction they would be queued between the
   * commands that were typed, or be refused and end it, so nobody is asked then.
   */
  async lookUp(parts: readonly Part[]): Promise<Answer> {
    if (!this.isInTransaction) return this.call(parts);
    throw new KvdbError("USAGE", "within MULTI this would be queued: EXEC or DISCARD first");
  }

  /** A link of its own for who listens: the other one goes on with commands. The caller closes it. */
  async openListening(messages: LinkMessages): Promise<Link> {
    const link = await this.#context.openLink({ ...CLIENT, ...messages });
    try {
      if (this.#login !== undefined) await link.call(this.#login);
      return link;
    } catch (error) {
      await link.close();
      throw error;
    }
  }

  /** A link in process may wait for the disk, closed or not: nobody has to. */
  async #awaitAnswer(link: Link, parts: readonly Part[]): Promise<Answer> {
    const { promise, reject } = Promise.withResolvers<never>();
    this.#giveUps.add(reject);
    try {
      return await Promise.race([link.call(parts), promise]);
    } finally {
      this.#giveUps.delete(reject);
    }
  }

  /** Gives up on the answer to what was sent; it may still be carried out. */
  async interrupt(): Promise<void> {
    for (const giveUp of this.#giveUps) giveUp(new KvdbError("UNAVAILABLE", "interrupted"));
    await this.#lose();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#lose();
  }

  /** Whoever must not ask for the commands works without help. */
  async refreshCatalog(): Promise<void> {
    this.catalog = catalogOf(await this.#context.commands());
  }

  async #lose(): Promise<void> {
    const link = this.#link;
    this.#link = undefined;
    this.#forgetTransaction();
    await link?.close();
  }

  #forgetTransaction(): void {
    this.isInTransaction = false;
    this.#queued = [];
  }

  async #chooseDatabase(link: Link): Promise<void> {
    const answer = await link.call(["SELECT", String(this.database)]);
    if (answer.kind !== "error") return;
    this.database = 0;
    throw new KvdbError("COMMAND", `${answer.code} ${answer.text}`);
  }

  /** EXEC ends it, also when it is refused; what was queued of databases is true from then on. */
  #noteTransaction(parts: readonly Part[], answer: Answer): void {
    const [name = "", second = ""] = parts.map((part) => textOf(part).toUpperCase());
    const isQueued = answer.kind === "status" && answer.text === "QUEUED";
    if (isQueued) this.#queued.push(name === "SELECT" ? Number(second) : undefined);
    if (isQueued || !["EXEC", "DISCARD", "RESET"].includes(name)) return;
    const answers = answer.kind === "array" ? answer.items : [];
    for (const [at, { kind }] of answers.entries()) {
      if (kind !== "error") this.database = this.#queued[at] ?? this.database;
    }
    this.#forgetTransaction();
    if (name !== "RESET") return;
    this.database = 0;
    this.#login = undefined;
  }

  /** What the command that was carried out changed for those to come. */
  async #note(parts: readonly Part[]): Promise<void> {
    const [name = "", second = ""] = parts.map((part) => textOf(part).toUpperCase());
    switch (name) {
      case "SELECT":
        this.database = Number(second);
        break;
      case "MULTI":
        this.isInTransaction = true;
        break;
      case "RESET":
        this.database = 0;
        this.#login = undefined;
        break;
      case "AUTH":
      case "HELLO":
        if (name === "AUTH" || parts.some((part) => textOf(part).toUpperCase() === "AUTH")) {
          this.#login = parts;
          await this.refreshCatalog();
        }
    }
  }
}

function textOf(part: Part): string {
  return typeof part === "string" ? part : Buffer.from(part).toString();
}

function catalogOf(commands: readonly CommandInfo[]): Catalog {
  const byName = new Map(commands.map((command) => [command.name, command]));
  return { all: () => commands, get: (name) => byName.get(name) };
}
