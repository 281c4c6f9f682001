/**
 * A bound for what a plugin is waited for. Whatever runs on after its time is not stopped (nothing
 * can), only not waited for any more; a late failure of it has been reported already and is
 * dropped.
 */
import { KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";

/**
 * Resolves or rejects with `run`, or rejects with a KvdbError INTERNAL when `limitMs` have passed.
 */
export async function withTimeLimit<Result>(
  clock: Clock,
  limitMs: number,
  run: () => Promise<Result>,
): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = clock.after(limitMs, () =>
    reject(new KvdbError("INTERNAL", `not done within ${Math.ceil(limitMs / 1000)} s`)),
  );
  try {
    return await Promise.race([run(), late]);
  } finally {
    timer.cancel();
  }
}
