/**
 * Certificates for a test, made by openssl as the test runs and gone with its folder: an authority, and what it has signed. A
 * name has two files, `name.crt` and `name.key`.
 */
import { join } from "node:path";
import { run } from "./run.ts";
import type { Workspace } from "./workspace.ts";

export const OPENSSL = Bun.which("openssl");

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export class Certificates {
  readonly folder: string;
  readonly #workspace: Workspace;

  private constructor(workspace: Workspace) {
    this.#workspace = workspace;
    this.folder = workspace.root;
  }

  /** With an authority named `ca`. */
  static async create(workspace: Workspace): Promise<Certificates> {
    const certificates = new Certificates(workspace);
    await certificates.makeAuthority("ca");
    return certificates;
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  /** One that has signed itself, so that nobody else trusts it. */
  async makeAuthority(name: string): Promise<void> {
    const files = ["-keyout", this.path(`${name}.key`), "-out", this.path(`${name}.crt`)];
    await this.#openssl("req", "-x509", ...KEY, ...files, "-days", "1", "-subj", `/CN=${name}`);
  }

  /** For this machine, signed by `ca`. */
  async make(name: string): Promise<void> {
    const [request, extensions] = [this.path(`${name}.csr`), this.path(`${name}.ext`)];
    await Bun.write(extensions, "subjectAltName=DNS:localhost,IP:127.0.0.1");
    const files = ["-keyout", this.path(`${name}.key`), "-out", request];
    await this.#openssl("req", ...KEY, ...files, "-subj", `/CN=${name}`);
    const authority = [
      "-CA",
      this.path("ca.crt"),
      "-CAkey",
      this.path("ca.key"),
      "-CAcreateserial",
    ];
    const output = ["-out", this.path(`${name}.crt`), "-days", "1", "-extfile", extensions];
    await this.#openssl("x509", "-req", "-in", request, ...authority, ...output);
  }

  /** A copy of a key that has the password `password`. */
  async encryptKey(from: string, to: string): Promise<void> {
    const files = ["-in", this.path(`${from}.key`), "-out", this.path(`${to}.key`)];
    await this.#openssl("pkey", ...files, "-aes256", "-passout", "pass:password");
  }

  async #openssl(...args: readonly string[]): Promise<void> {
    const outcome = await run(this.#workspace, ["openssl", ...args]);
    if (outcome.code !== 0) throw new Error(`openssl ${args[0]}: ${outcome.stderr}`);
  }
}
