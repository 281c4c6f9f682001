/**
 * What each plugin is handed: the host's side of the contract in plugin.ts. A context belongs to
 * one plugin; its log lines and its faults carry the plugin's name. Names of parameters are checked
 * here, so that two plugins cannot take one.
 */
import { KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Files } from "../platform/files.ts";
import type { Log } from "../platform/log.ts";
import { openFilesLimit } from "../platform/open-files.ts";
import type {
  FrontendContext,
  OpenPurpose,
  PersistenceContext,
  Place,
  PluginContext,
  Terminal,
} from "../plugin.ts";
import type { ServerParameter } from "../session/server.ts";
import type { Config } from "./config.ts";
import type { Engine } from "./engine-port.ts";
import type { FaultLog } from "./fault-log.ts";
import { LocalLink } from "./local-link.ts";
import { GuardedHooks, type Hooks, plainHooks } from "./plugin-hooks.ts";

/** What a server has open beside its clients: about 25 at rest, and the files of a checkpoint and a backup. */
const RESERVED_FILES = 64;

export interface ReloadListener {
  /** Whose it is. */
  readonly plugin: string;
  run(): void | Promise<void>;
}

/** Shared by all contexts of one kernel. */
export interface Host {
  readonly config: Config;
  /** Where the configuration says what stands there (JSON Pointer). */
  readonly placeOf: (pointer: string) => string;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly files: Files;
  readonly log: Log;
  readonly purpose: OpenPurpose;
  readonly faults: FaultLog;
  isBuiltin(plugin: string): boolean;
  /** Names of CONFIG GET that are taken, and by whom. */
  readonly parameters: Map<string, string>;
  /** No run has opened the data folder before, or nobody knows. Set before the persistence is opened. */
  isNewFolder: boolean;
  /** Revisions up to this one may have been given out by earlier runs. Set before the persistence is opened. */
  pastRevision: number;
  readonly terminal: Terminal | undefined;
  readonly place: Place;
  /** Called when the configuration was read again. */
  readonly reloadListeners: Set<ReloadListener>;
  requestStop(): void;
  requestCheckpoint: PersistenceContext["requestCheckpoint"];
}

export function pluginContext(host: Host, plugin: string): PluginContext {
  return contextWith(hooksOf(host, plugin), host, plugin);
}

function hooksOf(host: Host, plugin: string): Hooks {
  return host.isBuiltin(plugin) ? plainHooks : new GuardedHooks(plugin, host.faults);
}

function contextWith(hooks: Hooks, host: Host, plugin: string): PluginContext {
  return {
    log: host.log.child(plugin),
    clock: hooks.clock(host.clock),
    files: host.files,
    addParameter: (parameter) => addParameter(host, plugin, hooks.parameter(parameter)),
    addInfo: (section, lines) => host.engine.addInfo(section, hooks.lines(section, lines)),
    onReload(run) {
      const listener = { plugin, run };
      host.reloadListeners.add(listener);
      return () => host.reloadListeners.delete(listener);
    },
  };
}

export function persistenceContext(host: Host, plugin: string): PersistenceContext {
  return {
    ...pluginContext(host, plugin),
    folder: host.config.dir,
    purpose: host.purpose,
    get isNewFolder() {
      return host.isNewFolder;
    },
    get lastRevision() {
      return Math.max(host.pastRevision, host.engine.disk.lastRevision);
    },
    get unsavedChanges() {
      return host.engine.checkpoints.of("save").changes;
    },
    requestCheckpoint: (reason, kind) => host.requestCheckpoint(reason, kind),
  };
}

export function frontendContext(host: Host, plugin: string): FrontendContext {
  const { engine } = host;
  const { disk } = engine;
  const hooks = hooksOf(host, plugin);
  return {
    ...contextWith(hooks, host, plugin),
    connect: (client) => engine.connect(hooks.client(client)),
    disconnect: (session) => engine.disconnect(session),
    lookAhead: (session, batch, count) => engine.lookAhead(session, batch, count),
    dispatch: (session, args, reply) => engine.dispatch(session, args, reply),
    statistics: engine.statistics,
    get sessionCount() {
      return engine.sessions.size;
    },
    maxConnections: openFilesLimit() - RESERVED_FILES,
    get durableRevision() {
      return disk.durableRevision;
    },
    onDurable: (listener) => disk.onDurable(hooks.listener("an onDurable listener", listener)),
    get diskFailure() {
      return disk.failure;
    },
    onDiskFailure: (listener) =>
      disk.onFailure(hooks.listener("an onDiskFailure listener", listener)),
    onTurnEnd: (listener) => engine.onTurnEnd(hooks.listener("an onTurnEnd listener", listener)),
    endTurnSoon: () => engine.endTurnSoon(),
    get acceptsInput() {
      return disk.acceptsInput;
    },
    get acceptsWrites() {
      return engine.acceptsWrites;
    },
    get turnIsFull() {
      return engine.turnIsFull;
    },
    outputLimit: (session) => engine.outputLimits.of(session),
    get protectedByPassword() {
      return engine.accounts.needsPassword;
    },
    terminal: host.terminal,
    place: host.place,
    openLink: async (client) => new LocalLink(engine, client),
    commands: async () => engine.commands.all(),
    requestStop: () => host.requestStop(),
  };
}

/**
 * A second instance of one plugin (two servers) adds the same names again: those of the first
 * stand.
 */
export function addParameter(host: Host, owner: string, parameter: ServerParameter): void {
  const name = parameter.name.toLowerCase();
  const other = host.parameters.get(name);
  if (other === owner) return;
  if (other !== undefined) {
    throw new KvdbError("CONFIG", `the parameter "${name}" is taken by "${other}"`);
  }
  host.parameters.set(name, owner);
  host.engine.addParameter(parameter);
}
