/** What somebody is answered who waits at a primary that becomes a replica: what he waits for may never come here. */
import { CommandError } from "../commands/command-error.ts";

/** Redis's words. */
export const unblocked = (): never => {
  throw new CommandError(
    "UNBLOCKED",
    "force unblock from blocking operation, instance state changed (master -> replica?)",
  );
};
