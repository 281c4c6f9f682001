/** The host of plugins in tests: the kernel's own contexts are made of it. */
import type { Config } from "../../src/kernel/config.ts";
import type { Host } from "../../src/kernel/context.ts";
import type { Engine } from "../../src/kernel/engine-port.ts";
import { FaultLog } from "../../src/kernel/fault-log.ts";
import type { Clock } from "../../src/platform/clock.ts";
import { silentLog } from "../../src/platform/log.ts";
import { MemoryDisk } from "./memory-files.ts";

/**
 * Plugins are taken for built-in ones: what their listeners throw is not caught, so it fails the
 * test.
 */
export function createTestHost(
  parts: { readonly engine: Engine; readonly clock: Clock } & Partial<Host>,
): Host {
  return {
    config: {} as Config, // only a persistence's context takes something from it
    placeOf: () => "",
    files: new MemoryDisk().files,
    log: silentLog,
    purpose: { kind: "use" },
    faults: new FaultLog(parts.log ?? silentLog, parts.clock),
    isBuiltin: () => true,
    parameters: new Map(),
    reloadListeners: new Set(),
    pastRevision: 0,
    isNewFolder: true,
    terminal: undefined,
    place: { name: "data", isRemote: false },
    requestStop: () => {},
    requestCheckpoint: () => Promise.reject(new Error("nobody takes checkpoints here")),
    ...parts,
  };
}
