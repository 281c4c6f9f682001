/**
 * Brings the plugins that a configuration names into memory, judges their options, and says which
 * of them shall run as what. Opens nothing and calls no factory. Every fault of every plugin is
 * collected; the caller reports them together.
 *
 * A third-party plugin has options in its entry of `plugins` and at the place that uses it; both
 * are laid together, the place winning, and judged by the plugin's one schema. Without a schema any
 * option is refused.
 */
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Files } from "../platform/files.ts";
import type { AnyPlugin, Builtins, Contribution } from "./builtins.ts";
import { type LoadedConfig, resolvePaths } from "./config.ts";
import { formatIssue } from "./config-issues.ts";
import { pathOf, pointerOf } from "./json-pointer.ts";
import { SERVER_FRONTEND } from "./overlay.ts";
import { checkPlugin } from "./plugin-check.ts";
import type { PluginFiles } from "./plugin-files.ts";
import { importPlugin } from "./plugin-import.ts";
import type { PluginSource } from "./plugin-source.ts";
import { Registry, type ThirdParty, unusedWarnings } from "./registry.ts";
import type { Use } from "./schema.ts";
import { compileValidator, validate } from "./validation.ts";

/** One instance to be: what it is made of, not made yet. */
export interface Selected {
  readonly plugin: AnyPlugin;
  readonly options: Readonly<Record<string, unknown>>;
  readonly source: PluginSource;
}

export interface Selection {
  readonly commands: readonly Selected[];
  readonly indexes: readonly Selected[];
  readonly persistence: Selected | undefined;
  readonly frontends: readonly Selected[];
  /** The frontend behind the data folder's own socket, when one is wanted. */
  readonly socket: Selected | undefined;
  readonly errors: readonly KvdbError[];
  readonly warnings: readonly string[];
}

export interface LoaderOptions {
  readonly loaded: LoadedConfig;
  readonly builtins: Builtins;
  /** Plugins that a program hands over as objects, by what its `plugins` call them. */
  readonly given?: ReadonlyMap<string, unknown> | undefined;
  /**
   * False for the one-shot command line, which lets nobody in: frontends are checked by name and
   * not imported.
   */
  readonly withFrontends: boolean;
  /** Whether other processes are to be let in through the data folder's own socket. */
  readonly withSocket: boolean;
  readonly files: Pick<Files, "exists" | "list">;
  readonly clock: Clock;
  readonly importLimitMs: number;
  readonly pluginFiles?: PluginFiles;
}

export async function selectPlugins(options: LoaderOptions): Promise<Selection> {
  const loader = new Loader(options);
  await loader.importAll();
  return loader.select();
}

class Loader {
  readonly #options: LoaderOptions;
  readonly #registry: Registry;
  readonly #errors: KvdbError[] = [];
  /** Name of a plugin to the entry that brought it. */
  readonly #taken = new Map<string, string>();
  /** Some plugin could not be loaded, so that its name is not known. */
  #isIncomplete = false;

  constructor(options: LoaderOptions) {
    this.#options = options;
    this.#registry = new Registry(options.builtins);
  }

  /** One after the other: a plugin may rely on what an earlier one did when it was imported. */
  async importAll(): Promise<void> {
    for (const [index, entry] of this.#options.loaded.config.plugins.entries()) {
      const pointer = pointerOf(["plugins", index]);
      try {
        await this.#import(entry, pointer);
      } catch (error) {
        this.#isIncomplete = true;
        this.#fail(pointer, entry.use, asKvdbError(error));
      }
    }
  }

  async select(): Promise<Selection> {
    const { config } = this.#options.loaded;
    const { persistence: wanted } = config;
    const persistence = await this.#selectUse("persistence", wanted, "/persistence");
    const frontends: Selected[] = [];
    for (const [index, use] of config.frontends.entries()) {
      const frontend = await this.#selectUse("frontend", use, pointerOf(["frontends", index]));
      if (frontend !== undefined) frontends.push(frontend);
    }
    const socket = this.#options.withSocket ? await this.#selectSocket() : undefined;
    const thirdParty = this.#selectThirdParty();
    const indexes: Selected[] = [];
    for (const name of this.#registry.builtinsWith("indexes")) {
      const builtin = await this.#loadBuiltin({ use: name, options: {} }, "");
      if (builtin !== undefined) indexes.push(builtin);
    }
    const used = new Set([wanted.use, ...config.frontends.map(({ use }) => use)]);
    return {
      commands: thirdParty.filter(({ plugin }) => plugin.commands !== undefined),
      indexes: [...indexes, ...thirdParty.filter(({ plugin }) => plugin.indexes !== undefined)],
      persistence,
      frontends,
      socket,
      errors: this.#errors,
      warnings: unusedWarnings(this.#registry, used),
    };
  }

  async #import(entry: Use, pointer: string): Promise<void> {
    const { builtins, given, pluginFiles } = this.#options;
    if (this.#registry.builtin(entry.use) !== undefined) {
      throw new KvdbError(
        "CONFIG",
        "is built in: it is used by its name, without being listed here",
      );
    }
    let file: string | undefined;
    const onFile = (path: string) => {
      file = path;
      pluginFiles?.add(path, entry.use);
    };
    const exported = given?.has(entry.use)
      ? given.get(entry.use)
      : await this.#importFile(entry.use, onFile);
    const { plugin, faults } = checkPlugin(exported, Object.keys(builtins), this.#taken);
    if (plugin === undefined) {
      this.#isIncomplete = true;
      for (const fault of faults) this.#fail(pointer, entry.use, new KvdbError("CONFIG", fault));
      return;
    }
    this.#taken.set(plugin.name, entry.use);
    if (file !== undefined) pluginFiles?.add(file, plugin.name);
    const { schema } = plugin;
    const validator = schema === undefined ? undefined : await compile(schema);
    this.#registry.add({ plugin, entry, pointer, validator });
  }

  #importFile(use: string, onFile: (path: string) => void): Promise<unknown> {
    const { loaded, files, clock, importLimitMs } = this.#options;
    const { folder } = loaded.config;
    return importPlugin(use, { folder, files, clock, limitMs: importLimitMs, onFile });
  }

