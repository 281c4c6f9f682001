/**
 * TLS of the resp frontend: its options in Redis's spelling, what Bun makes of them, and what is wrong with the files that they name.
 *
 * What Bun.listen does, tried on 1.4.5 in the executable too:
 * - `requestCert` with `rejectUnauthorized` refuses who has no certificate, or one of another authority, within the handshake.
 *   With `rejectUnauthorized: false` both come in: then `handshake` tells (`isRefusedCertificate`).
 * - `open` comes before the handshake, `data` behind it. Without `requestCert` a handshake succeeds with an error at hand
 *   (UNABLE_TO_GET_ISSUER_CERT), which says that there was no certificate and means nothing.
 * - Certificates are read as `listen` is called. `reload` of a listener takes handlers alone and ignores `tls`; but `stop` leaves
 *   the connections, so a new listener in its place is a reload that they do not notice. Who has connected and was not accepted
 *   yet is reset by it, and has to come again: about one client in two reloads of a busy server. To have both listen for a
 *   moment (`reusePort`) does not help: those that wait at the old one are reset then.
 */
import { CommandError } from "kvdb";

export const CLIENT_AUTH = ["yes", "no", "optional"] as const;

export interface TlsOptions {
  /** 0: no TLS. */
  readonly "tls-port"?: number;
  /** Paths of PEM files. */
  readonly "tls-cert-file"?: string;
  readonly "tls-key-file"?: string;
  readonly "tls-key-file-pass"?: string;
  /** Certificates of the authorities whose clients are let in. */
  readonly "tls-ca-cert-file"?: string;
  /** Whether clients must show a certificate; `optional`: it must be right if they do. */
  readonly "tls-auth-clients"?: (typeof CLIENT_AUTH)[number];
  /** `TLSv1.2 TLSv1.3`. */
  readonly "tls-protocols"?: string;
  /** Of TLS 1.2, as OpenSSL writes them. */
  readonly "tls-ciphers"?: string;
}

/** The options with their defaults; empty text: none. They change by CONFIG SET. */
export type TlsSettings = { -readonly [Name in keyof TlsOptions]-?: Required<TlsOptions>[Name] };

const path = { type: "string", minLength: 1, format: "path" } as const;

export const tlsProperties = {
  "tls-port": { type: "integer", minimum: 0, maximum: 65535, default: 0 },
  "tls-cert-file": { ...path, examples: ["server.crt"] },
  "tls-key-file": { ...path, examples: ["server.key"] },
  "tls-key-file-pass": { type: "string", minLength: 1, writeOnly: true, examples: ["secret"] },
  "tls-ca-cert-file": { ...path, examples: ["ca.crt"] },
  "tls-auth-clients": { type: "string", enum: CLIENT_AUTH, default: "yes" },
  "tls-protocols": { type: "string", minLength: 1, examples: ["TLSv1.2 TLSv1.3"] },
  "tls-ciphers": { type: "string", minLength: 1, examples: ["ECDHE-ECDSA-AES128-GCM-SHA256"] },
} as const;

export function tlsSettingsOf(options: TlsOptions): TlsSettings {
  return {
    "tls-port": options["tls-port"] ?? 0,
    "tls-cert-file": options["tls-cert-file"] ?? "",
    "tls-key-file": options["tls-key-file"] ?? "",
    "tls-key-file-pass": options["tls-key-file-pass"] ?? "",
    "tls-ca-cert-file": options["tls-ca-cert-file"] ?? "",
    "tls-auth-clients": options["tls-auth-clients"] ?? "yes",
    "tls-protocols": options["tls-protocols"] ?? "",
    "tls-ciphers": options["tls-ciphers"] ?? "",
  };
}

/** OpenSSL's bits that switch a version off. Those before 1.2 are never spoken. */
const NO_VERSION: Readonly<Record<string, number>> = {
  "tlsv1.2": 0x08000000,
  "tlsv1.3": 0x20000000,
};
const NEVER_SPOKEN = 0x04000000 | 0x10000000;

