/**
 * The end of a server that replicas follow, as commands see it through `session.server.shutdown`: before it stops in order it
 * lets them catch up, for a time, and until that is over it may still be called off. src/replication is what is behind it.
 */
export interface ShutdownControl {
  /** A stop would have to wait: somebody follows this server who has not acknowledged everything. */
  readonly areReplicasBehind: boolean;
  /** How long they are waited for at most from now on, in milliseconds; null: they are not waited for. */
  readonly remainingMs: number | null;
  /**
   * What writes waits from now on. Resolves to true when they have everything or the time is over: then whoever asked stops the
   * server, or tells `giveUp`. To false when it was called off. Who asks meanwhile waits for the same.
   */
  awaitReplicas(): Promise<boolean>;
  /** SHUTDOWN ABORT. False: they are not waited for. */
  abort(): boolean;
  /** The server goes on after all. Harmless when it was not about to stop. */
  giveUp(): void;
}
