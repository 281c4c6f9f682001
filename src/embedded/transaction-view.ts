/**
 * What the function of a transaction is given: the keys and values of a store, read and written at once. It works until the
 * function is over. What makes one change of it is the engine's (transaction/transactions.ts).
 */
import { AnswerRecorder } from "../client/answer-recorder.ts";
import { Arguments } from "../commands/arguments.ts";
import type { Reply } from "../commands/reply.ts";
import { KvdbError } from "../errors.ts";
import type { Answer } from "../resp/answer.ts";
import type { RunCommand } from "../transaction/transactions.ts";
import { requireText } from "./checked-options.ts";
import { bytesOf } from "./command-words.ts";
import type { CommandPart, CommandResult, Key, SetOptions } from "./database.ts";
import { CommandChannel, type CommandHolder, type CommandLink, KeyAccess } from "./key-access.ts";
import { plainAnswer, replyError } from "./plain-answer.ts";
import type { Transaction } from "./store-types.ts";

/** Runs the function with a view of the store behind `prefix`. Throws what it throws, and for a promise. */
export function runTransaction<Value, Result>(
  run: RunCommand,
  prefix: string,
  act: (transaction: Transaction<Value>) => Result,
): Result {
  if (typeof act !== "function") {
    throw new KvdbError("USAGE", `act: expected a function, found ${typeof act}`);
  }
  const link = new TransactionLink(run);
  const view = new TransactionView<Value>(new CommandChannel(link, link), prefix);
  try {
    const result = act(view);
    if (isThenable(result)) throw refusePromise(result);
    return result;
  } finally {
    link.isOpen = false;
  }
}

class TransactionLink implements CommandLink, CommandHolder {
  readonly #run: RunCommand;
  readonly #args = new Arguments();
  readonly #recorder = new AnswerRecorder();
  isOpen = true;

  constructor(run: RunCommand) {
    this.#run = run;
  }

  requireOpen(): void {
    if (this.isOpen) return;
    throw new KvdbError("USAGE", "the transaction is over: its function has returned");
  }

  /** The time of a transaction is one. */
  refreshClock(): void {}

  dispatch(args: Arguments, reply: Reply): void {
    this.#run(args, reply);
  }

  run(parts: readonly (string | Uint8Array)[]): Answer {
    this.#args.assign(parts);
    this.#run(this.#args, this.#recorder);
    return this.#recorder.take();
  }
}

class TransactionView<Value> extends KeyAccess<Value> implements Transaction<Value> {
  set(key: Key, value: unknown, options?: SetOptions): void {
    refuseCondition(options);
    this.putValue(key, value, options);
  }

  setBytes(key: Key, bytes: Uint8Array, options?: SetOptions): void {
    this.putBytes(key, bytes, options);
  }

  delete(...keys: Key[]): number {
    return this.remove(keys);
  }

  call<Result = CommandResult>(
    ...command: readonly [name: string, ...parts: CommandPart[]]
  ): Result {
    const answer = this.channel.answer(command.map(bytesOf));
    if (answer.kind === "error") throw replyError(answer);
    return plainAnswer(answer) as Result;
  }

  prefix<Inner = Value>(prefix: string): Transaction<Inner> {
    requireText("prefix", prefix);
    return new TransactionView<Inner>(this.channel, this.prefixText + prefix);
  }
}

/** Nobody comes in between what a transaction reads and what it writes. */
function refuseCondition(options: SetOptions | undefined): void {
  if (options === undefined || options === null || !("ifVersion" in options)) return;
  throw new KvdbError("USAGE", "options.ifVersion: a transaction compares versions by itself");
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}

/** It goes on by itself: what becomes of it is no concern of the transaction, which is undone. */
function refusePromise(returned: PromiseLike<unknown>): KvdbError {
  Promise.resolve(returned).then(undefined, () => {});
  const message = "the function of a transaction returned a promise: it must be synchronous";
  return new KvdbError("USAGE", message);
}
