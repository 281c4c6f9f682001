/**
 * How far a load is, in one line for a person who waits:
 *
 *   loading [#####               ] 25 %, 1.2 GiB of 4.8 GiB, 12 s left
 */
import { byteText, spanText } from "./amounts.ts";

export interface LoadingProgress {
  /** From 0 to 1. */
  readonly share: number;
  /** Undefined where nobody tells. */
  readonly bytes?: { readonly done: number; readonly total: number };
  /** What it will take yet; an estimate. Undefined: nobody can tell. */
  readonly restMs?: number;
}

const BAR_CELLS = 20;

export function loadingText({ share, bytes, restMs }: LoadingProgress, doing = "loading"): string {
  // A server far away may tell anything.
  const bounded = Math.min(1, Math.max(0, share));
  const bar = "#".repeat(Math.round(bounded * BAR_CELLS)).padEnd(BAR_CELLS);
  const parts = [`${doing} [${bar}] ${Math.floor(bounded * 100)} %`];
  if (bytes !== undefined) parts.push(`${byteText(bytes.done)} of ${byteText(bytes.total)}`);
  if (restMs !== undefined) parts.push(`${spanText(restMs)} left`);
  return parts.join(", ");
}

/** Supposes that the rest takes as long per byte as what is done. */
export function loadingProgress(done: number, total: number, elapsedMs: number): LoadingProgress {
  if (total === 0) return { share: 0 };
  const bytes = { done, total };
  // A file may have grown since it was measured.
  const share = Math.min(1, done / total);
  return share === 0 ? { share, bytes } : { share, bytes, restMs: elapsedMs / share - elapsedMs };
}
