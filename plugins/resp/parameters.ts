/** What CONFIG GET and CONFIG SET see of the resp frontend, by Redis's names. */
import { CommandError, type FrontendContext, readWholeNumber, readYesNo } from "kvdb";
import type { RespServer } from "./server.ts";
import { addTlsParameters } from "./tls-parameters.ts";

/** Redis's words for what the system does not allow. */
function readMaxClients(value: string, limit: number): number {
  const count = readWholeNumber(value, 1, 1_000_000);
  if (count <= limit) return count;
  throw new CommandError(
    "ERR",
    `The operating system is not able to handle the specified number of clients, try with ${limit}`,
  );
}

export function addParameters(server: RespServer, context: FrontendContext): void {
  const { settings } = server;
  context.addParameter({ name: "port", get: () => String(settings.port) });
  context.addParameter({ name: "bind", get: () => settings.bind.join(" ") });
  context.addParameter({ name: "unixsocket", get: () => settings.unixsocket });
  context.addParameter({
    name: "maxclients",
    get: () => String(settings.maxclients),
    set: (value) => {
      settings.maxclients = readMaxClients(value, context.maxConnections);
    },
  });
  context.addParameter({
    name: "timeout",
    get: () => String(settings.timeoutSeconds),
    set: (value) => {
      settings.timeoutSeconds = readWholeNumber(value, 0, 2 ** 31 - 1);
    },
  });
  context.addParameter({
    name: "tcp-keepalive",
    get: () => String(settings.keepaliveSeconds),
    set: (value) => {
      settings.keepaliveSeconds = readWholeNumber(value, 0, 2 ** 31 - 1);
    },
  });
  context.addParameter({
    name: "protected-mode",
    get: () => (settings.isProtected ? "yes" : "no"),
    set: (value) => {
      settings.isProtected = readYesNo(value);
    },
  });
  addTlsParameters(settings.tls, () => server.applyTls(), context);
  context.addInfo("clients", () => ({ maxclients: settings.maxclients }));
  context.addInfo("server", () => ({ tcp_port: settings.port }));
}
