/**
 * How much output may wait for a client, by its class, as `client-output-buffer-limit` says: who has more of it than `hardBytes`
 * is disconnected at once, who has more than `softBytes` when it has been so for `softSeconds`. 0: no limit. Frontends
 * enforce them (`FrontendContext.outputLimit`), on what nobody could be paused for: replies pause the client that asks.
 */
import { isSubscribed } from "../pubsub/pubsub.ts";
import type { Session } from "./session.ts";

export interface OutputLimit {
  readonly hardBytes: number;
  readonly softBytes: number;
  readonly softSeconds: number;
}

/** In the order in which CONFIG GET tells them. */
export const OUTPUT_CLASSES = ["normal", "replica", "pubsub"] as const;

export type OutputClass = (typeof OUTPUT_CLASSES)[number];

const MIB = 1024 * 1024;

/** Redis's defaults. A replica may fall far behind: it would need all data anew. */
export const DEFAULT_OUTPUT_LIMITS: Readonly<Record<OutputClass, OutputLimit>> = {
  normal: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
  replica: { hardBytes: 256 * MIB, softBytes: 64 * MIB, softSeconds: 60 },
  pubsub: { hardBytes: 32 * MIB, softBytes: 8 * MIB, softSeconds: 60 },
};

export class OutputLimits {
  byClass: Readonly<Record<OutputClass, OutputLimit>> = DEFAULT_OUTPUT_LIMITS;

  of(session: Session): OutputLimit {
    return this.byClass[classOf(session)];
  }
}

function classOf(session: Session): OutputClass {
  if (session.isReplica) return "replica";
  // Redis counts who monitors as normal, without a bound: one that did not read could fill the memory.
  return session.isMonitor || isSubscribed(session) ? "pubsub" : "normal";
}
