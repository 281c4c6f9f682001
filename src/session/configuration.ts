/**
 * The configuration that a server was started from, as CONFIG sees it: what CONFIG SET changed is noted, and written into
 * the file when CONFIG REWRITE says so. The kernel, which knows the file, is the one implementation.
 */
import type { ServerParameter } from "./server.ts";

export interface ConfigurationControl {
  /** CONFIG SET has changed these. */
  changed(parameters: readonly ServerParameter[]): void;
  /** Writes what was changed so far; durable when it resolves. Rejects when it cannot be written, with the file as it was. */
  rewrite(): Promise<void>;
}
