/** The frontend `resp`: the Redis protocol over TCP and a unix socket. */
import { definePlugin } from "kvdb";
import { type RespOptions, respSchema, settingsOf } from "./options.ts";
import { RespServer } from "./server.ts";

export default definePlugin<RespOptions>({
  name: "resp",
  apiVersion: 1,
  schema: respSchema,
  frontend: (options, context) => new RespServer(settingsOf(options), context),
});
