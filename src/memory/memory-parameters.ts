/**
 * CONFIG GET and CONFIG SET of what is done about memory, by Redis's names and with its bounds. `maxmemory` itself is the
 * kernel's, which has it from the configuration.
 */
import { CommandError } from "../commands/command-error.ts";
import { parseMemorySize } from "../commands/memory-size.ts";
import { readMemorySize, readWholeNumber, readYesNo } from "../commands/parameter-values.ts";
import type { ServerParameter } from "../session/server.ts";
import type { AccessClock } from "../store/access-clock.ts";
import { EVICTION_POLICIES } from "../store/eviction.ts";
import type { Defragmenter } from "./defragmenter.ts";
import type { MemoryLimit } from "./memory-limit.ts";

const INT_MAX = 2 ** 31 - 1;
const MAX_TENACITY = 100;
const MAX_THRESHOLD = 1000;
const MAX_EFFORT = 99;

export function memoryParameters(
  limit: MemoryLimit,
  access: AccessClock,
  defragmenter: Defragmenter,
): ServerParameter[] {
  return [
    ...defragmentationParameters(defragmenter),
    {
      name: "maxmemory-policy",
      get: () => limit.eviction.policy.name,
      set: (text) => setPolicy(limit, text),
    },
    number("maxmemory-samples", limit.eviction, "samples", [1, INT_MAX]),
    number("maxmemory-eviction-tenacity", limit, "tenacity", [0, MAX_TENACITY]),
    number("lfu-log-factor", access, "logFactor", [0, INT_MAX]),
    number("lfu-decay-time", access, "decayMinutes", [0, INT_MAX]),
    {
      name: "maxmemory-clients",
      get: () => (limit.maxClients < 0 ? `${-limit.maxClients}%` : String(limit.maxClients)),
      set: (text) => {
        limit.maxClients = readSizeOrPercentage(text);
      },
    },
    { name: "lazyfree-lazy-eviction", get: () => "yes", set: requireLazy, isFixed: true },
  ];
}

function defragmentationParameters(defragmenter: Defragmenter): ServerParameter[] {
  return [
    {
      name: "activedefrag",
      get: () => (defragmenter.isOn ? "yes" : "no"),
      set: (text) => {
        defragmenter.isOn = readYesNo(text);
      },
    },
    {
      name: "active-defrag-ignore-bytes",
      get: () => String(defragmenter.ignoreBytes),
      set: (text) => {
        defragmenter.ignoreBytes = readMemorySize(text);
      },
    },
    number("active-defrag-threshold-lower", defragmenter, "lowerThreshold", [0, MAX_THRESHOLD]),
    number("active-defrag-threshold-upper", defragmenter, "upperThreshold", [0, MAX_THRESHOLD]),
    number("active-defrag-cycle-min", defragmenter, "leastEffort", [1, MAX_EFFORT]),
    number("active-defrag-cycle-max", defragmenter, "mostEffort", [1, MAX_EFFORT]),
  ];
}

function number<Name extends string>(
  name: string,
  owner: Record<Name, number>,
  member: Name,
  [least, most]: readonly [number, number],
): ServerParameter {
  return {
    name,
    get: () => String(owner[member]),
    set: (text) => {
      owner[member] = readWholeNumber(text, least, most);
    },
  };
}

function setPolicy(limit: MemoryLimit, text: string): void {
  const policy = EVICTION_POLICIES.find(({ name }) => name === text.toLowerCase());
  if (policy === undefined) {
    const names = EVICTION_POLICIES.map(({ name }) => name).join(", ");
    throw new CommandError("ERR", `argument(s) must be one of the following: ${names}`);
  }
  limit.eviction.policy = policy;
}

/** A percentage is negative. */
function readSizeOrPercentage(text: string): number {
  const percentage = /^(\d{1,3})%$/.exec(text)?.[1];
  if (percentage === undefined) {
    const bytes = parseMemorySize(text);
    if (bytes !== undefined) return bytes;
    throw new CommandError("ERR", "argument must be a memory or percent value");
  }
  if (Number(percentage) > 100) {
    throw new CommandError("ERR", "percentage argument must be less or equal to 100");
  }
  return Number(percentage) === 0 ? 0 : -Number(percentage);
}

/** Freeing never takes a command long enough to be worth another way. */
function requireLazy(text: string): void {
  if (readYesNo(text)) return;
  throw new CommandError(
    "ERR",
    "big values are always freed in the background: it can only be yes",
  );
}
