/**
 * The configuration read again while kvdb runs (SIGHUP): what changed in it since it was read last and can change at run
 * time is applied, all of it or nothing; the rest is told to need a restart. What CONFIG SET changed meanwhile stays where
 * the file says the same as before. A reload reads the file of the start and no other.
 */
import { changeParameters, RefusedChange } from "../commands/parameter-changes.ts";
import type { Log } from "../platform/log.ts";
import type { ServerParameter } from "../session/server.ts";
import type { LoadedConfig, WrittenConfig } from "./config.ts";
import { leavesOf, pathOf, pointerOf, segmentsOf, valueAt } from "./json-pointer.ts";
import { SERVER_FRONTEND } from "./overlay.ts";
import { textOfValue } from "./setting-values.ts";
import { type Setting, settings } from "./settings.ts";

type Loaded = LoadedConfig & WrittenConfig;

/** A place of the configuration that says something else than before, and what it is to CONFIG. */
interface Difference {
  readonly pointer: string;
  readonly value: unknown;
  readonly parameter: ServerParameter | undefined;
  /** As CONFIG SET takes it. */
  readonly text: string;
}

export class Reload {
  readonly #parameters: ReadonlyMap<string, ServerParameter>;
  readonly #log: Log;
  /** What holds, by place: as it was read at the start or applied since. */
  readonly #inForce: Map<string, unknown>;
  /** Where that was read; undefined: in no file yet. */
  #file: string | undefined;

  constructor(
    { config, values }: Loaded,
    { parameters, log }: { parameters: ReadonlyMap<string, ServerParameter>; log: Log },
  ) {
    this.#file = config.file;
    this.#inForce = new Map(saidIn(values));
    this.#parameters = parameters;
    this.#log = log;
  }

  /** Tells what came of it, a line each; false: nothing was changed, because it would not do. */
  apply(next: Loaded): boolean {
    for (const warning of next.warnings) this.#log.warn(warning);
    if (!this.#isSameFile(next)) return false;
    const differences = this.#differences(next);
    const possible = differences.filter(isPossible);
    const before = possible.map(({ parameter }) => parameter?.get());
    try {
      changeParameters(
        possible.map(({ parameter, text }) => ({
          parameter: parameter as ServerParameter,
          value: text,
        })),
      );
    } catch (error) {
      if (!(error instanceof RefusedChange)) throw error;
      const refused = possible.find(({ parameter }) => parameter === error.change.parameter);
      const at = this.#about(refused?.pointer ?? "", next);
      this.#log.error("reload refused, nothing was changed", { ...at, reason: error.message });
      return false;
    }
    possible.forEach(({ pointer, value, parameter }, index) => {
      this.#inForce.set(pointer, value);
      if (parameter?.get() !== before[index]) this.#log.info("applied", this.#about(pointer, next));
    });
    for (const one of differences.filter((other) => !isPossible(other))) {
      const what = isIdle(one) ? "changed, but has no effect" : "changed, but needs a restart";
      this.#log.warn(what, this.#about(one.pointer, next));
    }
    this.#log.info("the configuration was read again", { changes: differences.length });
    return true;
  }

  /**
   * A file that is gone for a moment, or one that stands before it in the search, would take away what this one says: the
   * password too.
   */
  #isSameFile({ config: { file } }: Loaded): boolean {
    if (this.#file === undefined || file === this.#file) {
      this.#file = file;
      return true;
    }
    const reason = file === undefined ? "it is gone" : `${file} is found instead`;
    this.#log.error("reload refused, nothing was changed", { file: this.#file, reason });
    return false;
  }

  /** No value: it may be a secret. */
  #about(pointer: string, { placeOf }: Loaded): { key: string; place?: string } {
    const place = placeOf(pointer);
    return { key: pathOf(pointer), ...(place !== "" && { place }) };
  }

  #differences(next: Loaded): Difference[] {
    const found = new Map(saidIn(next.values));
    const pointers = new Set([...this.#inForce.keys(), ...found.keys()]);
    return [...pointers]
      .filter((pointer) => !isSame(this.#inForce.get(pointer), found.get(pointer)))
      .map((pointer) => this.#difference(pointer, found.get(pointer), next));
  }

  #difference(pointer: string, value: unknown, { values }: Loaded): Difference {
    const [first, name = ""] = segmentsOf(pointer);
    const setting = settingAt(pointer, values);
    const parameter = this.#parameters.get(first === "parameters" ? name : (setting?.name ?? ""));
    return { pointer, value, parameter, text: textOfValue(setting ?? { kind: "yesno" }, value) };
  }
}

/** An object without keys says nothing. */
function saidIn(values: unknown): [pointer: string, value: unknown][] {
  return leavesOf(values).filter(
    ([, value]) => typeof value !== "object" || value === null || Object.keys(value).length > 0,
  );
}

/** One that is gone would need its default, which nobody tells. */
function isPossible({ parameter, value }: Difference): boolean {
  return value !== undefined && parameter?.set !== undefined && parameter.isFixed !== true;
}

/** Of a redis.conf: a directive that means nothing here, or says what cannot be. */
function isIdle({ pointer, parameter }: Difference): boolean {
  return (
    pointer.startsWith("/parameters/") && (parameter === undefined || parameter.isFixed === true)
  );
}

/** The setting that a place of the configuration is. */
function settingAt(pointer: string, values: unknown): Setting | undefined {
  const path = segmentsOf(pointer);
  return settings.find(({ target }) => {
    switch (target.of) {
      case "config":
        return pointerOf(target.path) === pointer;
      case "resp":
        return (
          path[0] === "frontends" &&
          path[2] === target.option &&
          valueAt(values, `/frontends/${path[1]}/use`) === SERVER_FRONTEND
        );
      case "appendonly":
        return pointer === "/persistence/appendonly";
      default: {
        const member = "member" in target ? [target.member] : [];
        return pointer === pointerOf(["persistence", target.option, ...member]);
      }
    }
  });
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
