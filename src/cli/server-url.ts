/** The URL of a server as people type it: `redis://[user[:password]@]host[:port][/database]`; `rediss` through TLS. */
import type { Credentials, SocketAddress } from "../client/socket-link.ts";
import { KvdbError } from "../errors.ts";

export interface ServerUrl {
  /** Without the secrets. */
  readonly name: string;
  readonly address: SocketAddress;
  readonly credentials: Credentials;
  /** Undefined: it names none. */
  readonly database: number | undefined;
}

const DEFAULT_PORT = 6379;

/** Throws a KvdbError USAGE, which does not repeat the URL: a password may be in it. */
export function parseServerUrl(text: string): ServerUrl {
  const url = URL.parse(text);
  const isServer = url?.protocol === "redis:" || url?.protocol === "rediss:";
  const [, database = ""] = /^\/?(\d{0,9})$/.exec(url?.pathname ?? "") ?? [];
  const isRight = /^\/?\d{0,9}$/.test(url?.pathname ?? "") && url?.search === "" && url.hash === "";
  if (url === null || !isServer || url.hostname === "" || !isRight) {
    throw new KvdbError(
      "USAGE",
      "expected a URL like redis://[user[:password]@]host[:port][/database], or rediss:// for TLS",
    );
  }
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    name: `${url.hostname}:${port}`,
    address: { hostname, port, tls: url.protocol === "rediss:" },
    credentials: credentialsOf(url),
    database: database === "" ? undefined : Number(database),
  };
}

/** `redis://secret@host` names a user, as in all URLs; `redis://:secret@host` gives a password alone. */
function credentialsOf({ username, password }: URL): Credentials {
  return {
    user: username === "" ? undefined : decode(username),
    password: password === "" ? undefined : decode(password),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new KvdbError("USAGE", "user or password in the URL: % must be written %25", { cause });
  }
}
