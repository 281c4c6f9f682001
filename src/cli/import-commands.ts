/**
 * `kvdb import file.resp`: runs the commands of a file, one behind the other, as the connection of a client would. Some are
 * always on their way, since a log that is synced makes each wait; so when one fails, some behind it have run as well. A
 * file is read to its end first: one that is cut off, or no file of commands, changes nothing.
 */
import { partText } from "../client/link.ts";
import { coreCommands } from "../commands/index.ts";
import { KvdbError } from "../errors.ts";
import type { Answer, ErrorAnswer } from "../resp/answer.ts";
import { spanText } from "../shell/amounts.ts";
import { type CommandPlace, type RespItem, RespReader } from "../transfer/resp-reader.ts";
import { groupedCount } from "./grouped-count.ts";
import type { ImportSource } from "./import-source.ts";
import { isGeneral } from "./key-intake.ts";
import { ProblemList } from "./problem-list.ts";
import { TransferBar } from "./transfer-bar.ts";
import { answered, type Send, type Sent, STOPPED_CODE, type Stop } from "./transfer-data.ts";
import type { World } from "./world.ts";

/** Commands on their way, and their bytes. */
const MOST_UNDER_WAY = 1000;
const MOST_BYTES_UNDER_WAY = 1 << 20;

export interface CommandImportParts {
  readonly source: ImportSource;
  readonly stop: Stop;
  /** What is wrong is left out. */
  readonly goesOn: boolean;
}

type CommandItem = Extract<RespItem, { kind: "command" }>;

interface UnderWay {
  readonly sent: Sent;
  readonly place: CommandPlace;
  readonly bytes: number;
}

export class CommandImport {
  readonly #parts: CommandImportParts;
  readonly #world: World;
  readonly #bar: TransferBar;
  readonly #problems: ProblemList;
  readonly #begunMs: number;
  #commands = 0;
  #underWay: UnderWay[] = [];
  #bytesUnderWay = 0;
  #hasFailed = false;
  #stopsAtProblem = false;

  constructor(parts: CommandImportParts, world: World) {
    this.#parts = parts;
    this.#world = world;
    this.#bar = new TransferBar("importing", world, "command");
    this.#problems = new ProblemList(world, () => this.#bar.end());
    this.#begunMs = world.platform.clock.monotonicMs();
  }

