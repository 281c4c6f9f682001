/** A disk that is soon full: a file system in memory, which only the process that is started with it sees, and which ends with it. */

/** Runs what follows in a mount namespace of its own, in which the folder is a disk of that size. */
export function withDisk(folder: string, sizeBytes: number): string[] {
  const script = `mount -t tmpfs -o size=${sizeBytes} none "$0" && exec "$@"`;
  return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, folder];
}

/** Linux, as a rule root. */
export const mayMount = await (async () => {
  if (Bun.which("unshare") === null) return false;
  const command = [...withDisk("/mnt", 1_048_576), "true"];
  const child = Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] });
  return (await child.exited) === 0;
})();
