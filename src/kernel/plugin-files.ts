/**
 * Files that plugins of others were imported from, and whose code an exception comes from that nobody caught. It is told
 * from the stack alone: a frame in a plugin's file, in its folder, in any file that is not kvdb's own. Errors of files and
 * sockets may have no frame at all; kvdb awaits whatever can fail, which leaves a frame, so those are a plugin's too.
 *
 * Invariant: without a plugin, and for a broken invariant, it is always kvdb.
 */
import { dirname, sep } from "node:path";
import { AssertionError } from "../assert.ts";

/** A place in a frame: `at run (/plugins/slug.ts:3:5)`, `at async /plugins/slug.ts:3:5`. */
const PLACE = /[\s(]((?:\/|[A-Za-z]:[\\/]).*?):\d+(?::\d+)?\)?$/;

export class PluginFiles {
  readonly #ownFolder: string;
  /** The real path of a file, and how messages name what came from it. */
  readonly #titles = new Map<string, string>();

  /** `ownFolder`: below it lies kvdb's own code, as stacks name it. */
  constructor(ownFolder: string) {
    this.#ownFolder = ownFolder;
  }

  /** Before the file is imported, and again when its plugin's name is known. */
  add(file: string, name: string): void {
    this.#titles.set(file, `plugin "${name}"`);
  }

  /** Whose code threw this, as messages name it; undefined: kvdb's own. */
  culprit(thrown: unknown): string | undefined {
    if (thrown instanceof AssertionError) return undefined;
    const places = placesIn(thrown);
    const foreign = places.filter((place) => !place.startsWith(this.#ownFolder + sep));
    for (const place of foreign) {
      const title = this.#titles.get(place);
      if (title !== undefined) return title;
    }
    const [first] = foreign;
    if (first !== undefined) return this.#neighbour(first) ?? `the code in ${first}`;
    return places.length === 0 && this.#titles.size > 0 ? this.#anyone() : undefined;
  }

  /** The plugin with the nearest folder around the file, if that is one alone. */
  #neighbour(place: string): string | undefined {
    const around = [...this.#titles]
      .map(([file, title]) => ({ folder: dirname(file), title }))
      .filter(({ folder }) => place.startsWith(folder + sep));
    const nearest = Math.max(...around.map(({ folder }) => folder.length));
    const near = around.filter(({ folder }) => folder.length === nearest);
    return near.length === 1 ? near[0]?.title : undefined;
  }

  #anyone(): string {
    const [only, ...others] = this.#titles.values();
    return only !== undefined && others.length === 0 ? only : "one of the plugins";
  }
}

/** Paths of the frames, innermost first. What is no Error has none. */
function placesIn(thrown: unknown): string[] {
  if (!(thrown instanceof Error) || typeof thrown.stack !== "string") return [];
  const frames = thrown.stack.split("\n").filter((line) => /^\s+at /.test(line));
  return frames.flatMap((frame) => PLACE.exec(frame)?.[1] ?? []);
}
