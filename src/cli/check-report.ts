/**
 * What `kvdb check` has found, in words for a person and as JSON for a program. In JSON:
 *
 *   {"status":"damaged","folder":"/data","persistence":"wal","keys":11,"lastRevision":12,
 *    "entries":0,"records":11,"bytes":900,"ms":3,"clean":false,
 *    "findings":[{"kind":"damage","file":"/data/wal-00000001.log","offset":96,"bytes":84,
 *                 "reason":"…","keptIn":"/data/wal-00000001.log.damaged-96"}]}
 *
 * `status`: ok, damaged, or repaired. `clean`: the last stop was in order. `keptIn`: of a repair.
 */
import { displayPath } from "../kernel/display-path.ts";
import type { LoadAccount } from "../kernel/loading.ts";
import type { Dropped } from "../plugin.ts";
import { byteText, countText, spanText } from "../shell/amounts.ts";
import type { Paint } from "../shell/paint.ts";
import { escapeControls } from "../shell/printable.ts";

export interface CheckReport {
  readonly folder: string;
  /** The folder was opened to be recovered. */
  readonly isRepair: boolean;
  readonly account: LoadAccount;
  readonly keys: number;
  /** The next start will find again what does not fit. */
  readonly needsRecover: boolean;
}

export function hasDamage({ account }: CheckReport): boolean {
  return damageIn(account).length > 0;
}

/** As a folder is after its first start. */
export function isEmpty(report: CheckReport): boolean {
  return holdsNothing(report) && report.account.report.dropped.length === 0;
}

function holdsNothing({ account, keys }: CheckReport): boolean {
  const { lastRevision, dropped } = account.report;
  return keys === 0 && lastRevision === 0 && dropped.every(({ kind }) => kind === "note");
}

export function reportJson(report: CheckReport): string {
  const { folder, account, keys, isRepair } = report;
  const { persistence, entries, durationMs } = account;
  const { lastRevision, records, bytes, clean, dropped } = account.report;
  const status = hasDamage(report) ? (isRepair ? "repaired" : "damaged") : "ok";
  const counts = { keys, lastRevision, entries, records, bytes, ms: Math.round(durationMs), clean };
  const findings = dropped.map(findingJson);
  return `${JSON.stringify({ status, folder, persistence, ...counts, findings })}\n`;
}

/** Its fields alone: a plugin may hand over more. */
function findingJson({ kind, file, offset, bytes, reason, keptIn }: Dropped): Dropped {
  return { kind, file, offset, bytes, reason, ...(keptIn !== undefined && { keptIn }) };
}

export function reportText(report: CheckReport, currentFolder: string, paint: Paint): string {
  const { account, folder, keys, isRepair } = report;
  const { persistence, entries, durationMs } = account;
  const { lastRevision, records, bytes, dropped } = account.report;
  const shown = (path: string) => escapeControls(displayPath(path, currentFolder));
  const showing: Showing = { folder, isRepair, paint, shown };
  const lines = [
    `${shown(folder)}: persistence ${persistence}, ${countText(keys, "key")}, ` +
      `last revision ${lastRevision}`,
    `read ${readText(entries, records)}, ${byteText(bytes)}, in ${spanText(durationMs)}`,
    ...dropped.flatMap((one) => findingLines(one, showing)),
    ...verdict(report),
  ];
  return `${lines.join("\n")}\n`;
}

function readText(entries: number, records: number): string {
  const read = countText(records, "record");
  return entries === 0
    ? read
    : `${countText(entries, "entry", "entries")} of a checkpoint, ${read}`;
}

interface Showing {
  readonly folder: string;
  readonly isRepair: boolean;
  readonly paint: Paint;
  shown(path: string): string;
}

const titles = { damage: "damage", tail: "unsynced tail", note: "note" } as const;

function findingLines(
  { kind, file, offset, bytes, reason, keptIn }: Dropped,
  { folder, isRepair, shown, paint }: Showing,
): string[] {
  const title = kind === "damage" ? paint.error(titles[kind]) : titles[kind];
  // Of a record that was read whole and does not fit, nobody knows the place any more.
  const place = file === folder ? "" : ` at offset ${offset}`;
  const extent = bytes === 0 ? "" : `, ${byteText(bytes)}${place}`;
  const lines = [`${title}: ${shown(file)}${extent}`, `  ${escapeControls(reason)}`];
  if (kind === "tail") {
    const cut = isRepair ? "it was cut off" : "the next start cuts it off";
    lines.push(`  it was never said to be durable, so nothing is broken: ${cut}`);
  }
  if (keptIn !== undefined) lines.push(`  the bytes are kept in ${shown(keptIn)}`);
  return lines;
}

function verdict(report: CheckReport): string[] {
  const found = countText(damageIn(report.account).length, "piece of damage", "pieces of damage");
  if (holdsNothing(report)) {
    return ["nothing is in it: either nothing was ever written, or all its files are gone"];
  }
  if (!hasDamage(report)) {
    const sound = "ok: all that was durable is there";
    return [report.isRepair ? `${sound}; there was nothing to repair` : sound];
  }
  if (!report.isRepair) {
    return [
      `${found}: restore a backup, or let \`kvdb check --repair\` keep every intact record and put`,
      "the damaged bytes aside; what is lost is told above",
    ];
  }
  const lines = [`repaired, with ${found}: every intact record is kept, and a start works again`];
  if (report.needsRecover) {
    lines.push("but what does not fit is still in the log: the next start needs --recover too");
  }
  return lines;
}

function damageIn({ report }: LoadAccount): readonly Dropped[] {
  return report.dropped.filter(({ kind }) => kind === "damage");
}
