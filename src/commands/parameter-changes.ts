/**
 * Changes of parameters that belong together: all of them, or none. When one is refused, those before it get their old
 * values back. CONFIG SET and a reload of the configuration are the same to whoever owns a parameter.
 */
import type { ServerParameter } from "../session/server.ts";
import { CommandError } from "./command-error.ts";

export interface ParameterChange {
  readonly parameter: ServerParameter;
  /** As CONFIG SET takes it. */
  readonly value: string;
}

/** One of the changes is not acceptable; nothing was changed. */
export class RefusedChange extends Error {
  readonly change: ParameterChange;

  constructor(change: ParameterChange, reason: string) {
    super(reason);
    this.change = change;
  }
}

/** Throws a RefusedChange. Anything else that a `set` throws is a defect, and goes on as it is. */
export function changeParameters(changes: readonly ParameterChange[]): void {
  const before = changes.map((change) => {
    const { parameter } = change;
    if (parameter.set === undefined) throw new RefusedChange(change, "can't set immutable config");
    const value = parameter.get();
    if (value === undefined) throw new RefusedChange(change, "its value cannot be read");
    return value;
  });
  changes.forEach((change, index) => {
    try {
      change.parameter.set?.(change.value);
    } catch (thrown) {
      if (!(thrown instanceof CommandError)) throw thrown;
      setBack(changes.slice(0, index), before);
      throw new RefusedChange(change, thrown.message);
    }
  });
  applyTogether(changes, before);
}

/** Each function once, however many parameters share it. */
function applyTogether(changes: readonly ParameterChange[], before: readonly string[]): void {
  const applied = new Set<() => void>();
  for (const change of changes) {
    const { apply } = change.parameter;
    if (apply === undefined || applied.has(apply)) continue;
    applied.add(apply);
    try {
      apply();
    } catch (thrown) {
      if (!(thrown instanceof CommandError)) throw thrown;
      setBack(changes, before);
      throw new RefusedChange(change, thrown.message);
    }
  }
}

function setBack(changes: readonly ParameterChange[], before: readonly string[]): void {
  for (let i = changes.length - 1; i >= 0; i--) changes[i].parameter.set?.(before[i]);
}
