/**
 * The engine's memory: its bound, what is evicted for it, defragmentation, and the settings of all of it, put together of the
 * parts that the engine has.
 */
import type { Gate } from "../commands/dispatch.ts";
import type { Journal } from "../journal/journal.ts";
import { Defragmenter } from "../memory/defragmenter.ts";
import { MemoryLimit, type MemoryLimitParts } from "../memory/memory-limit.ts";
import { memoryParameters } from "../memory/memory-parameters.ts";
import type { Clock } from "../platform/clock.ts";
import { collectGarbage } from "../platform/heap.ts";
import type { ServerParameter } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import type { Keyspace } from "../store/keyspace.ts";
import type { CurrentSnapshot } from "./current-snapshot.ts";
import { MEMORY } from "./gate-steps.ts";
import type { Turns } from "./turns.ts";

export interface EngineMemoryParts {
  readonly keyspace: Keyspace;
  readonly sessions: ReadonlyMap<number, Session>;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly turns: Turns;
  readonly snapshot: CurrentSnapshot;
  readonly gate: Gate;
  readonly isResting: () => boolean;
  /** Is told how long keys were evicted at one stretch. */
  readonly latency: MemoryLimitParts["latency"];
  addParameter(parameter: ServerParameter): void;
}

export function engineMemory(parts: EngineMemoryParts): MemoryLimit {
  const { gate, keyspace, addParameter } = parts;
  const defragmenter = new Defragmenter({ ...parts, collectGarbage });
  const memory = new MemoryLimit({
    ...{ ...parts, defragmenter },
    onBound: (isBound) => gate.setActive(MEMORY, isBound),
  });
  for (const parameter of memoryParameters(memory, keyspace.access, defragmenter)) {
    addParameter(parameter);
  }
  return memory;
}
