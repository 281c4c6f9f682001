/**
 * What CHECK has found on a live store, in words for a person, like check-report.ts for a folder at rest. In JSON it is what
 * the command answers (commands/check.ts).
 */
import { displayPath } from "../kernel/display-path.ts";
import type { Answer } from "../resp/answer.ts";
import type { StoreReport } from "../session/server.ts";
import { byteText, countText } from "../shell/amounts.ts";
import { jsonAnswer } from "../shell/json-answer.ts";
import type { Paint } from "../shell/paint.ts";
import { escapeControls } from "../shell/printable.ts";

export interface LiveCheck {
  readonly folder: string;
  readonly pid: number;
  readonly answer: Answer;
}

/** Undefined: the holder, another kvdb perhaps, has answered something else. */
export function liveReportText(
  { folder, pid, answer }: LiveCheck,
  currentFolder: string,
  paint: Paint,
): string | undefined {
  const report = readReport(answer);
  if (report === undefined) return undefined;
  const { entries, revision, records, bytes, problems } = report;
  const shown = escapeControls(displayPath(folder, currentFolder));
  const lines = [
    `${shown}: held by pid ${pid}, ${countText(entries, "key")}, last revision ${revision}`,
    `read ${countText(records, "record")}, ${byteText(bytes)}`,
    ...problems.map((problem) => `${paint.error("damage")}: ${escapeControls(problem)}`),
    ...verdict(report),
  ];
  return `${lines.join("\n")}\n`;
}

function readReport(answer: Answer): StoreReport | undefined {
  if (answer.kind !== "map") return undefined;
  const found: Partial<StoreReport> = JSON.parse(jsonAnswer(answer, false));
  const counts = [found.entries, found.revision, found.records, found.bytes, found.unsaved];
  const isWhole = counts.every(Number.isSafeInteger) && Array.isArray(found.problems);
  return isWhole ? (found as StoreReport) : undefined;
}

function verdict({ problems, unsaved }: StoreReport): string[] {
  const lines: string[] = [];
  if (problems.length > 0) {
    lines.push(
      `${countText(problems.length, "piece of damage", "pieces of damage")}: what clients see is in ` +
        "memory, and `kvdb save` writes it anew",
    );
  }
  if (unsaved > 0) {
    lines.push(
      `${countText(unsaved, "change")} came after the last save: the rest was read, and not compared`,
    );
  } else if (problems.length === 0) lines.push("ok: what is on disk is what is in memory");
  return lines;
}
