/** Below those that Linux gives out by itself, to whoever connects or listens at port 0. */
const LOWEST = 12_000;
const HIGHEST = 32_000;
const ATTEMPTS = 100;

/**
 * A port of 127.0.0.1 that nobody listens on, and that the system gives to nobody: a server that is stopped and starts again
 * finds it free. By chance, so that two test runs side by side hardly ever choose the same one.
 */
export function freePort(): number {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (isFree(port)) return port;
  }
  throw new Error(`none of ${ATTEMPTS} ports of 127.0.0.1 is free`);
}

function isFree(port: number): boolean {
  try {
    Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    return false;
  }
}
