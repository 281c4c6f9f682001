/**
 * What the configuration says of users: judged, and taken over by the engine, before anything is opened; the file of users,
 * which may be read only then, is left for the start. Rules are in Redis's words. Of one that is wrong no more is repeated
 * than its first character where a password may stand behind it.
 */
import { openUserFile } from "../auth/user-file.ts";
import { CommandError } from "../commands/command-error.ts";
import { readWholeNumber } from "../commands/parameter-values.ts";
import { KvdbError } from "../errors.ts";
import type { ServerParameter } from "../session/server.ts";
import { formatIssue } from "./config-issues.ts";
import type { Host } from "./context.ts";
import type { Engine } from "./engine-port.ts";
import { pathOf, pointerOf } from "./json-pointer.ts";
import { CHANNEL_DEFAULTS } from "./schema.ts";

/** Rules behind whose first character a password stands, or a hash of one. */
const SECRET_RULE = /^[><#!]/;

export function configureUsers(
  { config, engine, files, placeOf }: Host,
  errors: KvdbError[],
): void {
  const { accounts } = engine;
  accounts.allChannels = config.channelsByDefault === "allchannels";
  accounts.log.maxEntries = config.accessLogLength;
  if (config.aclfile !== "") accounts.file = openUserFile(config.aclfile, files);
  const names = Object.keys(config.users);
  const fail = (words: readonly string[], message: string) => {
    const pointer = pointerOf(words);
    errors.push(
      new KvdbError(
        "CONFIG",
        formatIssue({ place: placeOf(pointer), path: pathOf(pointer), message }),
      ),
    );
  };
  if (config.aclfile !== "" && names.length > 0) {
    fail(["users"], "users stand here and in the file that aclfile names: expected one of the two");
    return;
  }
  for (const name of names) {
    const rules = config.users[name] ?? [];
    const words = (typeof rules === "string" ? rules.split(" ") : rules).map(bytesOf);
    const fault = accounts.configure(name, words);
    if (fault !== null) fail(["users", name], shownFault(fault));
  }
}

/** Rules are text of bytes. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function shownFault({ rule, reason }: { readonly rule: string; readonly reason: string }): string {
  const shown = SECRET_RULE.test(rule) ? `${rule[0]}…` : Buffer.from(rule, "latin1").toString();
  return rule === "" ? reason : `rule "${shown}": ${reason}`;
}

/** Their names of CONFIG GET and SET. */
export function userParameters({ accounts }: Pick<Engine, "accounts">): ServerParameter[] {
  return [
    { name: "aclfile", get: () => accounts.file.path },
    {
      name: "acl-pubsub-default",
      get: () => (accounts.allChannels ? "allchannels" : "resetchannels"),
      set: (value) => {
        const word = value.toLowerCase();
        if (!CHANNEL_DEFAULTS.some((name) => name === word)) {
          const names = CHANNEL_DEFAULTS.join(", ");
          throw new CommandError("ERR", `argument(s) must be one of the following: ${names}`);
        }
        accounts.allChannels = word === "allchannels";
      },
    },
    {
      name: "acllog-max-len",
      get: () => String(accounts.log.maxEntries),
      set: (value) => {
        accounts.log.maxEntries = readWholeNumber(value, 0, Number.MAX_SAFE_INTEGER);
      },
      keep: () => accounts.log.keep(),
    },
  ];
}
