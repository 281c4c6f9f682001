/** What a kernel is started for, and what that means: who is let in, and how much is logged. */

export type Role = "server" | "shell" | "embedded" | "script" | "one-shot" | "maintenance";

export interface Duties {
  /** Opens the frontends that the configuration names. */
  readonly frontends: boolean;
  /** Lets other processes of the same user in through the folder's own socket. */
  readonly socket: boolean;
  /** Logs warnings and errors alone: nobody watches a log, or it would stand between a person's lines. */
  readonly quiet: boolean;
  /**
   * Checkpoints are written beside the work, in a worker. Otherwise those that are asked for are written at the end: the
   * work is over before a worker would pay.
   */
  readonly worker: boolean;
  /**
   * Logs what was thrown without where, unless the level is `debug`: a stack would push the answer, which
   * names plugin and command, off a person's screen. In the log of a server it is the only trace.
   */
  readonly brief: boolean;
  /** Most commands need no index: those of the data are filled when one does. */
  readonly defersIndexes: boolean;
  /** Follows the server that the configuration names. Where nobody does, data of a replica is left as it is. */
  readonly follows: boolean;
  /** Makes data of a replica a primary's own when the configuration names nobody to follow. */
  readonly promotes: boolean;
  /** Logs what is odd about the configuration, and what a start has found; else whoever starts it tells. */
  readonly tells: boolean;
}

const serving = {
  ...{ frontends: true, socket: true, worker: true, tells: true },
  ...{ follows: true, promotes: true },
  defersIndexes: false,
} as const;

/** A one-shot command is over before a socket would pay: who comes meanwhile waits for the lock. */
const alone = {
  frontends: false,
  socket: false,
  worker: false,
  follows: false,
  promotes: false,
  quiet: true,
  brief: false,
  defersIndexes: true,
} as const;

export const dutiesOf: Readonly<Record<Role, Duties>> = {
  server: { ...serving, quiet: false, brief: false },
  // A person who looks into a replica's folder does not want to be its end.
  shell: { ...serving, quiet: true, brief: true, promotes: false },
  // Its log goes where the program says, and to nobody when it says nothing.
  embedded: { ...serving, frontends: false, quiet: false, brief: false },
  // It may wait for its next line as long as whoever writes them likes.
  script: {
    ...{ ...serving, frontends: false, quiet: true, brief: false },
    ...{ follows: false, promotes: false },
  },
  "one-shot": { ...alone, tells: true },
  // `kvdb check` and `kvdb convert`.
  maintenance: { ...alone, tells: false },
};
