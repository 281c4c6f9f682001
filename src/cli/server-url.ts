/** The URL of a server as people type it: `redis://[user[:password]@]host[:port][/database]`; `rediss` through TLS. */
import type { ClientTls, Credentials, SocketAddress } from "../client/socket-link.ts";
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

/** What may stand behind the question mark of a `rediss` URL: the options of redis-cli for TLS. */
const TLS_WORDS = ["cacert", "cert", "key", "insecure"] as const;

const EXPECTED =
  "expected a URL like redis://[user[:password]@]host[:port][/database], or rediss:// for TLS, " +
  "which takes ?cacert=file, cert=file&key=file and insecure";

/** Where a password comes from that is in no list of processes, as for redis-cli. */
const PASSWORD_VARIABLE = "REDISCLI_AUTH";

/**
 * `environment`: has the password of a URL without one, if anything has. Throws a KvdbError USAGE, which does not repeat the
 * URL: a password may be in it.
 */
export function parseServerUrl(
  text: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): ServerUrl {
  const url = URL.parse(text);
  const usesTls = url?.protocol === "rediss:";
  const isServer = url?.protocol === "redis:" || usesTls;
  const path = url?.pathname ?? "";
  const [, database = ""] = /^\/?(\d{0,9})$/.exec(path) ?? [];
  const isRight = /^\/?\d{0,9}$/.test(path) && (usesTls || url?.search === "") && url?.hash === "";
  if (url === null || !isServer || url.hostname === "" || !isRight) {
    throw new KvdbError("USAGE", EXPECTED);
  }
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const { user, password } = credentialsOf(url);
  return {
    name: `${url.hostname}:${port}`,
    address: { hostname, port, tls: usesTls && tlsOf(url.searchParams) },
    credentials: { user, password: password ?? environment[PASSWORD_VARIABLE] },
    database: database === "" ? undefined : Number(database),
  };
}

function tlsOf(words: URLSearchParams): ClientTls {
  const unknown = [...words.keys()].find((word) => !TLS_WORDS.some((known) => known === word));
  if (unknown !== undefined) throw new KvdbError("USAGE", `"${unknown}" in the URL: ${EXPECTED}`);
  const [caFile, certFile, keyFile] = [words.get("cacert"), words.get("cert"), words.get("key")];
  if ((certFile === null) !== (keyFile === null)) {
    throw new KvdbError("USAGE", "in the URL cert and key go together");
  }
  return {
    rejectUnauthorized: !words.has("insecure"),
    ...(caFile === null ? {} : { caFile }),
    ...(certFile === null || keyFile === null ? {} : { certFile, keyFile }),
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
