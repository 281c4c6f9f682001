/**
 * Indexes in an image: their contents are in its arena as the data is, and what is beside it is handed over at the instant of
 * the image. An instance keeps nothing else, so that another one over the same structures answers the same.
 */
import type { Database } from "../store/database.ts";
import type { IndexKind } from "./contract.ts";
import type { IndexDefinition } from "./definition.ts";
import { type IndexContents, LiveIndex } from "./live-index.ts";

export interface IndexImage {
  /** Number of the database. */
  readonly database: number;
  readonly definition: IndexDefinition;
  readonly kind: IndexKind;
  readonly contents: IndexContents;
}

/** Of the indexes of keys that are ready. */
export function keyIndexImages(indexes: readonly LiveIndex[]): IndexImage[] {
  return indexes
    .filter((index) => index.isKeyIndex && index.state === "ready" && !index.isReplacement)
    .map(({ database, definition, kind, contents }) => {
      return { database: database.index, definition, kind, contents };
    });
}

/** For reading: nothing may be told to it. */
export function openIndexImage(
  { definition, kind, contents }: IndexImage,
  database: Database,
): LiveIndex {
  const index = new LiveIndex({ definition, kind, database, onFailure: () => {} });
  index.adopt(contents);
  return index;
}
