/**
 * The instances of a kernel: what the factories of the chosen plugins return, judged before anything is
 * opened. Every fault of every plugin is told, with its name.
 */
import { join } from "node:path";
import { asKvdbError, KvdbError } from "../errors.ts";
import { DefinitionError } from "../index/definition.ts";
import { SOCKET_NAME } from "../platform/folder-lock.ts";
import type { Durability, Frontend, Persistence, PersistenceAbilities } from "../plugin.ts";
import type { AnyPlugin } from "./builtins.ts";
import { combineErrors } from "./combined-error.ts";
import { checkCommands } from "./command-check.ts";
import type { Config } from "./config.ts";
import { formatIssue } from "./config-issues.ts";
import { configureUsers } from "./configured-users.ts";
import {
  addParameter,
  frontendContext,
  type Host,
  persistenceContext,
  pluginContext,
} from "./context.ts";
import { GuardedPersistence } from "./guarded-persistence.ts";
import { checkIndexKinds } from "./index-kind-check.ts";
import { pathOf, pointerOf } from "./json-pointer.ts";
import type { Selected, Selection } from "./loader.ts";
import {
  fixedParameters,
  foreignParameters,
  kernelParameters,
  type LogThreshold,
} from "./parameters.ts";

export interface FrontendInstance {
  readonly name: string;
  readonly frontend: Frontend;
}

export interface Instances {
  readonly persistence: Persistence;
  /** What it is an instance of. */
  readonly chosen: Selected;
  readonly frontends: readonly FrontendInstance[];
  readonly socket: FrontendInstance | undefined;
}

const DURABILITIES: readonly Durability[] = ["always", "everysec", "no", "none"];

/** Calls every factory, also after one threw, so that all faults are told at once. */
export function instantiate(selection: Selection, host: Host, threshold: LogThreshold): Instances {
  const chosen = selection.persistence as Selected;
  let persistence: Persistence | undefined;
  const { config, engine } = host;
  const durability = () => persistence?.durability ?? "none";
  // First, so that no plugin can take a name that belongs to the kernel.
  for (const parameter of kernelParameters({ config, engine, threshold })) {
    addParameter(host, "kvdb", parameter);
  }
  const errors: KvdbError[] = [];
  for (const one of selection.indexes) {
    attempt(one, "making kinds of indexes", errors, () => addIndexKinds(one, host, errors));
  }
  configureIndexes(host, errors);
  for (const one of selection.commands) {
    attempt(one, "making commands", errors, () => addCommands(one, host, errors));
  }
  // Rules may name what plugins have brought.
  configureUsers(host, errors);
  persistence = attempt(chosen, "making the persistence", errors, () =>
    makePersistence(chosen, host),
  );
  // Tools ask for them before anything else; a persistence may know better.
  for (const parameter of foreignParameters(durability)) {
    if (!host.parameters.has(parameter.name)) addParameter(host, "kvdb", parameter);
  }
  const frontends = selection.frontends.map((one) =>
    attempt(one, "making the frontend", errors, () => makeFrontend(one, host)),
  );
  for (const parameter of fixedParameters()) {
    if (!engine.parameters.has(parameter.name)) addParameter(host, "kvdb", parameter);
  }
  if (persistence === undefined || errors.length > 0) throw combineErrors(errors);
  return {
    persistence,
    chosen,
    frontends: frontends.filter((one) => one !== undefined),
    socket: selection.socket && makeFrontend(socketOf(selection.socket, config), host),
  };
}

/** Options that no configuration can give: the frontend's schema does not have them. */
function socketOf({ plugin, source }: Selected, { dir }: Config): Selected {
  return {
    plugin,
    source,
    options: { port: 0, unixsocket: join(dir, SOCKET_NAME), ownerOnly: true },
  };
}

function attempt<Result>(
  selected: Selected,
  doing: string,
  errors: KvdbError[],
  run: () => Result,
): Result | undefined {
  try {
    return run();
  } catch (error) {
    errors.push(asKvdbError(error).prefix(`plugin "${selected.plugin.name}": ${doing}`));
    return undefined;
  }
}

