/**
 * Those that read or replace the whole state of a kernel while it goes on: checkpoints, CHECK, backups,
 * copies for replicas, the views of a program and other data in the place of all there is, put together.
 * They read images of the one snapshot worker where the role has a worker.
 * What each does is in checkpoints.ts, store-check.ts, backups.ts and read-views.ts.
 */
import { collectGarbage } from "../platform/heap.ts";
import type { WorkFolder } from "../platform/scratch-folder.ts";
import { backupTimes, requirePlace } from "./backup-config.ts";
import { Backups } from "./backups.ts";
import { Checkpoints } from "./checkpoints.ts";
import type { Host } from "./context.ts";
import { ImageCopies } from "./copy-maker.ts";
import { DataReplacements } from "./data-replacement.ts";
import type { Instances } from "./instances.ts";
import type { Platform } from "./kernel.ts";
import { ReadViews } from "./read-views.ts";
import { dutiesOf, type Role } from "./role.ts";
import { Snapshots } from "./snapshots.ts";
import { StoreCheck } from "./store-check.ts";

export interface StateReaders {
  readonly checkpoints: Checkpoints;
  readonly check: StoreCheck;
  readonly backups: Backups;
  readonly views: ReadViews;
  readonly replacements: DataReplacements;
}

export interface StateReaderParts {
  readonly host: Host;
  readonly platform: Pick<Platform, "startSnapshotWorker" | "random">;
  readonly instances: Pick<Instances, "persistence" | "chosen">;
  readonly role: Role;
  readonly openWorkFolder: (() => Promise<WorkFolder>) | undefined;
}

export function createStateReaders(parts: StateReaderParts): StateReaders {
  const { host, platform, instances, role } = parts;
  const { engine, clock, files, config } = host;
  const { persistence, chosen } = instances;
  const { plugin: definition, source, options } = chosen;
  const { name, writeCheckpoint } = definition;
  const plugin = { name, source, options, writeCheckpoint };
  const log = host.log.child("checkpoints");
  const folder = config.dir;
  const { startSnapshotWorker: startWorker } = platform;
  const snapshots = dutiesOf[role].worker
    ? new Snapshots({ engine, files, folder, clock, log, startWorker })
    : undefined;
  const shared = { engine, persistence, plugin, folder };
  const checkpoints = new Checkpoints({ ...shared, files, clock, log, worker: snapshots });
  const { databases } = config;
  const { disk } = engine;
  const check = new StoreCheck({ ...shared, databases, disk, checkpoints, snapshots });
  const { supports } = persistence;
  const { backup } = config;
  // Who only runs a command needs no place for backups.
  if (role === "server") requirePlace(backup, host.placeOf);
  const replacements = new DataReplacements({
    ...{ engine, checkpoints, writeCheckpoint, files, folder, clock },
    random: platform.random,
    log: host.log,
    collectGarbage,
    startWorker: dutiesOf[role].worker ? startWorker : undefined,
  });
  const backups = new Backups({
    ...{ engine, databases, folder, files, clock, supports, checkpoints, snapshots, startWorker },
    replacements,
    settings: backup,
    times: backupTimes(backup, clock.now(), host.placeOf),
    random: platform.random,
    log: host.log.child("backups"),
    isQuiet: dutiesOf[role].quiet,
  });
  const { openWorkFolder } = parts;
  if (snapshots !== undefined && openWorkFolder !== undefined) {
    const cut = () => engine.stream.cut();
    const copying = { snapshots, checkpoints, files, openFolder: openWorkFolder, cut };
    engine.followers.maker = new ImageCopies(copying);
  }
  const views = new ReadViews({ engine, checkpoints, snapshots, persistence });
  return { checkpoints, check, backups, views, replacements };
}
