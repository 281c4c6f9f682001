/**
 * What CONFIG GET and CONFIG SET see of TLS, by Redis's names. Values of one CONFIG SET are applied together, so that a
 * certificate and its key can be changed at once; and to set a name to what it is reads its file again.
 */
import { CommandError, type FrontendContext, type Parameter, readWholeNumber } from "kvdb";
import { CLIENT_AUTH, type TlsSettings } from "./tls.ts";

const TEXTS = [
  ...(["tls-cert-file", "tls-key-file", "tls-key-file-pass", "tls-ca-cert-file"] as const),
  ...(["tls-protocols", "tls-ciphers"] as const),
];

/** `apply` makes the settings take effect, or throws a CommandError with everything as it was. */
export function addTlsParameters(
  tls: TlsSettings,
  apply: () => void,
  context: FrontendContext,
): void {
  const add = (parameter: Parameter) => context.addParameter({ ...parameter, apply });
  add({
    name: "tls-port",
    get: () => String(tls["tls-port"]),
    set: (value) => {
      tls["tls-port"] = readWholeNumber(value, 0, 65535);
    },
  });
  for (const name of TEXTS) {
    add({
      name,
      get: () => tls[name],
      set: (value) => {
        tls[name] = value;
      },
    });
  }
  add({
    name: "tls-auth-clients",
    get: () => tls["tls-auth-clients"],
    set: (value) => {
      const word = CLIENT_AUTH.find((one) => one === value.toLowerCase());
      if (word === undefined) {
        const words = CLIENT_AUTH.join(", ");
        throw new CommandError("ERR", `argument(s) must be one of the following: ${words}`);
      }
      tls["tls-auth-clients"] = word;
    },
  });
}
