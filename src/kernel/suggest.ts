/**
 * "Did you mean": the nearest of the names that would have been valid. Used for keys, options, plugins and commands
 * alike. Far-fetched guesses are worse than none, so a third of the letters may differ, and never fewer than two.
 */
import { distance } from "fastest-levenshtein";

/** The nearest name, compared without regard to case; undefined when nothing is near. */
export function nearestName(wanted: string, names: Iterable<string>): string | undefined {
  const folded = wanted.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(folded.length / 3)) + 1;
  for (const name of names) {
    // "set" is within two letters of "get" and of "s": a name shares at least one letter with what was meant.
    const apart = distance(folded, name.toLowerCase());
    if (apart < bestDistance && apart < Math.max(folded.length, name.length)) {
      best = name;
      bestDistance = apart;
    }
  }
  return best;
}

/** `; did you mean "port"?`, or nothing: the end of a message about an unknown name. */
export function suggestion(wanted: string, names: Iterable<string>): string {
  const nearest = nearestName(wanted, names);
  return nearest === undefined ? "" : `; did you mean "${nearest}"?`;
}
