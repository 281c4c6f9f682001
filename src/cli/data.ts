/**
 * The way to the data of a folder: opened here, or, when another process holds it, through the socket
 * that it has announced. Whoever runs commands need not notice which.
 *
 * A holder without a socket is a one-shot command, or is about to start or to end: it is waited for.
 */
import type { Link, LinkMessages } from "../client/link.ts";
import { KvdbError } from "../errors.ts";
import type { LoadedConfig } from "../kernel/config.ts";
import type { Kernel, Platform } from "../kernel/kernel.ts";
import { LocalLink } from "../kernel/local-link.ts";
import { prepare } from "../kernel/prepare.ts";
import { dutiesOf, type Role } from "../kernel/role.ts";
import {
  type FolderLock,
  type LockHolder,
  type LockOptions,
  readLockHolder,
} from "../platform/folder-lock.ts";
import type { OpenPurpose } from "../plugin.ts";
import { forwarding, isHeld, pause, reach } from "./holder.ts";
import { loadingLine } from "./loading-line.ts";
import type { World } from "./world.ts";

/** How long a holder that lets nobody in is waited for. A one-shot command takes some 30 ms. */
const WAIT_LIMIT_MS = 10_000;
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;

export interface DataOptions {
  readonly loaded: LoadedConfig;
  readonly purpose: OpenPurpose;
  readonly role: Role;
  onStopRequest(): void;
  /** Of who listens to messages. */
  readonly messages?: LinkMessages;
}

/** `--recover`, or not. */
export function openPurpose(recover: boolean): OpenPurpose {
  return { kind: recover ? "recover" : "use" };
}

/** The folder is held by this process. */
export interface OwnData {
  readonly kernel: Kernel;
  readonly link: LocalLink;
  /** Who runs kvdb on the folder itself. */
  readonly holder?: undefined;
}

/** Another process holds it, and runs what is sent through the link. */
export interface ForwardedData {
  readonly link: Link;
  readonly holder: LockHolder;
}

/**
 * Nothing is open yet; the command table is known. Its start waits for a one-shot command that holds
 * the folder.
 */
export function prepareKernel(options: DataOptions, world: World): Promise<Kernel> {
  const { loaded, purpose, role, onStopRequest } = options;
  const { platform } = world;
  const { frontends } = loaded.config;
  const loadingView = loadingLine(dutiesOf[role].frontends ? frontends : [], world);
  const writeLog =
    loadingView === undefined ? platform.writeLog : (line: string) => loadingView.writeLog(line);
  return prepare({
    loaded,
    builtins: world.builtins,
    createEngine: world.createEngine,
    platform: { ...platform, lockFolder: patientLock(platform), writeLog },
    purpose,
    role,
    onStopRequest,
    ...(loadingView && { loadingView }),
  });
}

/** Starts the kernel, or reaches the process that holds its folder. */
export async function openData(
  kernel: Kernel,
  options: DataOptions,
  world: World,
): Promise<OwnData | ForwardedData> {
  const { clock, files } = world.platform;
  const deadlineMs = clock.monotonicMs() + WAIT_LIMIT_MS;
  for (;;) {
    try {
      await kernel.start();
      const client = { ...COMMAND_LINE, ...options.messages };
      return { kernel, link: new LocalLink(kernel.engine, client, "internal") };
    } catch (error) {
      // A damaged folder is recovered by who opens it, not by who holds it already.
      if (!isHeld(error) || options.purpose.kind === "recover") throw error;
      const holder = await readLockHolder(files, options.loaded.config.dir);
      const link = await reach(holder, clock, options.messages);
      if (holder !== undefined && link !== undefined) {
        const view = loadingLine([], world);
        return { holder, link: forwarding(link, clock, view) };
      }
      if (clock.monotonicMs() >= deadlineMs) throw unreachable(error, holder);
    }
    // It ended in this moment: the folder is free, or another one has it now.
    await pause(clock, LONGEST_PAUSE_MS);
    kernel = await prepareKernel(options, world);
  }
}

/** What CLIENT LIST shows. */
const COMMAND_LINE = { address: "command line", trusted: true };

/** Stopped, or its socket was removed, or somebody else listens there. */
function unreachable(held: KvdbError, holder: LockHolder | undefined): KvdbError {
  if (holder?.socket === undefined) return held;
  const message = `${held.message}, which does not answer at ${holder.socket}`;
  return new KvdbError("HELD", message, { cause: held });
}

/** Waits for a holder that lets nobody in; one that has announced its socket is an error at once. */
export function patientLock(platform: Platform): Platform["lockFolder"] {
  return async (folder: string, options: LockOptions): Promise<FolderLock> => {
    const deadlineMs = platform.clock.monotonicMs() + WAIT_LIMIT_MS;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return await platform.lockFolder(folder, options);
      } catch (error) {
        if (!isHeld(error) || platform.clock.monotonicMs() >= deadlineMs) throw error;
        const holder = await readLockHolder(platform.files, folder);
        if (holder?.socket !== undefined) throw error;
      }
      await pause(platform.clock, pauseMs);
    }
  };
}
