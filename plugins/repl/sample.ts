/** `peek key`: what a key is, how large, how long it lives, and the beginning of its value. */
import { type Answer, KvdbError, type Part } from "kvdb";
import { byteText, quote, quoteWord, renderAnswer } from "kvdb/shell";

type Call = (parts: readonly Part[]) => Promise<Answer>;

/** Elements, and bytes of a string, that are asked for: no look at a key is to take long. */
const SAMPLE_ELEMENTS = 10;
const SAMPLE_BYTES = 1024;
/** A document is answered whole: a larger one is not asked for. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

export interface Peeked {
  readonly type: string;
  /** Names and values of what is known, in order. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** The beginning of the value, a line each. */
  readonly sample: readonly string[];
}

/** How a document is shown. */
export interface SampleStyle {
  readonly columns: number;
  readonly colour: boolean;
}

/** Undefined when there is no such key. Rejects with a KvdbError where the key may not be read. */
export async function peek(key: Part, call: Call, style: SampleStyle): Promise<Peeked | undefined> {
  const type = await call(["TYPE", key]);
  if (type.kind === "error") throw refused(type);
  const name = textOf(type);
  if (name === "none") return undefined;
  // What a server does not know or does not allow is left out.
  const [encoding, bytes, ttl] = await Promise.all([
    call(["OBJECT", "ENCODING", key]),
    call(["MEMORY", "USAGE", key]),
    call(["PTTL", key]),
  ]);
  const sizeBytes = bytes.kind === "integer" ? Number(bytes.value) : undefined;
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  const count = kind?.count === undefined ? undefined : await call([kind.count, key]);
  return {
    type: kind?.title ?? name,
    facts: [
      ...fact("encoding", textOf(encoding)),
      ...fact(kind?.unit ?? "length", count?.kind === "integer" ? String(count.value) : ""),
      ...fact("memory", sizeBytes === undefined ? "" : byteText(sizeBytes)),
      ...fact("expires", ttl.kind === "integer" ? lifeText(Number(ttl.value)) : ""),
    ],
    sample: (await kind?.sample(key, call, { ...style, sizeBytes: sizeBytes ?? 0 })) ?? [],
  };
}

function fact(name: string, value: string): [string, string][] {
  return value === "" ? [] : [[name, value]];
}

interface Kind {
  readonly title: string;
  /** The command that counts what `unit` says. */
  readonly count?: string;
  readonly unit?: string;
  sample(
    key: Part,
    call: Call,
    options: SampleStyle & { readonly sizeBytes: number },
  ): Promise<readonly string[]>;
}

const kinds: Readonly<Record<string, Kind>> = {
  string: {
    title: "string",
    count: "STRLEN",
    unit: "bytes",
    sample: async (key, call) => {
      const answer = await call(["GETRANGE", key, "0", String(SAMPLE_BYTES - 1)]);
      return answer.kind === "bulk" ? [quote(answer.bytes)] : [];
    },
  },
  "ReJSON-RL": {
    title: "JSON",
    sample: async (key, call, { sizeBytes, ...style }) => {
      if (sizeBytes > MAX_DOCUMENT_BYTES) return ["(too large for a look; `get` prints it)"];
      return documentLines(await call(["GET", key]), style);
    },
  },
  list: {
    title: "list",
    count: "LLEN",
    unit: "elements",
    sample: async (key, call) =>
      elementLines(await call(["LRANGE", key, "0", String(SAMPLE_ELEMENTS - 1)]), 1),
  },
  set: {
    title: "set",
    count: "SCARD",
    unit: "members",
    sample: async (key, call) => elementLines(scanned(await call(["SSCAN", key, "0"])), 1),
  },
  hash: {
    title: "hash",
    count: "HLEN",
    unit: "fields",
    sample: async (key, call) => elementLines(scanned(await call(["HSCAN", key, "0"])), 2),
  },
  zset: {
    title: "sorted set",
    count: "ZCARD",
    unit: "members",
    sample: async (key, call) => elementLines(scanned(await call(["ZSCAN", key, "0"])), 2),
  },
  stream: {
    title: "stream",
    count: "XLEN",
    unit: "entries",
    sample: async (key, call) =>
      elementLines(await call(["XRANGE", key, "-", "+", "COUNT", String(SAMPLE_ELEMENTS)]), 1),
  },
};

function scanned(answer: Answer): Answer {
  return (answer.kind === "array" && answer.items[1]) || answer;
}

/** `size` elements a line: a field and its value belong together. */
function elementLines(answer: Answer, size: 1 | 2): string[] {
  const items = "items" in answer ? answer.items : [];
  const lines: string[] = [];
  for (let at = 0; at < items.length && lines.length < SAMPLE_ELEMENTS; at += size) {
    lines.push(
      items
        .slice(at, at + size)
        .map(elementText)
        .join(": "),
    );
  }
  return lines;
}

function elementText(answer: Answer): string {
  if ("items" in answer) return `[${answer.items.map(elementText).join(", ")}]`;
  return answer.kind === "bulk" ? quote(answer.bytes) : textOf(answer);
}

/** Laid out as `get` does, its first lines. */
function documentLines(answer: Answer, style: SampleStyle): string[] {
  if (answer.kind !== "bulk") return [];
  const text = renderAnswer(answer, { mode: "plain", isValue: true, ...style }).toString();
  const lines = text.trimEnd().split("\n");
  return lines.length <= SAMPLE_ELEMENTS ? lines : [...lines.slice(0, SAMPLE_ELEMENTS), "…"];
}

function refused(answer: Extract<Answer, { kind: "error" }>): KvdbError {
  return new KvdbError("COMMAND", `${answer.code} ${answer.text}`);
}

function textOf(answer: Answer): string {
  if (answer.kind === "bulk") return quoteWord(answer.bytes.toString());
  if (answer.kind === "integer" || answer.kind === "double") return String(answer.value);
  return answer.kind === "status" ? answer.text : "";
}

// ---- times in words ----

const spans: readonly (readonly [name: string, ms: number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
];

/** PTTL's answer: the two largest units of it. */
export function lifeText(milliseconds: number): string {
  if (milliseconds < 0) return "never";
  const parts: string[] = [];
  let rest = milliseconds;
  for (const [name, ms] of spans) {
    const count = Math.floor(rest / ms);
    rest -= count * ms;
    if (count > 0) parts.push(`${count} ${name}${count === 1 ? "" : "s"}`);
    if (parts.length === 2) break;
  }
  return `in ${parts.length === 0 ? "less than a second" : parts.join(" ")}`;
}
