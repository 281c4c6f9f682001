/** What a command answered, as plain JavaScript: see CommandResult in database.ts. */
import { isUtf8 } from "node:buffer";
import { KvdbError } from "../errors.ts";
import type { Answer, ErrorAnswer } from "../resp/answer.ts";
import type { CommandResult } from "./database.ts";

export function plainAnswer(answer: Answer): CommandResult {
  switch (answer.kind) {
    case "null":
      return null;
    case "bulk":
      return isUtf8(answer.bytes) ? answer.bytes.toString() : new Uint8Array(answer.bytes);
    case "status":
    case "verbatim":
      return answer.text;
    case "integer":
    case "double":
    case "boolean":
      return answer.value;
    case "error":
      return replyError(answer);
    case "map":
      return new Map(
        answer.entries.map(([key, value]) => [plainAnswer(key), plainAnswer(value)] as const),
      );
    default:
      return answer.items.map(plainAnswer);
  }
}

export function replyError({ code, text }: ErrorAnswer): KvdbError {
  return new KvdbError("COMMAND", `${code} ${text}`, { reply: code });
}
