/**
 * Whether a kvdb is to be sent clients: it is when it has loaded and the disk takes what is written. Redis's INFO says the
 * first, the kernel the second.
 */
import { type Answer, textOf } from "kvdb";
import { Info } from "./info.ts";

export interface Health {
  readonly ok: boolean;
  readonly status: "ok" | "loading" | "disk" | "unknown";
  /** Why it is not ok. */
  readonly reason?: string;
  /** Of loading, between 0 and 1. */
  readonly loaded?: number;
}

/** `info`: what INFO persistence answered. */
export function healthOf(info: Answer, diskFailure: Error | null): Health {
  if (info.kind === "error") return { ok: false, status: "unknown", reason: info.text };
  const fields = new Info(textOf(info) ?? "");
  if (fields.number("loading") === 1) {
    const percent = fields.number("loading_loaded_perc");
    return {
      ok: false,
      status: "loading",
      ...(percent !== undefined && { loaded: percent / 100 }),
    };
  }
  if (diskFailure !== null) return { ok: false, status: "disk", reason: diskFailure.message };
  return { ok: true, status: "ok" };
}
