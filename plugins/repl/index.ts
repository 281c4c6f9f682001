/** The frontend `repl`: the shell for people at a terminal. */
import { definePlugin } from "kvdb";
import { type ReplOptions, replSchema } from "./options.ts";
import { createShell } from "./shell.ts";

export default definePlugin<ReplOptions>({
  name: "repl",
  apiVersion: 1,
  schema: replSchema,
  frontend: (options, context) => createShell(options, context),
});
