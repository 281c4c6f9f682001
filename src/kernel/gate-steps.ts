/** The steps of the gate, in the order they are asked. Which are active is decided by who owns the state behind. */
import { authenticatedStep, permittedStep } from "../auth/permission-step.ts";
import { CommandError } from "../commands/command-error.ts";
import { ALONE, type GateStep } from "../commands/dispatch.ts";
import { displayName } from "../commands/refusal-words.ts";
import { OF_REPLICAS } from "../replication/follower-commands.ts";
import { readOnlyStep, staleStep, writableStep } from "../replication/replica-steps.ts";
import { runsWhatIsSeen } from "../session/client-pause.ts";
import { transactionStep } from "../transaction/transaction-step.ts";
import { debugStep } from "./debug-step.ts";
import { trackedStep } from "./tracked-step.ts";

export const SUBSCRIBED = "subscribed";
export const LOADING = "loading";
export const MEMORY = "memory";
export const UNTOUCHED = "untouched";
export const DURABLE = "durable";
export const PAUSED = "paused";
export const OF_REPLICA = "replica";
export const ENOUGH_REPLICAS = "enough replicas";

const FOR_SUBSCRIBERS = new Set([
  ...["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"],
  ...["PING", "QUIT", "RESET"],
]);

/**
 * A client that subscribes and speaks RESP2 cannot tell replies from messages. In a transaction it can: they are parts of what
 * EXEC answers.
 */
const subscribedStep: GateStep = {
  name: SUBSCRIBED,
  origins: ["client", "internal"],
  appliesTo: (command) => !FOR_SUBSCRIBERS.has(command.name),
  check: ({ transaction }, command) => {
    if (transaction !== null) return;
    throw new CommandError(
      "ERR",
      `Can't execute '${displayName(command.name)}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
    );
  },
};

/** While the data is being read, only commands that need none of it. */
const loadingStep: GateStep = {
  name: LOADING,
  origins: ["client", "internal"],
  appliesTo: (command) => !command.flags.includes("loading"),
  check: () => {
    throw new CommandError("LOADING", "kvdb is loading the dataset in memory");
  },
};

/** With a bound on memory: room is made for commands that may need more, or they are refused. */
const memoryStep: GateStep = {
  name: MEMORY,
  origins: ["client", "internal"],
  appliesTo: (command) => command.flags.includes("denyoom"),
  check: (session, _command, args) => {
    const last = args.count - 1;
    const bytes = (args.end[last] as number) - (args.start[0] as number);
    session.server.memory.admit(session, bytes, args.count);
  },
};

/**
 * While a session has said CLIENT NO-TOUCH: what its commands look up does not count as used, but for what it names to TOUCH. It
 * refuses nothing.
 */
const untouchedStep: GateStep = {
  name: UNTOUCHED,
  origins: ["client", "internal"],
  appliesTo: (command) => command.name !== "TOUCH",
  check: ({ noTouch, server }) => {
    if (noTouch) server.untouched.leave();
  },
};

/** While records cannot be made durable: no further change is taken. */
const durableStep: GateStep = {
  name: DURABLE,
  origins: ["client", "internal"],
  appliesTo: (command) => command.flags.includes("write"),
  check: () => {
    throw new CommandError(
      "MISCONF",
      "kvdb is configured to make writes durable, but the disk refuses them. Commands that may modify the data set are disabled. See the log for the error.",
    );
  },
};

/** Of a session that is a replica's: what answers it would stand in the stream. It is no replica if it sends anything else. */
const ofReplicaStep: GateStep = {
  name: OF_REPLICA,
  origins: ["client"],
  appliesTo: (command) => !OF_REPLICAS.has(command.name),
  check: ({ client }) => {
    client.close("now");
    throw new CommandError("ERR", "Replica can't interact with the keyspace");
  },
};

/** While fewer replicas keep up than min-replicas-to-write asks for. */
const enoughReplicasStep: GateStep = {
  name: ENOUGH_REPLICAS,
  origins: ["client"],
  appliesTo: (command) => command.flags.includes("write"),
  check: () => {
    throw new CommandError("NOREPLICAS", "Not enough good replicas to write.");
  },
};

/** While a command runs that calls others, or a program's transaction: only what is called, which comes not through here. */
const aloneStep: GateStep = {
  name: ALONE,
  origins: ["client", "internal"],
  appliesTo: () => true,
  check: () => {
    throw new CommandError(
      "ERR",
      "other commands are running as one: they are called with what their caller was given",
    );
  },
};

/**
 * During CLIENT PAUSE, and while all data is replaced: commands wait. What runs all the same and only reads leaves keys that
 * are over.
 */
const pausedStep: GateStep = {
  name: PAUSED,
  origins: ["client", "internal"],
  appliesTo: () => true,
  check: (session, command) => {
    const { keyspace, replication } = session.server;
    const isWrite =
      command.name === "EXEC" ? runsWhatIsSeen(session, command) : command.flags.includes("write");
    keyspace.keepsExpired = !isWrite || replication.role === "slave";
  },
  takes: (session, { command }, args) => {
    const { pause, keyspace } = session.server;
    if (!pause.postpones(session, command, args)) return false;
    keyspace.keepsExpired = true;
    return true;
  },
};

export const gateSteps: readonly GateStep[] = [
  ofReplicaStep,
  debugStep,
  authenticatedStep,
  permittedStep,
  pausedStep,
  readOnlyStep,
  memoryStep,
  durableStep,
  enoughReplicasStep,
  subscribedStep,
  staleStep,
  loadingStep,
  aloneStep,
  untouchedStep,
  trackedStep,
  // Behind whatever refuses: only what runs may remove what is over.
  writableStep,
  // The last one: what is queued has passed all others.
  transactionStep,
];
