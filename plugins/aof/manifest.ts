/**
 * The manifest, `appendonly.aof.manifest`: which files of the folder count, in Redis's own form.
 * Redis reads it as it is: comments and keys that it does not know it passes over.
 *
 *   #kvdb-manifest 1 7d0be3a2
 *   file appendonly.aof.3.base.rdb seq 3 type b kvdb revision=50310,bytes=4718592
 *   file appendonly.aof.7.incr.aof seq 7 type i kvdb salt=a54bd65b,first=50311,bytes=910220
 *   file appendonly.aof.8.incr.aof seq 8 type i kvdb salt=35f58e01,first=61234
 *
 * One base at most, then increments in the order in which they are applied; the last is written on.
 * Type `h` is history: needed no more. `kvdb` says what only kvdb wants to know:
 *
 *   revision  of a base: everything up to it is in there, and nothing later
 *   bytes     the first so many bytes count and were durable: the length of a base; of an increment
 *             when the next one was begun
 *   salt      as in the head of the file, in hex; first: the first revision of an increment, likewise
 *   covered   of history: it is kept for who reads the log, since when the base covers it, in
 *             milliseconds since 1970; what is wrong with it costs no data
 *   packed    of an increment that is compressed: the length of the file, `bytes` being that of what
 *             is in it
 *
 * A line `#kvdb-followed` behind the head: somebody has followed the changes, so some increments are kept.
 *
 * The version is `1-off` when the append-only file was switched off and an RDB has taken its place, and
 * `1-new` while it is switched on for the first time: nothing that is named counts then.
 * The head has the version of this form and the CRC-32 of that, a space, and all behind its line. A manifest that Redis has rewritten has
 * neither the head nor such words, and is taken for what it says; one that has the words and not the
 * head is damaged.
 */
import { join } from "node:path";
import { type Files, KvdbError, type Revision } from "kvdb";
import { quotedWord, splitWords } from "./quoted-words.ts";

const FORMAT = "1";
const STANDINGS: readonly Standing[] = ["off", "new"];
const HEAD = "#kvdb-manifest ";
/** Somebody has followed the changes, so some increments are to be kept. */
const FOLLOWED_LINE = "#kvdb-followed\n";
/** Redis's bound. */
const MAX_LINE_BYTES = 1024;
/** What Redis writes is some hundred bytes. */
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

/** What counts, as a manifest says. */
export interface LiveFiles {
  readonly base?: BaseEntry;
  readonly increments: readonly IncrementEntry[];
  /** Names of files that are needed no more, and may be gone. */
  readonly history: readonly string[];
  /** Increments that the base covers, oldest first, which are kept for who reads the log. */
  readonly kept?: readonly KeptIncrement[];
  /** Somebody has followed the changes. */
  readonly followed?: boolean;
  /**
   * None of it counts. `off`: the append-only file was switched off, and an RDB has taken its place. `new`: it is being
   * switched on for the first time.
   */
  readonly standing?: Standing;
}

export type Standing = "off" | "new";

interface FileEntry {
  readonly name: string;
  readonly sequence: number;
  /** Length of the file when it was read; no manifest has it. */
  readonly size?: number;
}

export interface BaseEntry extends FileEntry {
  /** Absent: it is not of kvdb. */
  readonly own?: OwnBase;
}

export interface OwnBase {
  readonly revision: Revision;
  readonly bytes: number;
  /** Of one that consists of commands. */
  readonly salt?: number;
}

export interface IncrementEntry extends FileEntry {
  /** Absent: kvdb did not write it. */
  readonly own?: OwnIncrement;
}

export interface OwnIncrement {
  readonly salt: number;
  readonly firstRevision: Revision;
  /** How many bytes of it count; absent for the last one, which is still written. */
  readonly bytes?: number;
  /** It is compressed: `bytes` are those of its content, these are those of the file. */
  readonly packedBytes?: number;
}

export interface KeptIncrement extends IncrementEntry {
  readonly own: OwnIncrement;
  /** In milliseconds since 1970. */
  readonly coveredMs: number;
}

export type ReadManifest =
  | { readonly kind: "missing" }
  | { readonly kind: "damaged"; readonly bytes: number; readonly reason: string }
  /** `isOwn`: kvdb was the last to write it. */
  | { readonly kind: "intact"; readonly live: LiveFiles; readonly isOwn: boolean };

export const MANIFEST_SUFFIX = ".manifest";

export async function readManifest(files: Files, path: string): Promise<ReadManifest> {
  if (!(await files.exists(path))) return { kind: "missing" };
  const text = await readText(files, path);
  return parseManifest(text, path);
}

/** Durable when it resolves. */
export async function writeManifest(files: Files, path: string, live: LiveFiles): Promise<void> {
  await files.replace(path, Buffer.from(manifestText(live), "latin1"));
}

// ---- writing ----

