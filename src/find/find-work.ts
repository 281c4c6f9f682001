/**
 * A query until it is answered: its plan and the run by it. An index may go while it is gone through: dropped, replaced by
 * its rebuilding, failed; and SWAPDB gives a database other data. What is left to read then says nothing, so another plan is
 * made and the query begins anew: nothing of it was answered yet.
 */
import { CommandError } from "../commands/command-error.ts";
import type { Indexes } from "../index/indexes.ts";
import type { SlicedWork } from "../session/sliced-work.ts";
import type { Database } from "../store/database.ts";
import type { FindRequest } from "./find-request.ts";
import { FindRun } from "./find-run.ts";
import { type Plan, planFind } from "./plan.ts";

export class FindWork implements SlicedWork {
  readonly changesMemory = false;
  readonly isForAnswer = true;
  readonly request: FindRequest;
  plan: Plan;
  run: FindRun;
  /** Why there is no answer: too many groups, an index that was to be used and is gone. */
  failure: Error | undefined;
  readonly #database: Database;
  readonly #indexes: Indexes;
  /** Of runs that were given up. */
  #readVersion = 0;
  #swaps: number;

  /** Throws as `planFind` does. */
  constructor(request: FindRequest, database: Database, indexes: Indexes) {
    this.request = request;
    this.#database = database;
    this.#indexes = indexes;
    this.#swaps = database.keyspace.swaps;
    this.plan = planFind(request, database, indexes);
    this.run = new FindRun(request, this.plan, database);
  }

  /** What it has read: the answer waits until that is durable. */
  get readVersion(): number {
    return Math.max(this.#readVersion, this.run.readVersion);
  }

  step(exhausted: () => boolean): boolean {
    if (this.#isLost()) this.#beginAnew();
    if (this.failure !== undefined || !this.run.step(exhausted)) return this.failure !== undefined;
    this.failure = this.run.failure;
    return true;
  }

  #isLost(): boolean {
    if (this.#database.keyspace.swaps !== this.#swaps) return true;
    const { index } = this.plan;
    return index !== undefined && !this.#indexes.usable(this.#database).includes(index);
  }

  #beginAnew(): void {
    this.#readVersion = this.readVersion;
    this.#swaps = this.#database.keyspace.swaps;
    try {
      this.plan = planFind(this.request, this.#database, this.#indexes);
      this.run = new FindRun(this.request, this.plan, this.#database);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.failure = error;
    }
  }
}
