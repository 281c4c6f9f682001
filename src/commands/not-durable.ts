/**
 * What stands in the place of a reply that waits for the disk when the disk refuses: the change was applied, and whether it
 * will ever be durable nobody knows; what the reply would have shown may vanish, so it is not shown.
 */
import { CommandError } from "./command-error.ts";

/** `isChange`: the reply is to a change, and not only to a look at one. */
export function notDurable(isChange: boolean): CommandError {
  return new CommandError(
    "MISCONF",
    isChange
      ? "applied in memory, not durable: the disk refuses writes"
      : "not shown, for it is not durable: the disk refuses writes",
  );
}
