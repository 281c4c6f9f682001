/**
 * A network of its own (Linux: a network namespace), where every port is free: a test of a fixed port disturbs nobody and
 * is disturbed by nobody. Needs root, as a rule; where it is not permitted there is none.
 *
 * Run as a program, it brings the loopback interface up, which is down in a new network; no package needs to be
 * installed for that.
 */
import { dlopen, ptr } from "bun:ffi";
import { readlink } from "node:fs/promises";
import { until, within } from "./poll.ts";

const NAME = "lo";

/** linux/sockios.h, linux/if.h, sys/socket.h */
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;
const AF_INET = 2;
const SOCK_DGRAM = 2;
/** struct ifreq: the name in 16 bytes, then the flags in 2. */
const REQUEST_BYTES = 40;
const FLAGS_OFFSET = 16;

export class PrivateNetwork implements AsyncDisposable {
  /** Lives in the network, and keeps it alive. */
  readonly #holder: Bun.Subprocess;

  private constructor(holder: Bun.Subprocess) {
    this.#holder = holder;
  }

  /** undefined where it is not permitted. */
  static async create(): Promise<PrivateNetwork | undefined> {
    if (Bun.which("unshare") === null || Bun.which("nsenter") === null) return undefined;
    const holder = Bun.spawn(["unshare", "--net", "sleep", "600"], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    const network = new PrivateNetwork(holder);
    if (await network.#isUp()) return network;
    await network[Symbol.asyncDispose]();
    return undefined;
  }

  /** What runs a command in the network: put it before. */
  get prefix(): string[] {
    return ["nsenter", `--net=/proc/${this.#holder.pid}/ns/net`, "--"];
  }

  /** unshare may not be in its new network yet when the first look is taken. */
  async #isUp(): Promise<boolean> {
    const result = await until("a network of its own", async () => {
      if (this.#holder.exitCode !== null) return "refused";
      const own = await namespaceOf("self");
      return (await namespaceOf(this.#holder.pid)) === own ? false : "made";
    });
    if (result === "refused") return false;
    const child = Bun.spawn([...this.prefix, process.execPath, import.meta.path], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    return (await within("bringing loopback up", child.exited)) === 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.kill("SIGKILL");
    await this.#holder.exited;
  }
}

function namespaceOf(pid: number | "self"): Promise<string> {
  return readlink(`/proc/${pid}/ns/net`);
}

function bringLoopbackUp(): void {
  const { symbols: libc } = dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  });
  const socket = libc.socket(AF_INET, SOCK_DGRAM, 0);
  const request = Buffer.alloc(REQUEST_BYTES);
  request.write(NAME, "latin1");
  let result = libc.ioctl(socket, SIOCGIFFLAGS, ptr(request));
  request.writeUInt16LE(request.readUInt16LE(FLAGS_OFFSET) | IFF_UP, FLAGS_OFFSET);
  if (result === 0) result = libc.ioctl(socket, SIOCSIFFLAGS, ptr(request));
  if (result !== 0) throw new Error("the loopback interface cannot be brought up");
}

if (import.meta.main) bringLoopbackUp();
