/**
 * A disk of a test's own: a file with a file system in it, mounted through a loop device. It can
 * lose its power, stall, fill up, fall back to read-only or be gone, and nobody else notices: it is
 * mounted in a namespace of its own. Linux, as a rule root, with the file system's tools installed.
 *
 * Invariant: nothing of it outlives the test. The namespace lives as long as its holder, a process
 * that ends with the test's own, and with the namespace go the mount and the loop device; processes
 * that were started `through` the disk are killed with the test as well. A killed run leaves a file
 * at most, which the next one removes.
 */
import { access, constants, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { within } from "./poll.ts";
import { outcomeOf } from "./run.ts";

export type FileSystem = "ext4" | "xfs";

/** Sparse. XFS is refused below 300 MiB. */
const IMAGE_BYTES = 512 * 1_048_576;
const MAKE = {
  ext4: ["mkfs.ext4", "-q", "-F", "-m", "0"], // nothing in reserve for root: full is full
  xfs: ["mkfs.xfs", "-q", "-f"],
} satisfies Record<FileSystem, string[]>;

/** What a file system needs to note where the filler lies. */
const FILLER_SPARES_BYTES = 1_048_576;
const EXT4_SETTINGS = "/sys/fs/ext4";

const FOLDER_PREFIX = "kvdb-disk-";
/** Says that it is there, waits for the end of the test, and leaves nothing frozen. */
const HOLD = `echo held; read -r _; fsfreeze --unfreeze "$0" 2>/dev/null`;

type Holder = Bun.Subprocess<"pipe", "pipe", "ignore">;

export class ImageDisk implements AsyncDisposable {
  readonly kind: FileSystem;
  /** Where it is mounted, as a process started `through` it sees it. */
  readonly folder: string;
  readonly #root: string;
  readonly #holder: Holder;

  private constructor(kind: FileSystem, root: string) {
    this.kind = kind;
    this.#root = root;
    this.folder = join(root, "mount");
    const command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", HOLD];
    this.#holder = Bun.spawn([...command, this.folder], {
      ...{ stdin: "pipe", stdout: "pipe", stderr: "ignore" },
    });
  }

  /** Made, not yet mounted. */
  static async create(kind: FileSystem): Promise<ImageDisk> {
    await removeLeftovers();
    const root = await mkdtemp(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
    const disk = new ImageDisk(kind, root);
    try {
      await mkdir(disk.folder);
      const held = await within("a namespace", disk.#holder.stdout.getReader().read());
      if (held.value === undefined) throw new Error("no namespace of its own is permitted");
      await disk.run("truncate", `--size=${IMAGE_BYTES}`, disk.#image);
      await disk.run(...MAKE[kind], disk.#image);
      return disk;
    } catch (error) {
      await disk[Symbol.asyncDispose]();
      throw error;
    }
  }

  get #image(): string {
    return join(this.#root, "image");
  }

  /** Where a file of the disk is found from outside, while it is mounted. */
  path(...names: readonly string[]): string {
    return join(`/proc/${this.#holder.pid}/root`, this.folder, ...names);
  }

  /** What runs a command where the disk is seen, in a folder: put it before. */
  through(cwd: string): string[] {
    const enter = ["nsenter", `--mount=/proc/${this.#holder.pid}/ns/mnt`];
    const change = ["sh", "-c", 'cd "$0" && exec "$@"', cwd];
    return ["setpriv", "--pdeathsig", "KILL", ...enter, ...change];
  }

  /** Runs a program where the disk is seen, to its end. Throws when it fails. */
  async run(...command: readonly string[]): Promise<string> {
    const child = Bun.spawn([...this.through("/"), ...command], {
      ...{ stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    });
    const { code, stdout, stderr } = await outcomeOf(child, command.join(" "));
    if (code !== 0) throw new Error(`${command.join(" ")}: exit code ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  /** After a loss of power the file system recovers by its own log here. */
  async mount(options = "defaults"): Promise<void> {
    await this.run("mount", "-t", this.kind, "-o", `loop,${options}`, this.#image, this.folder);
  }

  /** Nobody may have a file of it open. */
  async unmount(): Promise<void> {
    await this.run("umount", this.folder);
  }

  /**
   * From here on nothing reaches the disk, and what has not reached it is lost with the next
   * `unmount`. `flushLog`: the file system's own log still reaches it, the data of files that were
   * not synced does not.
   */
  async cutPower({ flushLog = false } = {}): Promise<void> {
    await this.run("xfs_io", "-x", "-c", flushLog ? "shutdown -f" : "shutdown", this.folder);
  }

  /**
   * Writes bytes of a file to the disk that nobody has synced, as the system does when it likes.
   */
  async writeBack(path: string, offset: number, length: number): Promise<void> {
    await this.run("xfs_io", "-c", `sync_range -w ${offset} ${length}`, path);
  }

  /** Whoever writes or syncs waits until `thaw`. */
  async freeze(): Promise<void> {
    await this.run("fsfreeze", "--freeze", this.folder);
  }

  async thaw(): Promise<void> {
    await this.run("fsfreeze", "--unfreeze", this.folder);
  }

  /** Takes all the room that there is, until `removeFiller`. */
  async fill(): Promise<void> {
    const avail = await this.run("df", "--output=avail", "--block-size=1", this.folder);
    const length = Number(avail.split("\n")[1]) - FILLER_SPARES_BYTES;
    await this.run("fallocate", "--length", String(length), this.#filler);
  }

  async removeFiller(): Promise<void> {
    await this.run("rm", this.#filler);
  }

  /**
   * As after an error of its own, the file system falls back to read-only until it is mounted
   * again. ext4 with the mount option `errors=remount-ro`, where `mayFallBackToReadOnly`.
   */
  async fallBackToReadOnly(): Promise<void> {
    const device = await this.run("findmnt", "--noheadings", "--output=SOURCE", this.folder);
    await writeFile(`${EXT4_SETTINGS}/${basename(device.trim())}/trigger_fs_error`, "1");
  }

  get #filler(): string {
    return join(this.folder, "filler");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.stdin.end();
    await within("the end of a disk", this.#holder.exited);
    await rm(this.#root, { recursive: true, force: true });
  }
}

/** Whether a disk of that kind may be had here. */
export async function mayMakeDisk(kind: FileSystem): Promise<boolean> {
  const needed = ["unshare", "nsenter", "setpriv", "xfs_io", MAKE[kind][0] as string];
  if (process.platform !== "linux" || needed.some((name) => Bun.which(name) === null)) return false;
  try {
    await using disk = await ImageDisk.create(kind);
    await disk.mount();
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

export async function mayFallBackToReadOnly(): Promise<boolean> {
  try {
    await access(EXT4_SETTINGS, constants.W_OK);
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

/** Of runs that were killed. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${FOLDER_PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
