/**
 * The configuration of a kernel that runs: what CONFIG SET changed since the file was read, and how that gets into the file
 * (CONFIG REWRITE). A file is changed by the smallest edit, judged like at a start, and replaced as a whole.
 *
 * Invariant: what is written is what the next start reads: a file that it would refuse is not written.
 */
import { extname } from "node:path";
import { KvdbError } from "../errors.ts";
import type { WholeFiles } from "../platform/rewritten-file.ts";
import type { ConfigurationControl } from "../session/configuration.ts";
import type { ServerParameter } from "../session/server.ts";
import { type Config, type LoadedConfig, placesOf } from "./config.ts";
import { formatIssue } from "./config-issues.ts";
import { isRedisConfig, readConfigText, sectionOf } from "./config-source.ts";
import type { ConfiguredAccounts } from "./engine-port.ts";
import { pathOf, pointerOf } from "./json-pointer.ts";
import { NO_CONFIG_FILE } from "./no-persistence.ts";
import { placeParameter } from "./parameter-place.ts";

export interface ConfigurationParts {
  readonly loaded: LoadedConfig;
  readonly accounts: Pick<ConfiguredAccounts, "changedRules">;
  readonly parameters: ReadonlyMap<string, ServerParameter>;
  /** Undefined where nobody may write configuration files. */
  readonly files: WholeFiles | undefined;
}

export class Configuration implements ConfigurationControl {
  readonly #parts: ConfigurationParts;
  /** What CONFIG SET changed, by the names that a file has. */
  readonly #changed = new Map<string, ServerParameter>();
  /** One rewrite at a time: each reads the file that the one before has written. */
  #rewriting: Promise<unknown> = Promise.resolve();

  constructor(parts: ConfigurationParts) {
    this.#parts = parts;
  }

  changed(parameters: readonly ServerParameter[]): void {
    for (const one of parameters) {
      if (one.isFixed !== true) this.#changed.set(one.aliasOf ?? one.name, one);
    }
  }

  rewrite(): Promise<void> {
    const run = this.#rewriting.then(() => this.#rewrite());
    this.#rewriting = Promise.allSettled([run]);
    return run;
  }

  async #rewrite(): Promise<void> {
    const { loaded, files } = this.#parts;
    const { config, judgeFile } = loaded;
    const { file, folder } = config;
    if (file === undefined || judgeFile === undefined || files === undefined) {
      throw new KvdbError("CONFIG", `${NO_CONFIG_FILE}; \`kvdb init\` writes one`);
    }
    await files.requireOrdinary(file);
    const values = this.#values();
    const users = this.#parts.accounts.changedRules;
    const rewriting = { file, values, users, config };
    if (isRedisConfig(file)) return this.#rewriteRedis(rewriting, files);
    if (![".json", ".jsonc"].includes(extname(file))) throw byHand(rewriting);
    const before = await files.readText(file);
    const after = await rewritten(before, rewriting);
    const { value, lineOf } = readConfigText(file, after);
    const [issue] = judgeFile(value, placesOf({ file, lineOf }, folder));
    if (issue !== undefined) {
      throw new KvdbError("CONFIG", `it would not be a right configuration: ${formatIssue(issue)}`);
    }
    if (after !== before) await files.rewriteText(file, after);
  }

  async #rewriteRedis({ file, values, users }: Rewriting, files: WholeFiles): Promise<void> {
    const { setInRedisConfig } = await import("./redis-config-edit.ts");
    const aliases = [...this.#parts.parameters.values()].filter((one) => one.aliasOf !== undefined);
    const olderNames = (name: string) =>
      aliases.filter(({ aliasOf }) => aliasOf === name).map((alias) => alias.name);
    const before = await files.readText(file);
    const after = setInRedisConfig(before, { values, users, olderNames });
    if (after !== before) await files.rewriteText(file, after);
  }

  #values(): Map<string, string> {
    const values = new Map<string, string>();
    for (const [name, parameter] of this.#changed) {
      const value = parameter.get();
      if (value === undefined) throw new KvdbError("INTERNAL", `${name} cannot be read`);
      values.set(name, value);
    }
    return values;
  }
}

interface Rewriting {
  readonly file: string;
  readonly values: ReadonlyMap<string, string>;
  /** By name, with their rules; undefined: they are as they were. */
  readonly users: Readonly<Record<string, string>> | undefined;
  readonly config: Config;
}

async function rewritten(
  text: string,
  { file, values, users, config }: Rewriting,
): Promise<string> {
  // Only here: most starts rewrite nothing.
  const { setInJsonc } = await import("./jsonc-edit.ts");
  const section = sectionOf(file);
  let now = text;
  for (const [name, value] of values) {
    // Anew for each: an edit may have made the object that the next one goes into.
    const placed = placeParameter(name, value, readConfigText(file, now).value, config);
    now = setInJsonc(now, [...section, ...placed.path], placed.value);
  }
  // All of them: a password that stood there in clear is there as its hash then.
  return users === undefined ? now : setInJsonc(now, [...section, "users"], users);
}

/** Other languages have no editor that keeps comments, or are programs: a person is told what to write. */
function byHand({ file, values, users, config }: Rewriting): KvdbError {
  const lines = [...values].map(([name, text]) => {
    const { path, value } = placeParameter(name, text, { frontends: config.frontends }, config);
    return `${pathOf(pointerOf(path))} = ${JSON.stringify(value)}`;
  });
  if (users !== undefined) lines.push(`users = ${JSON.stringify(users)}`);
  const what = lines.length === 0 ? "nothing was changed by CONFIG SET" : `set ${lines.join(", ")}`;
  return new KvdbError("CONFIG", `${file} is not JSON and is not rewritten; by hand: ${what}`);
}
