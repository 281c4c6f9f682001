/**
 * The one password (`requirepass`): who has to give it, and whether it is right. The step of the gate refuses every
 * command without the flag `noauth` until it was given. Not users and permissions. Bun's own hash: to load node:crypto
 * takes 2 ms of each start.
 */
import { CommandError } from "../commands/command-error.ts";
import type { GateStep } from "../commands/dispatch.ts";
import type { Accounts } from "../session/server.ts";
import type { Session } from "../session/session.ts";

export const AUTHENTICATED = "authenticated";

export const authenticatedStep: GateStep = {
  name: AUTHENTICATED,
  origins: ["client"],
  appliesTo: (command) => !command.flags.includes("noauth"),
  check: () => {
    throw new CommandError("NOAUTH", "Authentication required.");
  },
};

export class Password implements Accounts {
  #password: string;
  readonly #bit: number;

  /** `bit`: the step's bit in `session.gates`. */
  constructor(password: string, bit: number) {
    this.#password = password;
    this.#bit = bit;
  }

  get needsPassword(): boolean {
    return this.#password !== "";
  }

  get password(): string {
    return this.#password;
  }

  /** Sessions that are in stay in; new ones need the new password. */
  set password(password: string) {
    this.#password = password;
  }

  /** Compares digests, and all of them, so that the time tells neither the length nor the first difference. */
  isPassword(candidate: Uint8Array): boolean {
    const given = digest(candidate);
    const right = digest(Buffer.from(this.#password));
    let difference = 0;
    for (let i = 0; i < right.length; i++) difference |= given[i] ^ right[i];
    return difference === 0;
  }

  isAdmitted(session: Session): boolean {
    return (session.gates & this.#bit) === 0;
  }

  admit(session: Session): void {
    session.gates &= ~this.#bit;
  }

  dismiss(session: Session): void {
    const mustLogIn = session.origin === "client" && session.client.trusted !== true;
    if (this.needsPassword && mustLogIn) session.gates |= this.#bit;
    else session.gates &= ~this.#bit;
  }
}

function digest(bytes: Uint8Array): Uint8Array {
  const digest = new Uint8Array(Bun.SHA256.byteLength);
  Bun.SHA256.hash(bytes, digest);
  return digest;
}
