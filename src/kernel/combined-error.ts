/**
 * Several failures as one KvdbError: one line each, the exit code of the configuration when any of
 * them is its fault (whoever starts kvdb mends that first), else that of the first.
 */
import { asKvdbError, KvdbError } from "../errors.ts";

export function combineErrors(thrown: readonly unknown[]): KvdbError {
  const errors = thrown.map((one) => asKvdbError(one));
  if (errors.length === 1) return errors[0];
  const code = errors.find((error) => error.code === "CONFIG")?.code ?? errors[0].code;
  const message = errors.map((error) => error.message).join("\n");
  return new KvdbError(code, message, { cause: new AggregateError(errors) });
}

/** Closes whatever `run` does; a failure of either is told. */
export async function closingAfter<Result>(
  run: () => Promise<Result>,
  close: () => Promise<void>,
): Promise<Result> {
  const [ran] = await Promise.allSettled([run()]);
  const [closed] = await Promise.allSettled([close()]);
  const errors = [ran, closed].flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  if (ran.status === "rejected" || errors.length > 0) throw combineErrors(errors);
  return ran.value;
}
