/**
 * Where the keyspace events of a step may differ from those of redis-server 7.0.15: one list, each entry with its reason. An
 * entry says which commands it is about and brings the events of both into one form.
 */
import type { StepEvents } from "./event-trace.ts";
import { commandsOf, type Step } from "./step.ts";

export interface KnownEventDifference {
  readonly about: string;
  readonly reason: string;
  readonly matches: (words: readonly string[]) => boolean;
  readonly normalise: (events: StepEvents) => StepEvents;
}

export const KNOWN_EVENT_DIFFERENCES: readonly KnownEventDifference[] = [
  {
    about: "keymiss of SORT … BY and GET",
    reason: "Redis looks the keys up in the order of its hash table, which its random seed decides",
    matches: ([name = ""]) => /^sort(_ro)?$/i.test(name),
    normalise: (events) => {
      const isMiss = (event: string) => event.split(" ")[1] === "keymiss";
      const rest = events.filter((event) => !isMiss(event));
      return [...events.filter(isMiss).sort(), ...rest];
    },
  },
];

/** The events of a step, in the form in which they are compared. */
export function comparable(step: Step, events: StepEvents): StepEvents {
  const commands = commandsOf(step);
  return KNOWN_EVENT_DIFFERENCES.filter(({ matches }) =>
    commands.some(({ words }) => matches(words)),
  ).reduce((rest, known) => known.normalise(rest), events);
}