  /** Reads the file to its end; the exit code, undefined when all of it is right. */
  async check(): Promise<number | undefined> {
    const isWhole = await this.#eachCommand(async () => {
      this.#commands++;
      return true;
    });
    await this.#problems.end();
    if (!isWhole) return this.#stopped("nothing was run");
    if (this.#problems.count > 0) {
      await this.#world.printError(`${this.#problems.amount}: nothing was run\n`);
      return 1;
    }
    return undefined;
  }

  async tellChecked(): Promise<number> {
    await this.#print(`would run ${this.#amount()}`);
    return 0;
  }

  async run(send: Send): Promise<number> {
    this.#commands = 0;
    this.#stopsAtProblem = !this.#parts.goesOn;
    const isWhole = await this.#eachCommand(async (item) => {
      await this.#send(item, send);
      return !this.#mustStop;
    });
    await this.#settleAll();
    await this.#problems.end();
    if (this.#parts.stop.isWanted && !isWhole) return this.#stopped(`${this.#amount()} have run`);
    await this.#print(`ran ${this.#amount()}`);
    if (this.#problems.count === 0) return 0;
    const hint = this.#parts.goesOn ? "" : "; --continue goes on behind what is wrong";
    await this.#world.printError(`${this.#problems.amount}${hint}\n`);
    return 1;
  }

  async #send({ parts, place }: CommandItem, send: Send): Promise<void> {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    this.#underWay.push({ sent: await send(parts), place, bytes });
    this.#bytesUnderWay += bytes;
    while (this.#isFull) await this.#settleOne();
  }

  get #mustStop(): boolean {
    return this.#stopsAtProblem && this.#hasFailed;
  }

  async #settleAll(): Promise<void> {
    while (this.#underWay.length > 0) await this.#settleOne();
  }

  get #isFull(): boolean {
    return this.#underWay.length >= MOST_UNDER_WAY || this.#bytesUnderWay >= MOST_BYTES_UNDER_WAY;
  }

  /** Those that were sent count as what they came to, also behind one that failed. */
  async #settleOne(): Promise<void> {
    const [oldest] = this.#underWay.splice(0, 1) as [UnderWay];
    this.#bytesUnderWay -= oldest.bytes;
    const answer = await oldest.sent.answer;
    const errors = errorsIn(answer);
    if (errors.length === 0) {
      this.#commands++;
      return;
    }
    this.#hasFailed = true;
    for (const error of errors) {
      if (isGeneral(error.code)) answered(error);
      await this.#tell(`${error.code} ${error.text}`, oldest.place);
    }
  }

  // ---- reading ----

  /** False: it was not read to its end. */
  async #eachCommand(take: (item: CommandItem) => Promise<boolean>): Promise<boolean> {
    const { source, stop } = this.#parts;
    const reader = new RespReader();
    const transaction = new OpenTransaction();
    let bytes = 0;
    const each = async (items: Iterable<RespItem>): Promise<boolean> => {
      for (const item of items) {
        const problem = item.kind === "problem" ? item.message : refusal(item);
        if (problem !== undefined) await this.#problem(problem, item.place);
        else if (item.kind === "command") {
          transaction.note(item);
          if (!(await take(item))) return false;
        }
        if (this.#mustStop) return false;
      }
      return true;
    };
    try {
      const chunks = source.chunks()[Symbol.asyncIterator]();
      for (;;) {
        const next = chunks.next();
        // A pipe or a person may keep it waiting.
        if (source.sizeBytes === undefined) await Promise.race([next, stop.wanted]);
        if (stop.isWanted) return false;
        const { done, value: chunk } = await next;
        if (done === true) break;
        if (!(await each(reader.push(chunk)))) return false;
        bytes += chunk.length;
        const share = source.sizeBytes === undefined ? undefined : bytes / (source.sizeBytes || 1);
        this.#bar.show({ keys: this.#commands, bytes, share });
      }
      if (!(await each(reader.finish()))) return false;
      const { begun } = transaction;
      if (begun !== undefined) await this.#problem("the transaction has no EXEC", begun);
      return true;
    } finally {
      this.#bar.end();
    }
  }

  async #problem(message: string, place: CommandPlace): Promise<void> {
    await this.#settleAll(); // problems are told in their order
    this.#hasFailed = true;
    await this.#tell(message, place);
  }

  // ---- telling ----

  #tell(message: string, { number, offset }: CommandPlace): Promise<void> {
    const { name } = this.#parts.source;
    return this.#problems.tell(`${name}: command ${number} at offset ${offset}: ${message}`);
  }

  #amount(): string {
    return groupedCount(this.#commands, "command");
  }

  async #print(done: string): Promise<void> {
    const span = spanText(this.#world.platform.clock.monotonicMs() - this.#begunMs);
    await this.#world.print(Buffer.from(`${done} in ${span}\n`));
  }

  async #stopped(what: string): Promise<number> {
    await this.#world.printError(`stopped: ${what}\n`);
    return STOPPED_CODE;
  }
}

/** An error, and those of the commands of a transaction. */
function errorsIn(answer: Answer): readonly ErrorAnswer[] {
  if (answer.kind === "error") return [answer];
  return answer.kind === "array" ? answer.items.filter((item) => item.kind === "error") : [];
}

/** Where a transaction has begun that has not ended. */
class OpenTransaction {
  begun: CommandPlace | undefined;

  note({ parts, place }: CommandItem): void {
    const name = partText(parts[0] ?? "").toUpperCase();
    if (name === "MULTI") this.begun ??= place;
    else if (name === "EXEC" || name === "DISCARD") this.begun = undefined;
  }
}

/** What is for a connection and not for data: it would end the import, or turn it into something else. */
const CONNECTION_COMMANDS: ReadonlySet<string> = new Set([
  ...["AUTH", "HELLO", "RESET", "QUIT", "CLIENT", "MONITOR", "SHUTDOWN", "WAIT", "WAITAOF"],
  ...["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "SYNC", "PSYNC", "REPLCONF"],
]);

let blocking: ReadonlySet<string> | undefined;

/** Why a command is not run. */
function refusal({ parts }: CommandItem): string | undefined {
  const name = partText(parts[0] ?? "").toUpperCase();
  blocking ??= new Set(
    coreCommands.filter(({ flags }) => flags.includes("blocking")).map((one) => one.name),
  );
  if (CONNECTION_COMMANDS.has(name)) return `${name} is for a connection, not for a file`;
  return blocking.has(name) ? `${name} may wait for ever` : undefined;
}

export function requireNoElementOptions(options: ReadonlyMap<string, string>): void {
  const wrong = ["--prefix", "--key", "--text"].find((one) => options.has(one));
  if (wrong === undefined) return;
  throw new KvdbError("USAGE", `${wrong} is for files of elements: commands run as they are`);
}