export function manifestText(live: LiveFiles): string {
  const { base, increments, history, kept = [], followed, standing } = live;
  const lines = [
    ...(followed === true ? [FOLLOWED_LINE] : []),
    ...(base === undefined ? [] : [fileLine(base, "b", baseWords(base))]),
    ...history.map((name) => fileLine({ name, sequence: 1 }, "h", "")),
    ...kept.map((entry) => fileLine(entry, "h", keptWords(entry))),
    ...increments.map((entry) => fileLine(entry, "i", incrementWords(entry))),
  ];
  const rest = lines.join("");
  const form = standing === undefined ? FORMAT : `${FORMAT}-${standing}`;
  return `${HEAD}${form} ${checksumOf(form, rest)}\n${rest}`;
}

function fileLine({ name, sequence }: FileEntry, type: string, words: string): string {
  const own = words === "" ? "" : ` kvdb ${words}`;
  return `file ${quotedWord(name)} seq ${sequence} type ${type}${own}\n`;
}

function baseWords({ own }: BaseEntry): string {
  if (own === undefined) return "";
  const salt = own.salt === undefined ? "" : `,salt=${hex(own.salt)}`;
  return `revision=${own.revision},bytes=${own.bytes}${salt}`;
}

function incrementWords({ own }: IncrementEntry): string {
  if (own === undefined) return "";
  const { salt, firstRevision, bytes, packedBytes } = own;
  const words = [`salt=${hex(salt)}`, `first=${firstRevision}`];
  if (bytes !== undefined) words.push(`bytes=${bytes}`);
  if (packedBytes !== undefined) words.push(`packed=${packedBytes}`);
  return words.join(",");
}

function keptWords(entry: KeptIncrement): string {
  return `${incrementWords(entry)},covered=${entry.coveredMs}`;
}

function checksumOf(format: string, text: string): string {
  return hex(Bun.hash.crc32(Buffer.from(`${format} ${text}`, "latin1")));
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}

// ---- reading ----

/** Throws a CONFIG for a version that this kvdb does not know. */
function parseManifest(text: string, path: string): ReadManifest {
  const damaged = (reason: string) => ({ kind: "damaged", bytes: text.length, reason }) as const;
  const headEnd = text.indexOf("\n");
  const hasHead = text.startsWith(HEAD);
  if (hasHead) {
    const rest = text.slice(headEnd + 1);
    const [format, checksum] = text.slice(HEAD.length, Math.max(0, headEnd)).split(" ");
    if (headEnd < 0 || checksum !== checksumOf(format ?? "", rest))
      return damaged("its checksum does not fit");
    if (format !== FORMAT && standingOf(format) === undefined) {
      const message = `${path}: format version ${format}, this kvdb reads ${FORMAT}`;
      throw new KvdbError("CONFIG", message);
    }
  }
  const parser = new ManifestParser(hasHead);
  const problem = parser.run(text);
  if (problem !== "") return damaged(problem);
  const standing = standingOf(hasHead ? text.slice(HEAD.length).split(" ", 1)[0] : "");
  const live = standing === undefined ? parser.live : { ...parser.live, standing };
  return { kind: "intact", live, isOwn: hasHead };
}

function standingOf(form: string | undefined): Standing | undefined {
  return STANDINGS.find((standing) => form === `${FORMAT}-${standing}`);
}

class ManifestParser {
  readonly #hasHead: boolean;
  #base: BaseEntry | undefined;
  readonly #increments: IncrementEntry[] = [];
  readonly #history: string[] = [];
  readonly #kept: KeptIncrement[] = [];
  #isFollowed = false;

  constructor(hasHead: boolean) {
    this.#hasHead = hasHead;
  }