function addCommands({ plugin, options }: Selected, host: Host, errors: KvdbError[]): void {
  const made = plugin.commands?.(options as never, pluginContext(host, plugin.name));
  const { commands, faults } = checkCommands(made, host.engine.commands);
  for (const fault of faults) {
    errors.push(new KvdbError("CONFIG", `plugin "${plugin.name}": ${fault}`));
  }
  host.engine.registerCommands(plugin.name, commands);
}

function addIndexKinds({ plugin, options }: Selected, host: Host, errors: KvdbError[]): void {
  const made = plugin.indexes?.(options as never, pluginContext(host, plugin.name));
  const { kinds, faults } = checkIndexKinds(made, new Set(host.engine.indexKinds.keys()));
  for (const fault of faults) {
    errors.push(new KvdbError("CONFIG", `plugin "${plugin.name}": ${fault}`));
  }
  host.engine.registerIndexKinds(plugin.name, kinds);
}

/** What the configuration says of indexes is judged before anything is opened. */
function configureIndexes({ config, engine, placeOf }: Host, errors: KvdbError[]): void {
  for (const [name, { database = 0, ...given }] of Object.entries(config.indexes)) {
    try {
      engine.wantIndex(database, name, given);
    } catch (error) {
      const word = error instanceof DefinitionError ? error.word : "";
      const pointer = pointerOf(["indexes", name, ...(word === "" ? [] : [word])]);
      const { message } = asKvdbError(error, "CONFIG");
      const issue = { place: placeOf(pointer), path: pathOf(pointer), message };
      errors.push(new KvdbError("CONFIG", formatIssue(issue), { cause: error }));
    }
  }
}

function makePersistence({ plugin, options }: Selected, host: Host): Persistence {
  const made = plugin.persistence?.(options as never, persistenceContext(host, plugin.name));
  const persistence = checkInstance(made, ["open", "load", "append", "flush", "close"]);
  if (!DURABILITIES.includes(persistence.durability)) {
    throw new TypeError(
      `the factory returned a durability that is none of ${DURABILITIES.join(", ")}`,
    );
  }
  checkAbilities(persistence, plugin);
  if (host.isBuiltin(plugin.name)) return persistence;
  return new GuardedPersistence(persistence, plugin.name, host.faults);
}

/** What it says of itself must fit together, and with what the plugin has. */
function checkAbilities(persistence: Persistence, plugin: AnyPlugin): void {
  const supports: Partial<PersistenceAbilities> | undefined = persistence.supports;
  if (typeof supports?.records !== "boolean" || typeof supports.checkpoints !== "boolean") {
    throw new TypeError("the factory returned no `supports` with records and checkpoints");
  }
  if (supports.redisWords !== undefined && typeof supports.redisWords !== "boolean") {
    throw new TypeError("`supports.redisWords` is neither true nor false");
  }
  if (supports.records === (persistence.durability === "none")) {
    throw new TypeError('durability is "none" if, and only if, `supports.records` is false');
  }
  if (!supports.checkpoints) return;
  const optional = ["beginCheckpoint", "checkpointed"] as const;
  checkInstance(
    persistence,
    optional.filter((method) => persistence[method] !== undefined),
  );
  if (typeof plugin.writeCheckpoint !== "function") {
    throw new TypeError("it supports checkpoints, but the plugin has no writeCheckpoint");
  }
}

function makeFrontend({ plugin, options }: Selected, host: Host): FrontendInstance {
  const made = plugin.frontend?.(options as never, frontendContext(host, plugin.name));
  return { name: plugin.name, frontend: checkInstance(made, ["open", "close"]) };
}

/**
 * A factory that forgot to return, or a method that is missing, is told now and not at the first
 * use.
 */
function checkInstance<Instance>(made: Instance | undefined, methods: readonly string[]): Instance {
  if (made instanceof Promise) {
    throw new TypeError("the factory returned a promise: it acquires nothing, `open` may wait");
  }
  const missing = methods.filter(
    (method) => typeof (made as Record<string, unknown> | undefined)?.[method] !== "function",
  );
  if (made === undefined || missing.length > 0) {
    throw new TypeError(`the factory returned an instance without ${missing.join(", ")}`);
  }
  return made;
}
