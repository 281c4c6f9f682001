/** The client of sessions that nobody sits at: replay, and what kvdb does by itself. */
import type { Client } from "../plugin.ts";

export const NOBODY: Client = {
  address: "",
  localAddress: "",
  inputBytes: () => 0,
  outputBytes: () => 0,
  close: () => {},
};