  get live(): LiveFiles {
    const base = this.#base === undefined ? {} : { base: this.#base };
    const kept = this.#kept.length === 0 ? {} : { kept: this.#kept };
    const followed = this.#isFollowed ? { followed: true } : {};
    const { increments, history } = { increments: this.#increments, history: this.#history };
    return { ...base, increments, history, ...kept, ...followed };
  }

  /** What is wrong with it; empty: nothing. */
  run(text: string): string {
    const lines = text.split("\n");
    if (lines.pop() !== "") return "its last line has no end";
    this.#isFollowed = lines.includes(FOLLOWED_LINE.trimEnd());
    for (const [index, line] of lines.entries()) {
      const problem = line.startsWith("#") ? "" : this.#line(line.replace(/\r$/, ""));
      if (problem !== "") return `line ${index + 1}: ${problem}`;
    }
    const isEmpty =
      this.#base === undefined && this.#increments.length + this.#history.length === 0;
    return isEmpty ? "it names no file" : "";
  }

  #line(line: string): string {
    if (line.length >= MAX_LINE_BYTES) return "it is too long";
    const words = splitWords(line);
    if (words === undefined || words.length % 2 !== 0) return "it is no list of names and values";
    const pairs = new Map<string, string>();
    for (let i = 0; i < words.length; i += 2) {
      pairs.set((words[i] as string).toLowerCase(), words[i + 1] as string);
    }
    const name = pairs.get("file") ?? "";
    const sequence = Number(pairs.get("seq"));
    if (name === "" || /[/\\\0]/.test(name) || /^\.\.?$/.test(name)) return "it names no file";
    if (!Number.isSafeInteger(sequence) || sequence < 1) return "it has no sequence number";
    const words2 = pairs.get("kvdb");
    if (words2 !== undefined && !this.#hasHead) return "kvdb's head of the manifest is missing";
    return this.#add({ name, sequence }, pairs.get("type") ?? "", ownWords(words2 ?? ""));
  }

  #add(entry: FileEntry, type: string, own: ReadonlyMap<string, string>): string {
    switch (type) {
      case "b":
        if (this.#base !== undefined) return "there are two bases";
        this.#base = { ...entry, ...ownOfBase(own) };
        return "";
      case "i": {
        const last = this.#increments.at(-1)?.sequence ?? 0;
        if (entry.sequence <= last) return "its sequence number is not above the one before";
        this.#increments.push({ ...entry, ...ownOfIncrement(own) });
        return "";
      }
      case "h": {
        const { own: increment } = ownOfIncrement(own);
        const covered = own.get("covered");
        if (increment === undefined || covered === undefined) this.#history.push(entry.name);
        else this.#kept.push({ ...entry, own: increment, coveredMs: Number(covered) });
        return "";
      }
      default:
        return `it has no type that is known: ${JSON.stringify(type)}`;
    }
  }
}

function ownWords(text: string): ReadonlyMap<string, string> {
  return new Map(
    text
      .split(",")
      .filter((word) => word.includes("="))
      .map((word) => word.split("=", 2) as [string, string]),
  );
}

// What is in these words was written by kvdb: the checksum of the head says so.

function ownOfBase(own: ReadonlyMap<string, string>): Pick<BaseEntry, "own"> {
  const revision = own.get("revision");
  if (revision === undefined) return {};
  const salt = own.get("salt");
  const begun = salt === undefined ? {} : { salt: Number.parseInt(salt, 16) };
  return { own: { revision: Number(revision), bytes: Number(own.get("bytes")), ...begun } };
}

function ownOfIncrement(own: ReadonlyMap<string, string>): Pick<IncrementEntry, "own"> {
  const salt = own.get("salt");
  if (salt === undefined) return {};
  const bytes = own.get("bytes");
  const packed = own.get("packed");
  return {
    own: {
      salt: Number.parseInt(salt, 16),
      firstRevision: Number(own.get("first")),
      ...(bytes === undefined ? {} : { bytes: Number(bytes) }),
      ...(packed === undefined ? {} : { packedBytes: Number(packed) }),
    },
  };
}

async function readText(files: Files, path: string): Promise<string> {
  const file = await files.open(path, "read");
  try {
    const size = await file.size();
    if (size > MAX_MANIFEST_BYTES) {
      throw new KvdbError("DAMAGE", `${path}: ${size} bytes are no manifest`);
    }
    const bytes = Buffer.alloc(size);
    const count = await file.read(bytes, 0, size, 0);
    return bytes.toString("latin1", 0, count);
  } finally {
    await file.close();
  }
}

// ---- names ----

/** Where the files of one folder are, and what they are called. */
export class FileNames {
  readonly folder: string;
  readonly #name: string;

  /** `name`: Redis's appendfilename. */
  constructor(folder: string, name: string) {
    this.folder = folder;
    this.#name = name;
  }

  get manifestPath(): string {
    return this.path(this.#name + MANIFEST_SUFFIX);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  base(sequence: number, isRdb: boolean): string {
    return `${this.#name}.${sequence}.base.${isRdb ? "rdb" : "aof"}`;
  }

  increment(sequence: number): string {
    return `${this.#name}.${sequence}.incr.aof`;
  }

  packed(sequence: number): string {
    return `${this.increment(sequence)}${PACKED_SUFFIX}`;
  }

  /** What a name in the folder stands for; undefined: it is none of these. */
  parse(name: string): NamedFile | undefined {
    if (!name.startsWith(`${this.#name}.`)) return undefined;
    const rest = name.slice(this.#name.length + 1);
    const found = /^([1-9]\d{0,14})\.(base\.rdb|base\.aof|incr\.aof|incr\.aof\.zst)$/.exec(rest);
    if (found === null) return undefined;
    const kind = found[2]?.startsWith("base") ? "base" : "increment";
    return { name, path: this.path(name), kind, sequence: Number(found[1]) };
  }
}

/** So that `zstd -d` gives the file back, and Redis refuses what it cannot read. */
export const PACKED_SUFFIX = ".zst";

export interface NamedFile {
  readonly name: string;
  readonly path: string;
  readonly kind: "base" | "increment";
  readonly sequence: number;
}
