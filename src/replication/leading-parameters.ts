/** CONFIG GET and CONFIG SET of a server that is followed, by Redis's names and with its bounds. */
import { CommandError } from "../commands/command-error.ts";
import {
  NO_BOUND,
  readMemorySize,
  readWholeNumber,
  readYesNo,
  showWholeNumber,
} from "../commands/parameter-values.ts";
import type { ServerParameter } from "../session/server.ts";
import type { Followers } from "./followers.ts";
import type { LeadingSettings } from "./leading-settings.ts";
import type { ShutdownWait } from "./shutdown-wait.ts";

const INT_MAX = 2 ** 31 - 1;

/** `keep` has so many bytes of records kept in memory, at least. */
export function leadingParameters(
  followers: Followers,
  keep: (bytes: number) => void,
): ServerParameter[] {
  const { settings } = followers;
  const ping = number("repl-ping-replica-period", settings, "pingSeconds", 1);
  const refresh = () => followers.refresh();
  const least = number("min-replicas-to-write", settings, "minReplicas", 0, refresh);
  const lag = number("min-replicas-max-lag", settings, "maxLagSeconds", 0, refresh);
  return [
    {
      name: "repl-diskless-sync",
      get: () => (settings.isDiskless ? "yes" : "no"),
      set: (text) => {
        settings.isDiskless = readYesNo(text);
      },
    },
    number("repl-diskless-sync-delay", settings, "disklessDelaySeconds", 0),
    number("repl-diskless-sync-max-replicas", settings, "disklessMaxReplicas", 0),
    number("repl-timeout", settings, "timeoutSeconds", 1),
    ...[ping, { ...ping, name: "repl-ping-slave-period", aliasOf: ping.name }],
    ...[least, { ...least, name: "min-slaves-to-write", aliasOf: least.name }],
    ...[lag, { ...lag, name: "min-slaves-max-lag", aliasOf: lag.name }],
    {
      name: "repl-backlog-size",
      get: () => String(settings.backlogBytes),
      set: (text) => {
        settings.backlogBytes = readBacklogSize(text);
        keep(settings.backlogBytes);
      },
    },
  ];
}

/** As Redis: what is smaller counts for as much. */
const LEAST_BACKLOG_BYTES = 16 * 1024;

function readBacklogSize(text: string): number {
  const bytes = readMemorySize(text);
  if (bytes > 0) return Math.max(LEAST_BACKLOG_BYTES, bytes);
  const range = `between 1 and ${showWholeNumber(NO_BOUND)}`;
  throw new CommandError("ERR", `argument must be ${range} inclusive`);
}

/** How long replicas are waited for before this server stops. */
export function shutdownTimeout(wait: Pick<ShutdownWait, "timeoutSeconds">): ServerParameter {
  return {
    name: "shutdown-timeout",
    get: () => String(wait.timeoutSeconds),
    set: (text) => {
      wait.timeoutSeconds = readWholeNumber(text, 0, INT_MAX);
    },
  };
}

type NumberSetting = {
  [Name in keyof LeadingSettings]: LeadingSettings[Name] extends number ? Name : never;
}[keyof LeadingSettings];

function number(
  name: string,
  settings: LeadingSettings,
  member: NumberSetting,
  least: number,
  onSet = () => {},
): ServerParameter {
  return {
    name,
    get: () => String(settings[member]),
    set: (text) => {
      settings[member] = readWholeNumber(text, least, INT_MAX);
      onSet();
    },
  };
}
