/**
 * `kvdb shell`: the shell on the data folder, through the socket of the process that holds it, or on a
 * server far away. On the folder itself the shell is a frontend like another; elsewhere it is given
 * a context that leads there.
 */

import type { Link, LinkMessages } from "../client/link.ts";
import { remoteCommands } from "../client/remote-commands.ts";
import { SocketLink } from "../client/socket-link.ts";
import { KvdbError } from "../errors.ts";
import { combineErrors } from "../kernel/combined-error.ts";
import type { LoadedConfig } from "../kernel/config.ts";
import { displayPath } from "../kernel/display-path.ts";
import { SHELL_FRONTEND, type Use } from "../kernel/schema.ts";
import { type LockHolder, readLockHolder } from "../platform/folder-lock.ts";
import { createLog } from "../platform/log.ts";
import type { Place, ShellContext } from "../plugin.ts";
import { isHeld, reach } from "./holder.ts";
import type { OwnFlags } from "./invocation.ts";
import { runServer } from "./server.ts";
import { parseServerUrl } from "./server-url.ts";
import { shellOptions } from "./shell-options.ts";
import { watchUncaught } from "./uncaught.ts";
import type { World } from "./world.ts";

export interface ShellRun {
  readonly loaded: LoadedConfig;
  readonly flags: OwnFlags;
}

/** On the data folder, whoever holds it. */
export async function runShell({ loaded, flags }: ShellRun, world: World): Promise<number> {
  const { dir } = loaded.config;
  const shell = shellOf(loaded, flags);
  const config = { ...loaded.config, frontends: [shell] };
  try {
    const { recover } = flags;
    return await runServer({ loaded: { ...loaded, config }, recover, role: "shell" }, world);
  } catch (error) {
    // A damaged folder is recovered by who opens it, not by who holds it already.
    if (!isHeld(error) || flags.recover) throw error;
    const holder = await readLockHolder(world.platform.files, dir);
    if (holder?.socket === undefined) throw error;
    const name = displayPath(dir, world.surroundings.currentFolder);
    return runFarShell(
      { ...throughHolder(dir, name, holder, world), options: shell.options },
      world,
    );
  }
}

/** `kvdb shell` wants a prompt, whatever frontends the configuration names; that of the shell has its options. */
function shellOf(loaded: LoadedConfig, flags: OwnFlags): Use {
  const own = loaded.config.frontends.find(({ use }) => use === SHELL_FRONTEND);
  return {
    use: SHELL_FRONTEND,
    options: { ...own?.options, ...shellOptions(flags) },
  };
}

/** Who holds the folder is asked anew each time: after a restart it is another process. */
function throughHolder(
  dir: string,
  name: string,
  first: LockHolder,
  { platform }: World,
): Pick<FarShell, "place" | "open"> {
  let { pid } = first;
  const place: Place = {
    name,
    isRemote: false,
    get holder() {
      return `pid ${pid}`;
    },
  };
  const open = async (messages: LinkMessages) => {
    const holder = await readLockHolder(platform.files, dir);
    if (holder === undefined) {
      throw new KvdbError(
        "UNAVAILABLE",
        "the process that held the data folder has ended; " +
          "leave and start kvdb again to open the folder yourself",
      );
    }
    const link = await reach(holder, platform.clock, messages);
    if (link === undefined) {
      const message = `the process that holds the data folder (pid ${holder.pid}) does not answer`;
      throw new KvdbError("UNAVAILABLE", message);
    }
    pid = holder.pid;
    return link;
  };
  return { place, open };
}

/** `redis://[user[:password]@]host[:port][/database]`; `rediss` through TLS. */
export async function runShellAt(url: string, flags: OwnFlags, world: World): Promise<number> {
  const { name, address, credentials, database = 0 } = parseServerUrl(url, world.environment);
  const open = (messages: LinkMessages) =>
    SocketLink.connect(address, credentials, undefined, messages);
  const place = { name, isRemote: true, database };
  return runFarShell({ place, open, options: shellOptions(flags) }, world);
}

// ---- a shell without an engine ----

interface FarShell {
  readonly place: Place;
  readonly options: Use["options"];
  open(messages: LinkMessages): Promise<Link>;
}

async function runFarShell(far: FarShell, world: World): Promise<number> {
  const stop = Promise.withResolvers<void>();
  const defects: KvdbError[] = [];
  const unwatch = watchUncaught(world, (defect) => {
    defects.push(defect);
    stop.resolve();
  });
  const unsubscribe = world.onStopSignal(() => stop.resolve());
  const shell = await world.createShell(far.options, farContext(far, stop.resolve, world));
  try {
    await shell.open();
    await stop.promise;
  } finally {
    await shell.close(0);
    unsubscribe();
    unwatch();
  }
  if (defects.length > 0) throw combineErrors(defects);
  return 0;
}

function farContext(
  { place, open }: FarShell,
  stop: () => void,
  { platform }: World,
): ShellContext {
  let link: Link | undefined;
  return {
    log: createLog({ clock: platform.clock, level: () => "warn", write: platform.writeLog }),
    clock: platform.clock,
    files: platform.files,
    terminal: platform.terminal,
    place,
    async openLink(client) {
      const opened = await open(client);
      // Who listens closes it when he likes, and nothing else is asked through it.
      if (client.onMessage === undefined) link = opened;
      return opened;
    },
    async commands() {
      link ??= await open({});
      return remoteCommands(link);
    },
    requestStop: stop,
    // CONFIG and INFO are those of whoever answers.
    addParameter() {},
    addInfo() {},
    onReload: () => () => {},
  };
}
