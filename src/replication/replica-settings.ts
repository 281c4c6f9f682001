/**
 * How this server follows another one: what CONFIG and a configuration say of it, by Redis's names. Changed at any time; what
 * follows is asked when it is needed.
 */

import type { ClientTls } from "../client/socket-link.ts";
import { CommandError } from "../commands/command-error.ts";
import { readWholeNumber, readYesNo } from "../commands/parameter-values.ts";
import type { ServerParameter } from "../session/server.ts";
import { MAX_PORT } from "./primary-address.ts";

const MAX_SECRET_BYTES = 512;
const MAX_INT = 2 ** 31 - 1;

export class ReplicaSettings {
  /** Empty: none is given. */
  password = "";
  /** Empty: the default user. */
  user = "";
  isReadOnly = true;
  servesStaleData = true;
  announcedIp = "";
  /** 0: where this server listens. */
  announcedPort = 0;
  isAnnounced = true;
  priority = 100;
  /** Through TLS. */
  usesTls = false;
  /** Told when a setting has changed that others act on. */
  onChange: () => void = () => {};
  /** What TLS needs; the frontend that serves TLS has it. */
  tlsFiles: () => Omit<ClientTls, "rejectUnauthorized"> = () => ({});

  get tls(): ClientTls | undefined {
    return this.usesTls ? { ...this.tlsFiles(), rejectUnauthorized: true } : undefined;
  }

  /** Those of CONFIG but for the address, with their older names. */
  parameters(): ServerParameter[] {
    return [
      text(
        "masterauth",
        () => this.password,
        (value) => (this.password = value),
      ),
      text(
        "masteruser",
        () => this.user,
        (value) => (this.user = value),
      ),
      ...this.#renamed(
        "read-only",
        yesNo(
          () => this.isReadOnly,
          (on) => this.#change(() => (this.isReadOnly = on)),
        ),
      ),
      ...this.#renamed(
        "serve-stale-data",
        yesNo(
          () => this.servesStaleData,
          (on) => this.#change(() => (this.servesStaleData = on)),
        ),
      ),
      ...this.#renamed("ignore-maxmemory", {
        get: () => "yes",
        set: requireIgnored,
        isFixed: true,
      }),
      ...this.#renamed(
        "priority",
        integer(
          () => this.priority,
          (value) => (this.priority = value),
        ),
      ),
      ...this.#renamed("announce-ip", {
        get: () => this.announcedIp,
        set: (value) => (this.announcedIp = value),
      }),
      ...this.#renamed(
        "announce-port",
        integer(
          () => this.announcedPort,
          (value) => (this.announcedPort = value),
          0,
          MAX_PORT,
        ),
      ),
      named(
        "replica-announced",
        yesNo(
          () => this.isAnnounced,
          (on) => (this.isAnnounced = on),
        ),
      ),
      named(
        "tls-replication",
        yesNo(
          () => this.usesTls,
          (on) => (this.usesTls = on),
        ),
      ),
    ];
  }

  #change(set: () => void): void {
    set();
    this.onChange();
  }

  /** Under its name, and as a slave's, which is older. */
  #renamed(name: string, access: Access): ServerParameter[] {
    return [
      named(`replica-${name}`, access),
      { ...named(`slave-${name}`, access), aliasOf: `replica-${name}` },
    ];
  }
}

/** Where it does not, the replica's data is another than the one that the log tells of, and the primary has. */
function requireIgnored(value: string): void {
  if (readYesNo(value)) return;
  throw new CommandError(
    "ERR",
    "a replica has what its primary has, so it evicts nothing by itself: it can only be yes",
  );
}

interface Access {
  /** `set` takes what is so alone. */
  readonly isFixed?: true;
  get(): string;
  set(value: string): void;
}

function named(name: string, access: Access): ServerParameter {
  const fixed = access.isFixed === undefined ? {} : { isFixed: access.isFixed };
  return { name, get: () => access.get(), set: (value) => access.set(value), ...fixed };
}

function text(name: string, get: () => string, set: (value: string) => void): ServerParameter {
  return named(name, {
    get,
    set: (value) => {
      if (Buffer.byteLength(value) > MAX_SECRET_BYTES) {
        throw new CommandError("ERR", `argument is longer than ${MAX_SECRET_BYTES} bytes`);
      }
      set(value);
    },
  });
}

function yesNo(get: () => boolean, set: (on: boolean) => void): Access {
  return { get: () => (get() ? "yes" : "no"), set: (value) => set(readYesNo(value)) };
}

function integer(
  get: () => number,
  set: (value: number) => void,
  least = 0,
  most = MAX_INT,
): Access {
  return { get: () => String(get()), set: (value) => set(readWholeNumber(value, least, most)) };
}
