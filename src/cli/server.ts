/**
 * Runs a kernel until somebody wants it to stop: SIGTERM, SIGINT, a client's SHUTDOWN. The first
 * wish stops in order, when replicas have caught up or their time is over, and ends with exit code 0; a second signal
 * does not wait any longer, unless it comes so soon that it is the first one twice. A defect of kvdb stops it in order too,
 * as far as that goes, and is the exit code.
 */
import { asKvdbError, type KvdbError } from "../errors.ts";
import { combineErrors } from "../kernel/combined-error.ts";
import type { LoadedConfig, WrittenConfig } from "../kernel/config.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { Reload } from "../kernel/reload.ts";
import type { Role } from "../kernel/role.ts";
import { createLog, type Log } from "../platform/log.ts";
import type { LogFile } from "../platform/log-file.ts";
import { openPurpose, prepareKernel } from "./data.ts";
import { StopEcho } from "./stop-echo.ts";
import { watchUncaught } from "./uncaught.ts";
import type { World } from "./world.ts";

export interface ServerRun {
  readonly loaded: LoadedConfig;
  readonly recover: boolean;
  /** Default: a server. */
  readonly role?: Role;
  /** Reads the configuration again. Absent where no signal is to do that. */
  readonly reread?: Reread;
}

interface Reread {
  /** As it was read for the start. */
  readonly from: Loaded;
  read(): Promise<Loaded>;
}

type Loaded = LoadedConfig & WrittenConfig;

export async function runServer(options: ServerRun, world: World): Promise<number> {
  const { logFile } = options.loaded.config;
  if (logFile === undefined || options.role !== undefined) return runWith(options, world);
  const file = world.openLogFile(logFile);
  const stopReopening = world.onReloadSignal(() => reopen(file, world));
  const platform = { ...world.platform, writeLog: file.write };
  // Nothing is drawn for a person: who looks at the terminal would see no lines between.
  const console = { ...world.console, errorIsTerminal: false };
  try {
    return await runWith(options, { ...world, platform, console });
  } finally {
    stopReopening();
    file.close();
  }
}

/** It was renamed by who rotates it. */
function reopen(file: LogFile, { platform }: World): void {
  try {
    file.reopen();
  } catch (error) {
    const log = createLog({ clock: platform.clock, level: () => "error", write: file.write });
    log.error("the log cannot be opened again", { error: asKvdbError(error).message });
  }
}

async function runWith(options: ServerRun, world: World): Promise<number> {
  const wish = new StopWish();
  const errors: KvdbError[] = [];
  const unwatch = watchUncaught(world, (defect) => {
    if (errors.length === 0) errors.push(defect);
    wish.grant("a defect");
  });
  let signals = 0;
  const askByName = async (signal: string) => {
    // Called off: the next one is the first one again.
    if (!(await wish.ask(signal))) signals = 0;
  };
  const echo = new StopEcho(world.platform.clock);
  const unsubscribe = world.onStopSignal((signal) => {
    // A window that is closed says it twice, the system and the shell in it: nobody is impatient.
    if (signals > 0 && (signal === "SIGHUP" || echo.isAround)) return;
    echo.note();
    signals++;
    if (signals > 1) world.exitNow(1);
    else void askByName(signal);
  });
  try {
    await serve(options, wish, world);
  } catch (error) {
    throw combineErrors([...errors, error]);
  } finally {
    unwatch();
    unsubscribe();
  }
  if (errors.length > 0) throw combineErrors(errors);
  return 0;
}

async function serve(
  { loaded, recover, reread, role = "server" }: ServerRun,
  wish: StopWish,
  world: World,
): Promise<void> {
  const kernel = await prepareKernel(
    { loaded, purpose: openPurpose(recover), role, onStopRequest: () => wish.grant("a client") },
    world,
  );
  wish.prepare = () => kernel.engine.shutdown.awaitReplicas();
  // Both from now on: a wish to stop counts while the start is under way, too.
  const stopped = wish.granted.then((who) => {
    kernel.log.info("stopping", { asked: who });
    return kernel.stop();
  });
  const stopReloading = reread && reloadAtSignal(kernel, reread, world);
  try {
    const started = await Promise.race([kernel.start(), stopped]);
    if (started !== "ready") await kernel.start();
    await stopped;
  } finally {
    stopReloading?.();
  }
  // The last line: whoever waits for the end knows that all is synced and the folder free.
  kernel.log.info("stopped");
}

/** The wish to stop, and what comes before it is granted. */
class StopWish {
  readonly #granted = Promise.withResolvers<string>();
  /** Resolves to false when the wish is called off. */
  prepare: () => Promise<boolean> = async () => true;

  /** Resolves to who wanted it. */
  get granted(): Promise<string> {
    return this.#granted.promise;
  }

  async ask(who: string): Promise<boolean> {
    const mayStop = await this.prepare();
    if (mayStop) this.grant(who);
    return mayStop;
  }

  grant(who: string): void {
    this.#granted.resolve(who);
  }
}

/**
 * One after the other, however many signals come; those that come meanwhile are one. What comes while the data is loaded
 * waits for the end of it.
 */
function reloadAtSignal(kernel: Kernel, { from, read }: Reread, world: World): () => void {
  const log = kernel.log.child("config");
  const reload = new Reload(from, { parameters: kernel.engine.parameters, log });
  let isReading = false;
  let isWanted = false;
  const run = async () => {
    isReading = true;
    await Promise.allSettled([kernel.start()]);
    while (isWanted) {
      isWanted = false;
      await readAgain(reload, read, log);
      await kernel.reloadFiles();
    }
    isReading = false;
  };
  return world.onReloadSignal(() => {
    isWanted = true;
    if (!isReading) void run();
  });
}

/** A configuration that is wrong changes nothing. */
async function readAgain(reload: Reload, read: Reread["read"], log: Log): Promise<void> {
  try {
    reload.apply(await read());
  } catch (error) {
    const lines = asKvdbError(error).message.split("\n");
    for (const line of lines) log.error(line);
    log.error("reload refused, nothing was changed", { faults: lines.length });
  }
}
