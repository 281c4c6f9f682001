/**
 * Reads a folder and changes nothing of it: `kvdb check` at rest, and CHECK while another instance
 * writes to it. Goes on behind damage and reports all of it.
 */
import type { LoadReport, LoadSink } from "kvdb";
import { RecoveryAccount, sizeOf } from "kvdb/persistence";
import { findParts, HeldFolder } from "./folder-parts.ts";
import { type InventoryOptions, takeInventory } from "./inventory.ts";
import { LogReading } from "./log-reading.ts";

export async function checkFolder(options: InventoryOptions, sink: LoadSink): Promise<LoadReport> {
  const { purpose } = options;
  const upTo = purpose.kind === "check" ? purpose.upTo : undefined;
  return upTo === undefined ? checkAtRest(options, sink) : checkHeld(options, sink, upTo);
}

async function checkAtRest(options: InventoryOptions, sink: LoadSink): Promise<LoadReport> {
  const inventory = await takeInventory(options);
  const account = new RecoveryAccount(options, inventory, sink);
  const basePath = inventory.adopted?.path;
  const folder = basePath === undefined ? options : { ...options, basePath };
  await readAll(new LogReading(account, await findParts(folder, inventory.live)));
  for (const file of inventory.leftovers) {
    account.reportLeftover(file, await sizeOf(options.files, file));
  }
  return account.report();
}

/** What lies beside the files that it names may be the other's work in progress. */
async function checkHeld(
  options: InventoryOptions,
  sink: LoadSink,
  upTo: number,
): Promise<LoadReport> {
  const held = new HeldFolder(options);
  try {
    const parts = await held.open(upTo);
    const account = new RecoveryAccount(options, { dropped: [], rebuilt: false }, sink);
    await readAll(new LogReading(account, parts));
    return account.report();
  } finally {
    await held.close();
  }
}

async function readAll(reading: LogReading): Promise<void> {
  await reading.readBase(async () => {});
  await reading.readIncrements(({ recovery }) => recovery.part.reader.source.close());
}
