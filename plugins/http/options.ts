/** Options of the http frontend, with their defaults and the schema that checks them. */

export interface HttpOptions {
  readonly host?: string;
  readonly port?: number;
  readonly token?: string;
}

/** As Prometheus's exporters for Redis have it, so that it is found where it is looked for. */
const DEFAULT_PORT = 9121;

export const httpSchema = {
  type: "object",
  properties: {
    host: {
      type: "string",
      minLength: 1,
      default: "127.0.0.1",
      description: "Address to listen on",
    },
    port: {
      type: "integer",
      minimum: 1,
      maximum: 65535,
      default: DEFAULT_PORT,
      description: "TCP port",
    },
    token: {
      type: "string",
      minLength: 1,
      writeOnly: true,
      description: "What /metrics asks for: `Authorization: Bearer TOKEN`. Default: nothing",
    },
  },
  additionalProperties: false,
} as const;

export interface HttpSettings {
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
}

export function settingsOf(options: HttpOptions): HttpSettings {
  const { host = "127.0.0.1", port = DEFAULT_PORT, token } = options;
  return { host, port, token };
}