  async #selectUse(wanted: Contribution, use: Use, pointer: string): Promise<Selected | undefined> {
    const fault = this.#registry.fault(use.use, wanted);
    // It may be the name of the plugin that could not be loaded, which has been told.
    if (fault !== undefined && this.#isIncomplete && this.#registry.isStrange(use.use)) {
      return undefined;
    }
    if (fault !== undefined) {
      this.#issue(pointer, fault);
      return undefined;
    }
    if (wanted === "frontend" && !this.#options.withFrontends) return undefined;
    const third = this.#registry.thirdParty(use.use);
    if (third !== undefined) {
      return this.#judge(third, { ...third.entry.options, ...use.options }, pointer);
    }
    return this.#loadBuiltin(use, pointer);
  }

  #selectSocket(): Promise<Selected | undefined> {
    return this.#loadBuiltin({ use: SERVER_FRONTEND, options: {} }, "");
  }

  async #loadBuiltin(use: Use, pointer: string): Promise<Selected | undefined> {
    try {
      const module = await this.#registry.builtin(use.use)?.load();
      if (module === undefined) return undefined;
      const source = { kind: "builtin", name: use.use } as const;
      return { plugin: module.default, options: use.options, source };
    } catch (error) {
      this.#fail(pointer, use.use, asKvdbError(error).prefix("importing"));
      return undefined;
    }
  }

  /**
   * Entries of `plugins` that bring commands or kinds of indexes, and for what else they bring a
   * judgement of options that nobody uses.
   */
  #selectThirdParty(): Selected[] {
    const { config } = this.#options.loaded;
    const used = new Set([config.persistence.use, ...config.frontends.map(({ use }) => use)]);
    const selected: Selected[] = [];
    for (const third of this.#registry.allThirdParty()) {
      const { commands, indexes } = third.plugin;
      const brings = commands !== undefined || indexes !== undefined;
      if (!brings && used.has(third.plugin.name)) continue;
      const judged = this.#judge(third, third.entry.options, third.pointer);
      if (brings && judged !== undefined) selected.push(judged);
    }
    return selected;
  }

  #judge(
    third: ThirdParty,
    given: Readonly<Record<string, unknown>>,
    pointer: string,
  ): Selected | undefined {
    const { plugin, validator } = third;
    const source = this.#sourceOf(third);
    const { config, placeOf } = this.#options.loaded;
    if (validator === undefined || plugin.schema === undefined) {
      const keys = Object.keys(given);
      for (const key of keys) {
        this.#issue(pointer + pointerOf([key]), `plugin "${plugin.name}" takes no options`);
      }
      return keys.length > 0 ? undefined : { plugin, options: given, source };
    }
    const options = structuredClone(given);
    const issues = validate(options, { validator, schema: plugin.schema, pointer, placeOf });
    for (const issue of issues) {
      this.#errors.push(
        new KvdbError("CONFIG", formatIssue(issue)).prefix(`plugin "${plugin.name}"`),
      );
    }
    if (issues.length > 0) return undefined;
    return { plugin, options: resolvePaths(options, plugin.schema, config.folder), source };
  }

  #sourceOf({ entry: { use } }: ThirdParty): PluginSource {
    const { given, loaded } = this.#options;
    if (given?.has(use)) return { kind: "given" };
    return { kind: "file", use, folder: loaded.config.folder };
  }

  #issue(pointer: string, message: string): void {
    const place = this.#options.loaded.placeOf(pointer);
    this.#errors.push(
      new KvdbError("CONFIG", formatIssue({ place, path: pathOf(pointer), message })),
    );
  }

  #fail(pointer: string, name: string, error: KvdbError): void {
    const place = this.#options.loaded.placeOf(pointer);
    const where = formatIssue({ place, path: pathOf(pointer), message: `plugin "${name}"` });
    this.#errors.push(error.prefix(where));
  }
}

async function compile(schema: object) {
  try {
    return await compileValidator(schema);
  } catch (error) {
    throw asKvdbError(error, "CONFIG").prefix("its schema is not one");
  }
}
