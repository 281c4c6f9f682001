/**
 * The way to the data of a folder: opened here, or, when another process holds it, through the socket
 * that it has announced. Whoever runs commands need not notice which.
 *
 * A holder without a socket is a one-shot command, or is about to start or to end: it is waited for.
 */
import { type Link, type LinkMessages, type Part, partText } from "../client/link.ts";
import { SocketLink } from "../client/socket-link.ts";
import { KvdbError } from "../errors.ts";
import type { LoadedConfig } from "../kernel/config.ts";
import type { Kernel, Platform } from "../kernel/kernel.ts";
import type { LoadingView } from "../kernel/loading.ts";
import { LocalLink } from "../kernel/local-link.ts";
import { prepare } from "../kernel/prepare.ts";
import { dutiesOf, type Role } from "../kernel/role.ts";
import type { Clock } from "../platform/clock.ts";
import {
  type FolderLock,
  type LockHolder,
  type LockOptions,
  readLockHolder,
} from "../platform/folder-lock.ts";
import type { OpenPurpose } from "../plugin.ts";
import type { Answer } from "../resp/answer.ts";
import { loadingLine } from "./loading-line.ts";
import type { World } from "./world.ts";

/** How long a holder that lets nobody in is waited for. A one-shot command takes some 30 ms. */
const WAIT_LIMIT_MS = 10_000;
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;
/** How long a holder may take to greet. One that runs does so within a turn, also while it loads. */
const GREETING_LIMIT_MS = 10_000;
/** How often a holder that still loads is asked again. */
const LOADING_PAUSE_MS = 50;

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

/** Undefined when it lets nobody in, does not answer, or has ended. */
export async function reach(
  holder: LockHolder | undefined,
  clock: Clock,
  messages: LinkMessages = {},
): Promise<Link | undefined> {
  if (holder?.socket === undefined) return undefined;
  const patience = new AbortController();
  const timer = clock.after(GREETING_LIMIT_MS, () => patience.abort());
  try {
    return await SocketLink.connect({ unix: holder.socket }, {}, patience.signal, messages);
  } catch (error) {
    if (error instanceof KvdbError && error.code === "UNAVAILABLE") return undefined;
    throw error;
  } finally {
    timer.cancel();
  }
}

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

/**
 * A holder that still reads its data says LOADING: the command waits as it would have here. One that is
 * told to stop answers by ending the connection.
 */
function forwarding(link: Link, clock: Clock, view: LoadingView | undefined): Link {
  return {
    async call(parts: readonly Part[]): Promise<Answer> {
      try {
        for (;;) {
          const answer = await link.call(parts).catch((error: unknown) => {
            const isGone = error instanceof KvdbError && error.code === "UNAVAILABLE";
            if (isGone && partText(parts[0] as Part).toUpperCase() === "SHUTDOWN") return STOPPED;
            throw error;
          });
          if (answer.kind !== "error" || answer.code !== "LOADING") return answer;
          if (view !== undefined) await showProgress(link, view);
          await pause(clock, LOADING_PAUSE_MS);
        }
      } finally {
        view?.end();
      }
    },
    close: () => link.close(),
  };
}

async function showProgress(link: Link, view: LoadingView): Promise<void> {
  const answer = await link.call(["INFO", "persistence"]);
  const text = answer.kind === "verbatim" ? answer.text : "";
  const [, total] = /^loading_total_bytes:(\d+)/m.exec(text) ?? [];
  const [, done] = /^loading_loaded_bytes:(\d+)/m.exec(text) ?? [];
  const [, indexes] = /^loading_indexes_perc:([\d.]+)/m.exec(text) ?? [];
  if (indexes !== undefined) view.indexing(Number(indexes) / 100);
  else if (done !== undefined && total !== undefined) view.progress(Number(done), Number(total));
}

const STOPPED: Answer = { kind: "status", text: "OK" };

export function isHeld(error: unknown): error is KvdbError {
  return error instanceof KvdbError && error.code === "HELD";
}

function pause(clock: Clock, durationMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(durationMs, resolve));
}
