/**
 * Reads a folder and changes nothing of it: `kvdb check` at rest, and CHECK while another instance
 * writes to it. Goes on behind damage and reports all of it.
 */
import type { LoadReport, LoadSink } from "../plugin.ts";
import { sizeOf } from "./folder-files.ts";
import { type FolderParts, findParts, HeldFolder, type NamedFiles } from "./folder-parts.ts";
import { type FolderOptions, type FoundFolder, RecoveryAccount } from "./recovery-account.ts";

/** What lies in a folder at rest. */
export interface FolderInventory<Checkpoint, Entry> {
  readonly found: FoundFolder;
  readonly named: NamedFiles<Checkpoint, Entry>;
  /** Paths of files that may go. */
  readonly leftovers: readonly string[];
}

/** How a plugin's folder is read. */
export interface CheckForm<Checkpoint, Entry> {
  takeInventory(): Promise<FolderInventory<Checkpoint, Entry>>;
  /** What the manifest says now; rejects when it cannot be read. */
  readNamed(): Promise<NamedFiles<Checkpoint, Entry>>;
  /** Reads all of them, and closes what it opens. */
  readAll(account: RecoveryAccount, parts: FolderParts<Checkpoint, Entry>): Promise<void>;
}

export async function checkFolder<Checkpoint, Entry>(
  options: FolderOptions,
  form: CheckForm<Checkpoint, Entry>,
  sink: LoadSink,
): Promise<LoadReport> {
  const { purpose } = options;
  const upTo = purpose.kind === "check" ? purpose.upTo : undefined;
  if (upTo === undefined) return checkAtRest(options, form, sink);
  const held = new HeldFolder(options.files, form.readNamed);
  try {
    const parts = await held.open(upTo);
    // What lies beside the files that the manifest names may be the other's work in progress.
    const account = new RecoveryAccount(options, { dropped: [], rebuilt: false }, sink);
    await form.readAll(account, parts);
    return account.report();
  } finally {
    await held.close();
  }
}

async function checkAtRest<Checkpoint, Entry>(
  options: FolderOptions,
  form: CheckForm<Checkpoint, Entry>,
  sink: LoadSink,
): Promise<LoadReport> {
  const { found, named, leftovers } = await form.takeInventory();
  const account = new RecoveryAccount(options, found, sink);
  await form.readAll(account, await findParts(options, named));
  for (const file of leftovers) {
    account.reportLeftover(file, await sizeOf(options.files, file));
  }
  return account.report();
}
