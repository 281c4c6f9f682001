/** The frontend `http`: `/metrics` for Prometheus and `/health` for whoever watches over processes. No way to the data. */
import { definePlugin } from "kvdb";
import { type HttpOptions, httpSchema, settingsOf } from "./options.ts";
import { HttpServer } from "./server.ts";

export default definePlugin<HttpOptions>({
  name: "http",
  apiVersion: 1,
  schema: httpSchema,
  frontend: (options, context) => new HttpServer(settingsOf(options), context),
});
