/**
 * `client-output-buffer-limit` in Redis's words, four of them for a class: `pubsub 32mb 8mb 60`. Classes that are not named
 * keep what they had.
 */
import { OUTPUT_CLASSES, type OutputClass, type OutputLimit } from "../session/output-limits.ts";
import { CommandError } from "./command-error.ts";
import { MEMORY_SIZE_PATTERN, parseMemorySize } from "./memory-size.ts";

type Limits = Readonly<Record<OutputClass, OutputLimit>>;

const SIZE = MEMORY_SIZE_PATTERN.slice(1, -1);
const CLASS =
  "([nN][oO][rR][mM][aA][lL]|[rR][eE][pP][lL][iI][cC][aA]|[sS][lL][aA][vV][eE]|[pP][uU][bB][sS][uU][bB])";
const ONE = `${CLASS} +${SIZE} +${SIZE} +[0-9]{1,9}`;

/** The same rule for a JSON Schema, which has no flag for "case does not matter". */
export const OUTPUT_LIMITS_PATTERN = `^ *(${ONE}( +${ONE})*)? *$`;

/** Throws a CommandError in the words of Redis. */
export function parseOutputLimits(text: string, current: Limits): Limits {
  const words = text.split(" ").filter((word) => word !== "");
  if (words.length % 4 !== 0) {
    throw new CommandError("ERR", "Wrong number of arguments in buffer limit configuration.");
  }
  const limits = { ...current };
  for (let i = 0; i < words.length; i += 4) {
    limits[readClass(words[i])] = readLimit(words[i + 1], words[i + 2], words[i + 3]);
  }
  return limits;
}

function readClass(word: string): OutputClass {
  const name = word.toLowerCase();
  const found = OUTPUT_CLASSES.find(
    (one) => one === name || (one === "replica" && name === "slave"),
  );
  if (found !== undefined) return found;
  throw new CommandError("ERR", "Invalid client class specified in buffer limit configuration.");
}

function readLimit(hard: string, soft: string, seconds: string): OutputLimit {
  const hardBytes = parseMemorySize(hard);
  const softBytes = parseMemorySize(soft);
  if (hardBytes === undefined || softBytes === undefined || !/^\d{1,9}$/.test(seconds)) {
    const message = "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
    throw new CommandError("ERR", message);
  }
  return { hardBytes, softBytes, softSeconds: Number(seconds) };
}

/** As CONFIG GET tells them: Redis 7.0 still says `slave`. */
export function outputLimitsText(limits: Limits): string {
  return OUTPUT_CLASSES.map((name) => {
    const { hardBytes, softBytes, softSeconds } = limits[name];
    return `${name === "replica" ? "slave" : name} ${hardBytes} ${softBytes} ${softSeconds}`;
  }).join(" ");
}
