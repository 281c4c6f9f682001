/**
 * INDEX CHECK: whether an index has what a full scan finds, and nothing else. It is the making of another index, which keeps
 * nothing and looks instead whether the one in question has each key of each document; at its end both must have counted
 * the same. So it may take its time while documents change.
 */

import { describeKey } from "../query/index-key-text.ts";
import { jsonText, type Value } from "../query/value.ts";
import type { SlicedWork } from "../session/sliced-work.ts";
import { IndexBuild } from "./building.ts";
import type { Index, IndexKind } from "./contract.ts";
import type { Indexes } from "./indexes.ts";
import { LiveIndex } from "./live-index.ts";

/** One damage may show at every document. */
const MAX_PROBLEMS = 100;
/** Characters of a value in a problem: it is there to be recognised. */
const MAX_SHOWN_TEXT = 60;

export class IndexCheck implements SlicedWork {
  /** Nothing is kept but counts. */
  readonly changesMemory = false;
  readonly problems: string[] = [];
  /** As the scan found them. */
  entries = 0;
  documents = 0;
  readonly #target: LiveIndex;
  readonly #build: IndexBuild;

  constructor(indexes: Indexes, target: LiveIndex) {
    this.#target = target;
    const shadow = new LiveIndex({
      definition: target.definition,
      kind: comparingKind(target, (problem) => this.#note(problem)),
      database: target.database,
      onFailure: (_index, thrown) => this.#note(String(thrown)),
    });
    shadow.isReplacement = true;
    indexes.add(shadow);
    this.#build = new IndexBuild({
      indexes: [shadow],
      requireMemory: () => {},
      onEnd: (_index, failure) => {
        if (failure !== undefined) this.#note(failure.message);
        else this.#compareCounts(shadow);
        if (!shadow.isDropped) indexes.remove(shadow);
      },
    });
  }

  step(exhausted: () => boolean): boolean {
    return this.#build.step(exhausted);
  }

  #note(problem: string): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(problem);
  }

  #compareCounts(shadow: LiveIndex): void {
    const target = this.#target;
    this.entries = shadow.entries;
    this.documents = shadow.documents;
    if (target.state !== "ready") this.#note(`it is ${target.state}: ${target.failure}`);
    const counts: readonly [string, number, number | undefined][] = [
      ["entries", shadow.entries, target.size],
      ["counted entries", shadow.entries, target.entries],
      ["documents", shadow.documents, target.documents],
    ];
    for (const [what, expected, found] of counts) {
      if (found === undefined || found === expected) continue;
      this.#note(`it has ${found} ${what}, the documents have ${expected}`);
    }
  }
}

/** Of an index that looks into another one for all that it is told. */
function comparingKind(target: LiveIndex, note: (problem: string) => void): IndexKind {
  const { summary, supports, readsValues = false } = target.kind;
  const instance: Index = {
    apply: ({ document, added, valuesAfter }) => {
      const of = () => target.keysOfDocument(document).join(" or ");
      for (const key of added) {
        if (!target.has(key, document)) note(`${describeKey(key)} of ${of()} is missing`);
      }
      if (!readsValues || target.hasValues(valuesAfter, document)) return;
      note(`${valuesAfter.map(shownValue).join(", ")} of ${of()} is not there in full`);
    },
    answer: () => undefined,
  };
  return { name: "check", summary, supports, readsValues, create: () => instance };
}

function shownValue(value: Value): string {
  const text = jsonText(value);
  return text.length > MAX_SHOWN_TEXT ? `${text.slice(0, MAX_SHOWN_TEXT)}…` : text;
}
