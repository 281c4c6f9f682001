/**
 * Reads a folder and changes nothing of it: `kvdb check` at rest, and CHECK while another instance
 * writes to it. Goes on behind damage and reports all of it.
 */
import type { LoadReport, LoadSink } from "kvdb";
import { type FolderOptions, RecoveryAccount, sizeOf } from "kvdb/persistence";
import { findParts, HeldFolder } from "./folder-parts.ts";
import { type Inventory, takeInventory } from "./inventory.ts";
import { LogReading } from "./log-reading.ts";

export async function checkFolder(options: FolderOptions, sink: LoadSink): Promise<LoadReport> {
  const { purpose } = options;
  const upTo = purpose.kind === "check" ? purpose.upTo : undefined;
  return upTo === undefined ? checkAtRest(options, sink) : checkHeld(options, sink, upTo);
}

async function checkAtRest(options: FolderOptions, sink: LoadSink): Promise<LoadReport> {
  const inventory = await takeInventory(options);
  const account = new RecoveryAccount(options, inventory, sink);
  await readAll(new LogReading(account, await findParts(options, inventory.live)));
  for (const file of inventory.leftovers) {
    account.reportLeftover(file, await sizeOf(options.files, file));
  }
  return account.report();
}

/** What lies beside the files that it names may be the other's work in progress. */
async function checkHeld(
  options: FolderOptions,
  sink: LoadSink,
  upTo: number,
): Promise<LoadReport> {
  const held = new HeldFolder(options);
  try {
    const parts = await held.open(upTo);
    const account = new RecoveryAccount(options, NOTHING_BESIDE, sink);
    await readAll(new LogReading(account, parts));
    return account.report();
  } finally {
    await held.close();
  }
}

const NOTHING_BESIDE: Inventory = {
  live: { segments: [] },
  rebuilt: false,
  highest: { segment: 0, checkpoint: 0 },
  dropped: [],
  leftovers: [],
};

async function readAll(reading: LogReading): Promise<void> {
  await reading.readCheckpoint();
  await reading.readSegments(({ recovery }) => recovery.part.reader.source.close());
}
