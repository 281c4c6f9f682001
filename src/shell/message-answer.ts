/**
 * Messages to who listens (SUBSCRIBE and its kin, or MONITOR, at a prompt or from a terminal), one after the other as they come. In JSON
 * each is an object on a line of its own, in CSV a row; else they look like any array, as in redis-cli.
 *
 *   {"type":"pmessage","pattern":"n*","channel":"news","message":"hello"}
 *   {"type":"subscribe","channel":"news","subscriptions":1}
 */
import { type Part, partText } from "../client/link.ts";
import type { CommandInfo } from "../commands/command.ts";
import type { Answer } from "../resp/answer.ts";
import { type OutputStyle, renderAnswer } from "./answer-text.ts";

const LISTENING = new Set(["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR"]);

/** What redis-cli says while it listens. */
export const LISTENING_NOTE = "Reading messages... (press Ctrl-C to quit)";

/** Whether the command begins to listen. Of a server whose commands are not known the word alone tells. */
export function beginsToListen(
  { name }: Pick<CommandInfo, "name">,
  parts: readonly Part[],
): boolean {
  return LISTENING.has(name || partText(parts[0] ?? "").toUpperCase());
}

export function renderMessage(message: Answer, style: Omit<OutputStyle, "isValue">): Buffer {
  const whole = { ...style, isValue: false };
  // A line of MONITOR.
  if (!("items" in message)) return renderAnswer(message, whole);
  const { items } = message;
  if (style.mode === "json") return renderAnswer(asObject(items), { ...whole, columns: 0 });
  if (style.mode === "csv") {
    return renderAnswer({ kind: "array", items: [{ kind: "array", items }] }, whole);
  }
  return renderAnswer({ kind: "array", items }, whole);
}

function asObject(items: readonly Answer[]): Answer {
  const word = items[0]?.kind === "bulk" ? items[0].bytes.toString() : "";
  const names = NAMES[word] ?? (word.startsWith("p") ? CONFIRMED_PATTERN : CONFIRMED);
  const entries = items.map(
    (item, index) => [nameOf(names[index] ?? String(index)), item] as const,
  );
  return { kind: "map", entries };
}

const CONFIRMED = ["type", "channel", "subscriptions"];
const CONFIRMED_PATTERN = ["type", "pattern", "subscriptions"];
const MESSAGE = ["type", "channel", "message"];

const NAMES: Readonly<Record<string, readonly string[]>> = {
  message: MESSAGE,
  smessage: MESSAGE,
  pmessage: ["type", "pattern", "channel", "message"],
};

function nameOf(text: string): Answer {
  return { kind: "bulk", bytes: Buffer.from(text) };
}
