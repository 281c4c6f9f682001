/** Options of the resp frontend, in Redis's spelling, with their defaults and the schema that checks them. */
import { type TlsOptions, type TlsSettings, tlsProperties, tlsSettingsOf } from "./tls.ts";

export interface RespOptions extends TlsOptions {
  /** TCP port; 0: no TCP. */
  readonly port?: number;
  /** Addresses to listen on. */
  readonly bind?: string | readonly string[];
  /** Path of a unix socket to listen on as well. */
  readonly unixsocket?: string;
  readonly maxclients?: number;
  /** Seconds after which an idle client is disconnected; 0: never. */
  readonly timeout?: number;
  /** Seconds of silence before the system asks whether the other side is still there; 0: never. */
  readonly "tcp-keepalive"?: number;
  /** Whether without a password only programs on this machine are served. */
  readonly "protected-mode"?: boolean;
  /**
   * The unix socket belongs to the user who runs kvdb: nobody else can open it, and whoever does needs no password. Not in
   * the schema: the kernel alone sets it, for the data folder's own socket.
   */
  readonly ownerOnly?: boolean;
}

export const respSchema = {
  type: "object",
  properties: {
    port: { type: "integer", minimum: 0, maximum: 65535, default: 6379 },
    bind: {
      anyOf: [
        { type: "string", minLength: 1 },
        { type: "array", items: { type: "string", minLength: 1 }, minItems: 1 },
      ],
      default: "127.0.0.1",
    },
    unixsocket: { type: "string", minLength: 1, format: "path", examples: ["redis.sock"] },
    maxclients: { type: "integer", minimum: 1, maximum: 1_000_000, default: 10000 },
    timeout: { type: "integer", minimum: 0, default: 0 },
    "tcp-keepalive": { type: "integer", minimum: 0, default: 300 },
    "protected-mode": { type: "boolean", default: true },
    ...tlsProperties,
  },
  additionalProperties: false,
} as const;

/** The options as the frontend uses them: every default filled in, `bind` a list. They change by CONFIG SET. */
export interface RespSettings {
  port: number;
  bind: readonly string[];
  unixsocket: string;
  maxclients: number;
  timeoutSeconds: number;
  keepaliveSeconds: number;
  isProtected: boolean;
  readonly tls: TlsSettings;
  readonly ownerOnly: boolean;
}

export function settingsOf(options: RespOptions): RespSettings {
  return {
    port: options.port ?? 6379,
    bind: addresses(options.bind ?? "127.0.0.1"),
    unixsocket: options.unixsocket ?? "",
    maxclients: options.maxclients ?? 10000,
    timeoutSeconds: options.timeout ?? 0,
    keepaliveSeconds: options["tcp-keepalive"] ?? 300,
    isProtected: options["protected-mode"] ?? true,
    tls: tlsSettingsOf(options),
    ownerOnly: options.ownerOnly ?? false,
  };
}

/** `127.0.0.1 -::1`, or a list of them, as addresses.ts reads them. */
function addresses(bind: string | readonly string[]): readonly string[] {
  return typeof bind === "string" ? bind.split(/\s+/).filter((word) => word !== "") : bind;
}

export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\./.test(address) || address === "::1" || address === "localhost";
}
