/** CONFIG's `save`, in Redis's words: the rules of a schedule, which may change while it runs. */
import { CommandError } from "../commands/command-error.ts";
import type { Parameter } from "../plugin.ts";
import { readRules, writeRules } from "./save-rules.ts";
import type { SaveSchedule } from "./save-schedule.ts";

export function saveParameter(schedule: SaveSchedule): Parameter {
  return {
    name: "save",
    get: () => writeRules(schedule.rules),
    set: (value) => {
      const rules = readRules(value);
      if (rules === undefined) throw new CommandError("ERR", "Invalid save parameters");
      schedule.rules = rules;
    },
  };
}
