/** SUBSCRIBE and its kin, and MONITOR, at the prompt: on a link of their own, messages are printed as they come, until Ctrl-C. */
import { KvdbError, type Part } from "kvdb";
import { LISTENING_NOTE } from "kvdb/shell";
import type { Connection } from "./connection.ts";
import type { Printer } from "./printer.ts";
import type { TypedLine } from "./typed-line.ts";

export interface Listening {
  readonly connection: Connection;
  readonly printer: Printer;
  /** Has the function called at Ctrl-C, and when the shell is closed. */
  onInterrupt(interrupt: (() => void) | undefined): void;
}

/** Whether it could begin. Rejects when the way to the data is gone. */
export async function listen(
  parts: readonly Part[],
  { program }: TypedLine,
  { connection, printer, onInterrupt }: Listening,
): Promise<boolean> {
  if (program !== undefined) {
    throw new KvdbError("USAGE", "messages come one by one, and cannot be given to a program");
  }
  /** Resolves to why nothing more will come; undefined: Ctrl-C. */
  const end = Promise.withResolvers<KvdbError | undefined>();
  onInterrupt(() => end.resolve(undefined));
  const link = await connection.openListening({
    onMessage: (message) => printer.message(message),
    onLost: end.resolve,
  });
  try {
    printer.line(LISTENING_NOTE, "faint");
    const answer = await link.call(parts);
    if (answer.kind === "error") {
      await printer.answer({ answer, isValue: false }, { program, filterColumn: undefined });
      return false;
    }
    const failure = await end.promise;
    if (failure !== undefined) throw failure;
    return true;
  } finally {
    onInterrupt(undefined);
    await link.close();
  }
}
