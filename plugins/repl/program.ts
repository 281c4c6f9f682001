/**
 * Another program on the terminal: the pager, or what stands behind a bar. It has the terminal for
 * itself meanwhile: the shell reads no key, and Ctrl-C is the program's.
 */
import { KvdbError, type Terminal } from "kvdb";

/** What holds the shell back from the keys. */
export interface KeyReader {
  suspend(): void;
  resume(): void;
}

export interface ProgramOptions {
  readonly terminal: Terminal;
  readonly reader: KeyReader;
  /** Called with the function that ends the program early. */
  onStart(stop: () => void): void;
}

/** Gives `input` to the program as its standard input; resolves to its exit code when it ended. */
export async function runProgram(
  command: string,
  input: Uint8Array,
  { terminal, reader, onStart }: ProgramOptions,
): Promise<number> {
  reader.suspend();
  const interrupt = terminal.onInterrupt;
  terminal.onInterrupt = () => {}; // it is the program's
  try {
    const child = Bun.spawn(["sh", "-c", command], {
      stdin: input,
      stdout: "inherit",
      stderr: "inherit",
      // Without a locale, less would write the bytes of every `─` and `é` as numbers.
      env: { LESSCHARSET: "utf-8", ...terminal.environment },
    });
    onStart(() => child.kill());
    return await child.exited;
  } catch (cause) {
    throw new KvdbError("IO", `running ${command}: ${(cause as Error).message}`, { cause });
  } finally {
    terminal.onInterrupt = interrupt;
    reader.resume();
  }
}

/**
 * $PAGER, else less: -F ends at once what fits, -R lets colours through, -X leaves the text on the
 * screen. Undefined where there is none.
 */
export function pagerCommand({ environment }: Terminal): string | undefined {
  const named = environment["PAGER"];
  if (named !== undefined && named !== "") return named;
  return Bun.which("less") === null ? undefined : "less -FRX";
}