/** What Bun.listen takes for `tls`. Throws a CommandError when the settings do not fit together. */
export function bunTls(settings: TlsSettings) {
  const { "tls-cert-file": certFile, "tls-key-file": keyFile } = settings;
  const { "tls-ca-cert-file": caFile, "tls-key-file-pass": passphrase } = settings;
  const { "tls-auth-clients": auth, "tls-ciphers": ciphers } = settings;
  if (certFile === "" || keyFile === "") {
    throw new CommandError("ERR", "TLS needs tls-cert-file and tls-key-file");
  }
  if (auth !== "no" && caFile === "") {
    const text = `tls-auth-clients is "${auth}": that needs tls-ca-cert-file, with the authorities of clients; "no" asks clients for no certificate`;
    throw new CommandError("ERR", text);
  }
  return {
    ...{ certFile, keyFile },
    ...(passphrase === "" ? {} : { passphrase }),
    ...(caFile === "" ? {} : { caFile }),
    ...(ciphers === "" ? {} : { ciphers }),
    secureOptions: secureOptions(settings["tls-protocols"]),
    requestCert: auth !== "no",
    rejectUnauthorized: auth === "yes",
  };
}

/** Versions that are not named are switched off; none named: all stay. */
function secureOptions(protocols: string): number {
  const words = protocols
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((word) => word !== "");
  const unknown = words.find((word) => !Object.hasOwn(NO_VERSION, word));
  if (unknown !== undefined) {
    throw new CommandError("ERR", `"${unknown}" is no protocol: expected TLSv1.2 or TLSv1.3`);
  }
  if (words.length === 0) return NEVER_SPOKEN;
  return Object.entries(NO_VERSION).reduce(
    (bits, [name, bit]) => (words.includes(name) ? bits : bits | bit),
    NEVER_SPOKEN,
  );
}

/** What the settings are wrong about, by listening with them where nobody comes. Throws a CommandError. */
export function requireRightFiles(settings: TlsSettings): void {
  const tls = bunTls(settings);
  try {
    const socket = { data() {} };
    Bun.listen({ hostname: "127.0.0.1", port: 0, tls, socket }).stop(true);
  } catch (cause) {
    throw new CommandError("ERR", tlsProblem(cause, settings));
  }
}

/** In words, with the files that it may be about. */
export function tlsProblem(cause: unknown, settings: TlsSettings): string {
  const { code = "", message = String(cause) } = cause as { code?: string; message?: string };
  const { "tls-cert-file": certFile, "tls-key-file": keyFile } = settings;
  const { "tls-ca-cert-file": caFile } = settings;
  const unreadable = /Unable to access (certFile|keyFile|caFile)/.exec(message)?.[1];
  const files: Readonly<Record<string, string>> = { certFile, keyFile, caFile };
  if (unreadable !== undefined) return `cannot read ${files[unreadable]}`;
  if (code.includes("KEY_VALUES_MISMATCH")) return `${keyFile} is not the key of ${certFile}`;
  if (/CA file/.test(message)) return `${caFile} holds no certificates`;
  if (code.startsWith("ERR_OSSL_PEM")) return `${certFile} or ${keyFile} is no PEM file (${code})`;
  if (/BAD_DECRYPT|BAD_PASSWORD/.test(code)) {
    return `${keyFile} is encrypted, and tls-key-file-pass is not its password`;
  }
  if (/cipher/i.test(message)) return `tls-ciphers "${settings["tls-ciphers"]}" are not known`;
  return `${certFile}, ${keyFile}: ${message}`;
}

/** Of a socket, what tells whether its client has shown a certificate that is not right. */
export interface TlsSocket {
  readonly authorized: boolean;
  getPeerCertificate(): object | null | undefined;
}

/** For `optional`: to have none is right. */
export function hasWrongCertificate(socket: TlsSocket): boolean {
  const certificate = socket.getPeerCertificate() ?? {};
  return Object.keys(certificate).length > 0 && !socket.authorized;
}
