/**
 * The record of a command that calls others, while it grows: what each of them changed, in order, as commands that
 * replay alike. They may stand in several databases: a SELECT goes in between where the database changes. Not the journal:
 * what is gathered here becomes the effects of the calling command, and with it one record.
 */
import { MAX_JOINED_BYTES } from "../limits.ts";
import { CommandWriter } from "./effects.ts";

export class JoinedCommands {
  readonly writer = new CommandWriter();
  readonly #maxBytes: number;
  /** Where replay stands after what is written so far. */
  #database = 0;
  /** Where it stood before them. */
  firstDatabase = 0;
  /** Calls of `begin` that have not ended. */
  depth = 0;
  /** Changes that joined, whether they are written or not. */
  changes = 0;

  constructor(maxBytes = MAX_JOINED_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** A calling command begins, in this database. */
  begin(database: number): void {
    this.writer.clear();
    this.firstDatabase = database;
    this.#database = database;
    this.changes = 0;
  }

  /** What was gathered is no outcome of anything. */
  abandon(): void {
    this.depth = 0;
    this.changes = 0;
    this.writer.clear();
  }

  /** What follows is written for this database. */
  select(database: number): void {
    if (database === this.#database) return;
    this.writer.command(2);
    this.writer.text("SELECT");
    this.writer.integer(database);
    this.#database = database;
  }

  /** Commands that are encoded already and leave replay in `database`. */
  add(commands: CommandWriter, database: number): void {
    this.writer.encoded(commands.buffer, 0, commands.size);
    this.#database = database;
  }

  get isFull(): boolean {
    return this.writer.size > this.#maxBytes;
  }
}
