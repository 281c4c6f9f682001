/**
 * The file of users (aclfile): a line `user name rule …` for each, as Redis has it, so that either server reads the other's.
 * Lines that begin with # are comments, which Redis does not know, and which a save does not keep. A file with a fault is
 * refused whole; every line that has one is named, in Redis's words, without the rule itself where a password may stand.
 */
import { CommandError } from "../commands/command-error.ts";
import { asKvdbError } from "../errors.ts";
import type { Files } from "../platform/files.ts";
import { UNKNOWN_FAULT } from "./rule-fault.ts";
import { joinSelectors } from "./rule-words.ts";
import type { User } from "./user.ts";

/** More is no file of users. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const NOTHING_CHANGED =
  "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
const NO_FILE =
  "This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.";

/** Those of ASCII alone, as in Redis: a line is text of bytes, in which others are parts of letters. */
const BLANKS_AROUND = /^[ \t\r]+|[ \t\r]+$/g;

export interface UserFile {
  /** Empty: there is none. */
  readonly path: string;
  read(): Promise<Buffer>;
  write(bytes: Uint8Array): Promise<void>;
}

export const NO_USER_FILE: UserFile = {
  path: "",
  read: () => Promise.reject(new CommandError("ERR", NO_FILE)),
  write: () => Promise.reject(new CommandError("ERR", NO_FILE)),
};

export function openUserFile(path: string, files: Files): UserFile {
  return {
    path,
    async read() {
      try {
        return await readWhole(path, files);
      } catch (error) {
        const reason = asKvdbError(error).message;
        throw new CommandError("ERR", `Error loading ACLs, opening file '${path}': ${reason}`);
      }
    },
    async write(bytes) {
      try {
        await files.replace(path, bytes);
      } catch (error) {
        const reason = asKvdbError(error).message;
        throw new CommandError("ERR", `There was an error trying to save the ACLs: ${reason}`);
      }
    },
  };
}

async function readWhole(path: string, files: Files): Promise<Buffer> {
  const file = await files.open(path, "read");
  try {
    const bytes = Buffer.alloc(Math.min(await file.size(), MAX_FILE_BYTES));
    const count = await file.read(bytes, 0, bytes.length, 0);
    return bytes.subarray(0, count);
  } finally {
    await file.close();
  }
}

export async function writeUsers(file: UserFile, lines: readonly Uint8Array[]): Promise<void> {
  const end = Buffer.from("\n");
  await file.write(Buffer.concat(lines.flatMap((line) => [line, end])));
}

/** `newUser` makes one without any rights. Rejects with a CommandError that names every fault. */
export async function readUsers(
  file: UserFile,
  newUser: (name: string) => User,
): Promise<ReadonlyMap<string, User>> {
  const users = new Map<string, User>();
  const faults: string[] = [];
  const lines = (await file.read()).toString("latin1").split("\n");
  lines.forEach((text, index) => {
    const line = text.replace(BLANKS_AROUND, "");
    if (line === "" || line.startsWith("#")) return;
    readLine({ line, number: index + 1, path: file.path }, users, newUser, faults);
  });
  if (faults.length === 0) return users;
  throw new CommandError("ERR", `${faults.join("")}${NOTHING_CHANGED}`);
}

interface Place {
  readonly line: string;
  readonly number: number;
  readonly path: string;
}

function readLine(
  { line, number, path }: Place,
  users: Map<string, User>,
  newUser: (name: string) => User,
  faults: string[],
): void {
  const [keyword, shown = "", ...words] = line.split(/ +/);
  if (keyword !== "user" || shown === "") {
    faults.push(`${path}:${number} should start with user keyword followed by the username. `);
    return;
  }
  const name = Buffer.from(shown, "latin1").toString();
  if (users.has(name)) {
    faults.push(`WARNING: Duplicate user '${name}' found on line ${number}. `);
    return;
  }
  const rules = joinSelectors(words);
  if ("unmatched" in rules) {
    faults.push(`${path}:${number}: Unmatched parenthesis in selector definition.`);
    return;
  }
  const user = newUser(name);
  faults.push(...faultsOf(user, rules).map((fault) => `${path}:${number}: ${fault}. `));
  users.set(name, user);
}

/** Of faults other than unknown commands the first alone: the others may follow from it. */
function faultsOf(user: User, rules: readonly string[]): readonly string[] {
  const faults: string[] = [];
  let hasOther = false;
  for (const rule of rules) {
    const fault = user.apply(rule);
    if (fault === UNKNOWN_FAULT) faults.push(`Error in applying operation '${rule}': ${fault}`);
    else if (fault !== null && !hasOther) {
      hasOther = true;
      faults.push(fault);
    }
  }
  return faults;
}
