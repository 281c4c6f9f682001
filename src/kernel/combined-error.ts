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
