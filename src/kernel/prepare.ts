/**
 * A kernel that has opened nothing yet: plugins imported and judged, engine and instances made. All
 * that can be wrong with configuration and plugins is told here, which is what `kvdb config check`
 * is after; the folder is not touched. What opens and closes it is kernel.ts.
 */
import { parseOutputLimits } from "../commands/output-limits-text.ts";
import { createLog, type Log } from "../platform/log.ts";
import { readOnlyFiles } from "../platform/read-only-files.ts";
import type { OpenPurpose } from "../plugin.ts";
import { DEFAULT_OUTPUT_LIMITS } from "../session/output-limits.ts";
import type { Builtins } from "./builtins.ts";
import { combineErrors } from "./combined-error.ts";
import type { LoadedConfig } from "./config.ts";
import { Configuration } from "./configuration.ts";
import { setParameters } from "./configured-parameters.ts";
import type { Host } from "./context.ts";
import type { CreateEngine, Engine } from "./engine-port.ts";
import { FaultLog } from "./fault-log.ts";
import { instantiate } from "./instances.ts";
import { Kernel, OPEN_LIMIT_MS, type Platform } from "./kernel.ts";
import { selectPlugins } from "./loader.ts";
import type { LoadingView } from "./loading.ts";
import { LogThreshold } from "./parameters.ts";
import { dutiesOf, type Role } from "./role.ts";

export interface KernelOptions {
  readonly loaded: LoadedConfig;
  readonly builtins: Builtins;
  /** Plugins that a program hands over as objects, by what its `plugins` call them. */
  readonly givenPlugins?: ReadonlyMap<string, unknown>;
  readonly createEngine: CreateEngine;
  readonly platform: Platform;
  readonly purpose: OpenPurpose;
  readonly role: Role;
  /** A client or a frontend wants kvdb to stop; whoever runs the kernel then calls `stop`. */
  onStopRequest(): void;
  /** Shows how far a load is. Default: the log does. */
  readonly loadingView?: LoadingView;
}

/** Rejects with everything that is wrong with configuration and plugins. */
export async function prepare(options: KernelOptions): Promise<Kernel> {
  const { loaded, platform } = options;
  const { config, warnings } = loaded;
  const duties = dutiesOf[options.role];
  const threshold = new LogThreshold(duties.quiet ? "warn" : config.logLevel);
  const log = createLog({
    clock: platform.clock,
    level: () => threshold.level,
    format: config.logFormat,
    isBrief: () => duties.brief && threshold.level !== "debug",
    write: platform.writeLog,
  });
  const selection = await selectPlugins({
    loaded,
    builtins: options.builtins,
    given: options.givenPlugins,
    withFrontends: duties.frontends,
    withSocket: duties.socket,
    files: platform.files,
    clock: platform.clock,
    importLimitMs: OPEN_LIMIT_MS,
    ...(platform.pluginFiles && { pluginFiles: platform.pluginFiles }),
  });
  if (selection.errors.length > 0) throw combineErrors(selection.errors);
  const told = duties.tells ? [...warnings, ...selection.warnings] : [];
  for (const warning of told) log.warn(warning);
  const engine = await options.createEngine({
    databases: config.databases,
    password: config.requirepass,
    maxMemoryBytes: config.memoryMaxBytes,
    memoryParameters: config.memoryParameters,
    debugCommand: config.debugCommand,
    clock: platform.clock,
    random: platform.random,
    log,
  });
  engine.events.setFlags(config.keyEvents);
  engine.outputLimits.byClass = parseOutputLimits(config.outputLimits, DEFAULT_OUTPUT_LIMITS);
  engine.onStopRequest = () => options.onStopRequest();
  const host = createHost(options, engine, log);
  engine.addInfo("server", () => ({ config_file: config.file ?? "" }));
  engine.configuration = new Configuration({
    loaded,
    accounts: engine.accounts,
    parameters: engine.parameters,
    files: platform.wholeFiles,
  });
  const instances = instantiate(selection, host, threshold);
  const ofRedis = loaded.ofRedis === true;
  const idle = setParameters(host, { allAreThere: duties.frontends, ofRedis });
  if (duties.tells && idle.length > 0) {
    log.warn("of the configuration these have no effect here", { directives: idle.join(" ") });
  }
  return new Kernel({
    host,
    platform,
    instances,
    role: options.role,
    loadingView: options.loadingView,
  });
}

function createHost(options: KernelOptions, engine: Engine, log: Log): Host {
  const { files } = options.platform;
  return {
    config: options.loaded.config,
    placeOf: options.loaded.placeOf,
    engine,
    clock: options.platform.clock,
    // A plugin that does not know this purpose must not change anything either.
    files: options.purpose.kind === "check" ? readOnlyFiles(files) : files,
    log,
    purpose: options.purpose,
    faults: new FaultLog(log, options.platform.clock),
    isBuiltin: (plugin) => Object.hasOwn(options.builtins, plugin),
    parameters: new Map(),
    reloadListeners: new Set(),
    isNewFolder: true,
    pastRevision: 0,
    terminal: options.platform.terminal,
    place: { name: options.loaded.config.dir, isRemote: false },
    requestStop: () => options.onStopRequest(),
    requestCheckpoint: (reason, kind) => engine.checkpoints.request(reason, "whenIdle", kind),
  };
}
