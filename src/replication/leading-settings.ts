/** What a server that is followed may be told by CONFIG SET, with Redis's defaults; leading-parameters.ts has the names. */
export interface LeadingSettings {
  /** A copy is sent while it is being written, to who can take that. */
  isDiskless: boolean;
  /** How long replicas are gathered for one copy, and how many of them are enough (0: no number is). */
  disklessDelaySeconds: number;
  disklessMaxReplicas: number;
  /** How often replicas are shown that this server lives. */
  pingSeconds: number;
  /** A replica that has not been heard of for so long is disconnected. */
  timeoutSeconds: number;
  /** Writes are refused while fewer replicas were heard of in so many seconds; 0 in one of them: they are not. */
  minReplicas: number;
  maxLagSeconds: number;
  /** Records that are kept in memory for replicas that come back. Where there is a log, what is older is read from that. */
  backlogBytes: number;
}

export function newLeadingSettings(): LeadingSettings {
  return {
    isDiskless: true,
    disklessDelaySeconds: 5,
    disklessMaxReplicas: 0,
    pingSeconds: 10,
    timeoutSeconds: 60,
    minReplicas: 0,
    maxLagSeconds: 10,
    backlogBytes: 1024 * 1024,
  };
}
