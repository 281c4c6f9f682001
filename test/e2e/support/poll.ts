/** Waiting for what must become true: looked at again and again, with a bound. No test sleeps a time of its own. */

const POLL_MS = 10;
/** What polls takes milliseconds; this is a machine under heavy load. */
export const PATIENCE_MS = 20_000;

/** Resolves to the first value of `look` that is not undefined or false. */
export async function until<Value>(
  what: string,
  look: () => Value | Promise<Value>,
  limitMs = PATIENCE_MS,
): Promise<Exclude<Value, undefined | false>> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value as Exclude<Value, undefined | false>;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${limitMs} ms`);
    await Bun.sleep(POLL_MS);
  }
}

/** The promise's result, or an error that says what took too long. */
export async function within<Value>(
  what: string,
  promise: Promise<Value>,
  limitMs = PATIENCE_MS,
): Promise<Value> {
  let timer: Timer | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
