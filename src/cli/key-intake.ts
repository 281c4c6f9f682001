/**
 * Takes keys into a database that is somewhere, some at a time: by VALUE.IMPORT into a kvdb (each step is a record of its own,
 * and what a key had is replaced), by RESTORE into another server. While a step becomes durable the next one is gathered; the
 * next is sent when the one before is answered, so a key that comes twice ends as it came last.
 */
import type { Part } from "../client/link.ts";
import { KvdbError } from "../errors.ts";
import type { Answer, ErrorAnswer } from "../resp/answer.ts";
import type { TransferEntry } from "../transfer/entry.ts";
import { answered, type Send, type Sent } from "./transfer-data.ts";

/** Of a step; as much as a server does without others who wait for it noticing. */
const STEP_ENTRIES = 1000;
const STEP_BYTES = 1 << 20;
/** What an entry takes in a command beside its own bytes, at most. */
const FRAME_BYTES = 96;

export interface IntakeParts {
  readonly send: Send;
  /** A key that was not taken, and why; may reject, which ends it all. */
  refuse(key: Buffer, reason: string): Promise<void>;
}

interface Step {
  readonly entries: readonly TransferEntry[];
  readonly answers: readonly Sent[];
}

export abstract class KeyIntake {
  /** Of what is in the database now. */
  keys = 0;
  documents = 0;
  bytes = 0;
  protected readonly parts: IntakeParts;
  #database = 0;
  #chosen = 0;
  #entries: TransferEntry[] = [];
  #size = 0;
  #under: Step | undefined;

  constructor(parts: IntakeParts) {
    this.parts = parts;
  }

  /** Entries of another database come behind a `take`. */
  add(entry: TransferEntry): void {
    this.#entries.push(entry);
    this.#size += entrySize(entry);
  }

  /** It is time to `take`. */
  get isFull(): boolean {
    return this.#entries.length >= STEP_ENTRIES || this.#size >= STEP_BYTES;
  }

  /** Where what is added goes. */
  get database(): number {
    return this.#database;
  }

  /** What is added from now on goes into this database. */
  async into(database: number): Promise<void> {
    if (database === this.#database) return;
    await this.take();
    this.#database = database;
  }

  /** Sends what was added. What it comes to is known when the next `take` or `finish` resolves. */
  async take(): Promise<void> {
    const entries = this.#entries;
    this.#entries = [];
    this.#size = 0;
    await this.#settle();
    if (entries.length === 0) return;
    await this.#choose();
    this.#under = { entries, answers: await this.sendStep(entries) };
  }

  /** All that was added is in, or was refused. */
  async finish(): Promise<void> {
    await this.take();
    await this.#settle();
  }

  async #choose(): Promise<void> {
    if (this.#chosen === this.#database) return;
    const name = String(this.#database);
    const { answer } = await this.parts.send(["SELECT", name]);
    const told = await answer;
    if (told.kind === "error") {
      const message = `database ${name} cannot be chosen: ${told.code} ${told.text}`;
      throw new KvdbError("COMMAND", message);
    }
    this.#chosen = this.#database;
  }

  async #settle(): Promise<void> {
    const step = this.#under;
    this.#under = undefined;
    if (step === undefined) return;
    const answers: Answer[] = [];
    for (const { answer } of step.answers) answers.push(await answer);
    await this.settleStep(step.entries, answers);
  }

  protected count(entry: TransferEntry): void {
    this.keys++;
    this.bytes += entry.value.length;
    if (entry.kind === "json") this.documents++;
  }

  /** Throws when the reason is none of the value's, for then the next one would fare no better. */
  protected async refuse(entry: TransferEntry, error: ErrorAnswer): Promise<void> {
    if (isGeneral(error.code)) answered(error);
    await this.parts.refuse(entry.key, `${error.code} ${error.text}`);
  }

  protected abstract sendStep(entries: readonly TransferEntry[]): Promise<readonly Sent[]>;
  protected abstract settleStep(
    entries: readonly TransferEntry[],
    answers: readonly Answer[],
  ): Promise<void>;
}

/** Errors that say nothing of a key: no room, no right, no time. */
const GENERAL: ReadonlySet<string> = new Set([
  ...["OOM", "MISCONF", "NOREPLICAS", "READONLY", "NOAUTH", "NOPERM", "LOADING", "BUSY"],
  ...["CLUSTERDOWN", "MASTERDOWN", "UNKILLABLE"],
]);

export function isGeneral(code: string): boolean {
  return GENERAL.has(code);
}

/** Into a kvdb: a step is one command, and is refused as a whole. */
export class ImportIntake extends KeyIntake {
  protected async sendStep(entries: readonly TransferEntry[]): Promise<readonly Sent[]> {
    return [await this.parts.send(importCommand(entries))];
  }

