/** What `check` of a unique index does, whatever its kind. */
import type { IndexHost, Multimap } from "./contract.ts";

/**
 * Throws the error of a duplicate when one of the keys that come is taken, or comes twice. `stored`: as the map has a key,
 * when it has it otherwise.
 */
export function requireUnique(
  host: IndexHost,
  map: Pick<Multimap, "first">,
  added: readonly Uint8Array[],
  stored: (key: Uint8Array) => Uint8Array = (key) => key,
): void {
  for (const key of added) {
    const holder = map.first(stored(key));
    if (holder !== undefined) throw host.duplicate(key, holder);
  }
}
