/**
 * Exceptions that nobody caught, and rejections that nobody handled. A plugin's own timers, sockets and promises are not
 * called by kvdb, so what they throw comes here: it is logged with the plugin's name, and kvdb goes on, for nothing of its
 * own was interrupted. Anything else is a defect of kvdb: what state it is in is not known, so it ends.
 */
import { KvdbError } from "../errors.ts";
import { FaultLog, messageOf, stackOf } from "../kernel/fault-log.ts";
import { createLog } from "../platform/log.ts";
import type { World } from "./world.ts";

/** Returns the function that ends the watch. */
export function watchUncaught(world: World, onDefect: (defect: KvdbError) => void): () => void {
  const { clock, writeLog, pluginFiles } = world.platform;
  const log = createLog({ clock, level: () => "error", write: writeLog });
  const faults = new FaultLog(log, clock);
  return world.onUncaught((thrown) => {
    const culprit = pluginFiles?.culprit(thrown);
    if (culprit !== undefined) {
      faults.report(`${culprit} threw what nobody caught`, thrown);
      return;
    }
    log.error("nobody caught this: a defect of kvdb", { error: stackOf(thrown) });
    const message = `ended by a defect of kvdb: ${messageOf(thrown)}`;
    onDefect(new KvdbError("INTERNAL", message, { cause: thrown }));
  });
}
