/** What INDEX INFO says of an index, line by line. */
import { definitionText } from "./definition.ts";
import type { LiveIndex } from "./live-index.ts";

export function describeIndex(index: LiveIndex): Readonly<Record<string, string | number>> {
  const { definition, state, failure, entries, documents, multiKeyDocuments, bytes } = index;
  const { name, use, fields, prefix, isUnique, isSparse, where, options } = definition;
  return {
    name,
    kind: use,
    fields: fields.join(","),
    ...(prefix !== "" && { prefix }),
    unique: isUnique ? "yes" : "no",
    sparse: isSparse ? "yes" : "no",
    ...(where !== "" && { where }),
    ...options,
    ...index.describe(),
    state,
    ...(failure !== "" && { failure }),
    ...(state === "building" && { progress: `${Math.floor(index.progress * 100)} %` }),
    entries,
    documents,
    "documents-with-several-values": multiKeyDocuments,
    bytes,
    "bytes-per-entry": entries === 0 ? 0 : Math.round(bytes / entries),
    definition: definitionText(definition),
  };
}
