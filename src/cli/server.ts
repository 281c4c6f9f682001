/**
 * Runs a kernel until somebody wants it to stop: SIGTERM, SIGINT, a client's SHUTDOWN. The first
 * wish stops in order and ends with exit code 0; a second signal does not wait any longer.
 */
import type { LoadedConfig } from "../kernel/config.ts";
import { prepareKernel } from "./data.ts";
import type { World } from "./world.ts";

export interface ServerRun {
  readonly loaded: LoadedConfig;
  readonly recover: boolean;
}

export async function runServer({ loaded, recover }: ServerRun, world: World): Promise<number> {
  const stop = Promise.withResolvers<string>();
  const kernel = await prepareKernel(
    { loaded, recover, role: "server", onStopRequest: () => stop.resolve("a client") },
    world,
  );
  let signals = 0;
  const unsubscribe = world.onStopSignal((signal) => {
    signals++;
    if (signals > 1) world.exitNow(1);
    else stop.resolve(signal);
  });
  try {
    // Both from now on: a wish to stop counts while the start is under way, too.
    const stopped = stop.promise.then((who) => {
      kernel.log.info("stopping", { asked: who });
      return kernel.stop();
    });
    const started = await Promise.race([kernel.start(), stopped]);
    if (started !== "ready") await kernel.start();
    await stopped;
    return 0;
  } finally {
    unsubscribe();
  }
}
