/**
 * Listening: at an address and port, with TLS or without, and at a path; and what it means when the system does not let it.
 */
import { type FrontendContext, KvdbError } from "kvdb";
import { type Address, isMissing } from "./addresses.ts";
import type { bunTls } from "./tls.ts";

/** Who ends only its own side (`printf … | nc`) still gets its replies, also those that wait for the disk. */
const HALF_OPEN = { allowHalfOpen: true } as const;

export interface Listener {
  stop(closeConnections?: boolean): void;
  unref(): void;
}

/** What happens to a socket. Each function gets it first; `open` and `error` are about one that may have nobody behind it. */
export interface SocketHandlers {
  open(socket: unknown): void;
  data(socket: unknown, chunk: Buffer): void;
  drain(socket: unknown): void;
  end(socket: unknown): void;
  close(socket: unknown): void;
  error(socket: unknown, error: NodeJS.ErrnoException): void;
  /** Of TLS: it is over. */
  handshake?(socket: unknown, succeeded: boolean, error: Error | null): void;
}

export interface PortToListen {
  readonly address: Address;
  readonly port: number;
  readonly socket: SocketHandlers;
  /** Undefined: without TLS. */
  readonly tls?: ReturnType<typeof bunTls>;
  readonly log: FrontendContext["log"];
}

/** None where the address may be missing, and is. Throws a KvdbError. */
export function listenAt({ address, port, socket, tls, log }: PortToListen): Listener[] {
  const { hostname, isOptional } = address;
  const place = `${hostname}:${port}`;
  try {
    const options = { hostname, port, ipv6Only: true, ...HALF_OPEN, socket };
    const listener: Listener = Bun.listen(tls === undefined ? options : { ...options, tls });
    log.info(`listening on ${place}${tls === undefined ? "" : " with TLS"}`);
    return [listener];
  } catch (cause) {
    if (!isOptional || !isMissing(cause)) {
      throw cannotListen(tls === undefined ? "port" : "tlsPort", place, cause);
    }
    log.info(`not listening on ${hostname}: this machine has no such address`);
    return [];
  }
}

/** `ownerOnly`: nobody else can open it. Throws a KvdbError. */
export function listenAtPath(
  unix: string,
  socket: SocketHandlers,
  { ownerOnly }: { readonly ownerOnly: boolean },
): Listener {
  const listen = (): Listener => Bun.listen({ unix, ...HALF_OPEN, socket });
  try {
    return ownerOnly ? asOwnersOnly(listen) : listen();
  } catch (cause) {
    throw cannotListen("socket", unix, cause);
  }
}

/** Mode 0600 from the first moment: changed afterwards, there would be a moment in which others can connect. */
function asOwnersOnly<Result>(make: () => Result): Result {
  const mask = process.umask(0o177);
  try {
    return make();
  } finally {
    process.umask(mask);
  }
}

/** Whether somebody answers there. */
export async function isServed(unix: string): Promise<boolean> {
  try {
    const socket = await Bun.connect({ unix, socket: { data() {} } });
    socket.end();
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== "ECONNREFUSED";
  }
}

type Place = "port" | "tlsPort" | "socket";

/** As people call it. */
const placeNames: Readonly<Record<Place, string>> = {
  port: "port",
  tlsPort: "port",
  socket: "socket",
};

/** What the system's words mean, and the option that mends it. */
const listenFaults: Readonly<Record<string, (place: Place) => readonly [string, option?: string]>> =
  {
    EADDRINUSE: (place) => [`the ${placeNames[place]} is taken`, options[place]],
    EACCES: (place) => [`no permission for the ${placeNames[place]}`, options[place]],
    EADDRNOTAVAIL: () => ["this machine has no such address", "--bind"],
    ENOENT: () => ["its folder does not exist"],
  };

const options: Readonly<Record<Place, string>> = {
  port: "--port",
  tlsPort: "--tls-port",
  socket: "--unixsocket",
};

function cannotListen(place: Place, where: string, cause: unknown): KvdbError {
  const { code = String(cause).replace(/^Error: /, "") } = cause as { code?: string };
  const [reason, option] = listenFaults[code]?.(place) ?? [];
  const what = reason === undefined ? code : `${reason} (${code})`;
  const remedy = option === undefined ? "" : `; choose another with ${option}`;
  return new KvdbError("UNAVAILABLE", `cannot listen on ${where}: ${what}${remedy}`, { cause });
}