  protected async settleStep(
    entries: readonly TransferEntry[],
    [answer]: readonly Answer[],
  ): Promise<void> {
    if (answer?.kind !== "error") {
      for (const entry of entries) this.count(entry);
      return;
    }
    const [first] = entries;
    if (entries.length === 1 && first !== undefined) {
      await this.refuse(first, keyless(answer));
      return;
    }
    // One of them is wrong, or there twice, which SCAN may do: each is tried by itself.
    if (isGeneral(answer.code)) answered(answer);
    for (const entry of entries) {
      const { answer: own } = await this.parts.send(importCommand([entry]));
      await this.settleStep([entry], [await own]);
    }
  }
}

/** Into a server that has RESTORE alone; values are what DUMP answers. */
export class RestoreIntake extends KeyIntake {
  protected async sendStep(entries: readonly TransferEntry[]): Promise<readonly Sent[]> {
    const sent: Sent[] = [];
    for (const { key, deadlineMs, value } of entries) {
      const deadline = String(deadlineMs);
      sent.push(await this.parts.send(["RESTORE", key, deadline, value, "REPLACE", "ABSTTL"]));
    }
    return sent;
  }

  protected async settleStep(
    entries: readonly TransferEntry[],
    answers: readonly Answer[],
  ): Promise<void> {
    for (const [at, entry] of entries.entries()) {
      const answer = answers[at];
      if (answer?.kind === "error") await this.refuse(entry, answer);
      else this.count(entry);
    }
  }
}

/** For who only wants to know what would come. */
export class DryIntake extends KeyIntake {
  protected async sendStep(): Promise<readonly Sent[]> {
    return [];
  }

  protected async settleStep(entries: readonly TransferEntry[]): Promise<void> {
    for (const entry of entries) this.count(entry);
  }
}

/** VALUE.IMPORT names the key in front of its reason; whoever tells the reason names it, too. */
function keyless({ code, text }: ErrorAnswer): ErrorAnswer {
  return { kind: "error", code, text: text.replace(/^key "(?:[^"\\]|\\.)*": /, "") };
}

function importCommand(entries: readonly TransferEntry[]): Part[] {
  const parts: Part[] = ["VALUE.IMPORT"];
  for (const entry of entries) parts.push(...importParts(entry));
  return parts;
}

/** The same for all, so that a million entries have two objects each and not four. */
const KINDS = {
  json: Buffer.from("json"),
  string: Buffer.from("string"),
  dump: Buffer.from("dump"),
};
const NO_DEADLINE = Buffer.from("0");

/** What VALUE.IMPORT takes of an entry. */
export function importParts({ key, kind, deadlineMs, value }: TransferEntry): Part[] {
  const deadline = deadlineMs === 0 ? NO_DEADLINE : Buffer.from(String(deadlineMs));
  return [key, KINDS[kind], deadline, value];
}

export function entrySize({ key, value }: TransferEntry): number {
  return key.length + value.length + FRAME_BYTES;
}
