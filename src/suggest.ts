/**
 * "Did you mean": the nearest of the names that would have been valid. Used for keys, options,
 * plugins and commands alike. Far-fetched guesses are worse than none: a third of the letters may
 * be wrong, in a short name one.
 */
import { distance } from "fastest-levenshtein";

/**
 * The nearest name, compared without regard to case; undefined when nothing is near. Never the very
 * word: who typed it knows it, and it was wrong where it stood.
 */
export function nearestName(wanted: string, names: Iterable<string>): string | undefined {
  const folded = wanted.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(folded.length / 3)) + 1;
  for (const name of names) {
    if (name === wanted) continue;
    const apart = slips(folded, name.toLowerCase());
    // A name shares at least one letter with what was meant.
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

/**
 * Levenshtein counts two letters in the wrong order (`gte`, `prot`) as two slips; the hand makes
 * one.
 */
function slips(one: string, other: string): number {
  const apart = distance(one, other);
  return apart === 2 && sorted(one) === sorted(other) ? 1 : apart;
}

function sorted(text: string): string {
  return [...text].sort().join("");
}
