/**
 * Runs a kernel until somebody wants it to stop: SIGTERM, SIGINT, a client's SHUTDOWN. The first
 * wish stops in order and ends with exit code 0; a second signal does not wait any longer. A defect of
 * kvdb stops it in order too, as far as that goes, and is the exit code.
 */
import type { KvdbError } from "../errors.ts";
import { combineErrors } from "../kernel/combined-error.ts";
import type { LoadedConfig } from "../kernel/config.ts";
import type { Role } from "../kernel/role.ts";
import { openPurpose, prepareKernel } from "./data.ts";
import { watchUncaught } from "./uncaught.ts";
import type { World } from "./world.ts";

export interface ServerRun {
  readonly loaded: LoadedConfig;
  readonly recover: boolean;
  /** Default: a server. */
  readonly role?: Role;
}

export async function runServer(options: ServerRun, world: World): Promise<number> {
  const stop = Promise.withResolvers<string>();
  const errors: KvdbError[] = [];
  const unwatch = watchUncaught(world, (defect) => {
    if (errors.length === 0) errors.push(defect);
    stop.resolve("a defect");
  });
  let signals = 0;
  const unsubscribe = world.onStopSignal((signal) => {
    signals++;
    if (signals > 1) world.exitNow(1);
    else stop.resolve(signal);
  });
  try {
    await serve(options, stop, world);
  } catch (error) {
    throw combineErrors([...errors, error]);
  } finally {
    unwatch();
    unsubscribe();
  }
  if (errors.length > 0) throw combineErrors(errors);
  return 0;
}

/** `stop` resolves to who wants it to end. */
async function serve(
  { loaded, recover, role = "server" }: ServerRun,
  stop: PromiseWithResolvers<string>,
  world: World,
): Promise<void> {
  const kernel = await prepareKernel(
    { loaded, purpose: openPurpose(recover), role, onStopRequest: () => stop.resolve("a client") },
    world,
  );
  // Both from now on: a wish to stop counts while the start is under way, too.
  const stopped = stop.promise.then((who) => {
    kernel.log.info("stopping", { asked: who });
    return kernel.stop();
  });
  const started = await Promise.race([kernel.start(), stopped]);
  if (started !== "ready") await kernel.start();
  await stopped;
  // The last line: whoever waits for the end knows that all is synced and the folder free.
  kernel.log.info("stopped");
}
