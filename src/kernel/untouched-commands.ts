/**
 * Which commands leave alone when keys were used (CLIENT NO-TOUCH): those of sessions that said so. The gate asks them only
 * while there is such a session.
 */
import type { Gate } from "../commands/dispatch.ts";
import type { UntouchedControl } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import type { AccessClock } from "../store/access-clock.ts";
import { UNTOUCHED } from "./gate-steps.ts";

export class UntouchedCommands implements UntouchedControl {
  readonly #gate: Gate;
  #sessions = 0;
  /** The number of the command that is one. */
  #command = -1;

  constructor(gate: Gate, access: AccessClock) {
    this.#gate = gate;
    access.isQuiet = () => this.#command === gate.commandsProcessed;
  }

  set(session: Session, on: boolean): void {
    if (on === session.noTouch) return;
    session.noTouch = on;
    this.#sessions += on ? 1 : -1;
    this.#gate.setActive(UNTOUCHED, this.#sessions > 0);
  }

  leave(): void {
    this.#command = this.#gate.commandsProcessed;
  }

  /** Commands are counted from 0 again. */
  reset(): void {
    this.#command = -1;
  }
}
