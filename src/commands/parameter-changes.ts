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

/** Puts one back as it was. */
type Undo = () => void;

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
  const undos = changes.map((change): Undo => {
    const { parameter } = change;
    if (parameter.set === undefined) throw new RefusedChange(change, "can't set immutable config");
    const value = parameter.get();
    if (value === undefined) throw new RefusedChange(change, "its value cannot be read");
    return parameter.keep?.() ?? (() => parameter.set?.(value));
  });
  changes.forEach((change, index) => {
    try {
      change.parameter.set?.(change.value);
    } catch (thrown) {
      if (!(thrown instanceof CommandError)) throw thrown;
      setBack(undos.slice(0, index));
      throw new RefusedChange(change, thrown.message);
    }
  });
  applyTogether(changes, undos);
}

/** Each function once, however many parameters share it. */
function applyTogether(changes: readonly ParameterChange[], undos: readonly Undo[]): void {
  const applied = new Set<() => void>();
  for (const change of changes) {
    const { apply } = change.parameter;
    if (apply === undefined || applied.has(apply)) continue;
    applied.add(apply);
    try {
      apply();
    } catch (thrown) {
      if (!(thrown instanceof CommandError)) throw thrown;
      setBack(undos);
      throw new RefusedChange(change, thrown.message);
    }
  }
}

function setBack(undos: readonly Undo[]): void {
  for (const undo of undos.toReversed()) undo();
}
