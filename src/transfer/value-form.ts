/**
 * The value of a key as JSON, both ways, in the forms of the readable file (plugins/json-snapshot/FORMAT.md): documents as they
 * are, strings as JSON strings or `{"$base64":…}`, values with elements as `{"$list":…}` and its like (elements-form.ts). A
 * document that would be read as one of these, a string or an object with a name that begins with `$`, stands in `{"$json":…}`.
 */
import { elementForms, elementsPayload, elementsText } from "./elements-form.ts";
import { ItemProblem, type TransferEntry } from "./entry.ts";
import { isObjectAt, membersOf, type ValueSpan } from "./json-members.ts";
import { readString, stringText } from "./string-text.ts";

const QUOTE = 0x22;
const DOLLAR = 0x24;

type Content = Pick<TransferEntry, "kind" | "value">;

const WRAP = [Buffer.from('{"$json":'), Buffer.from("}")] as const;

/** UTF-8. `isBare`: a document as it is, whatever it looks like. */
export function valueText({ kind, value }: Content, isBare = false): Buffer {
  switch (kind) {
    case "json":
      if (isBare || !isMistakable(value)) return value;
      return Buffer.concat([WRAP[0], value, WRAP[1]]);
    case "string":
      return Buffer.from(stringText(value));
    case "dump":
      return Buffer.from(elementsText(value));
  }
}

/** A document may have the `$` escaped. */
function isMistakable(text: Buffer): boolean {
  if (text[0] === QUOTE) return true;
  const mayHaveForms = text.indexOf(DOLLAR) >= 0 || text.indexOf("\\u0024") >= 0;
  if (!isObjectAt(text, 0) || !mayHaveForms) return false;
  return membersOf(text, 0, text.length).some(({ name }) => name.startsWith("$"));
}

/** The value bytes[start, end), compact. Throws an ItemProblem. */
export function readValueText(bytes: Buffer, { start, end }: ValueSpan): Content {
  if (bytes[start] === QUOTE) {
    const text: unknown = JSON.parse(bytes.toString("utf8", start, end));
    return { kind: "string", value: readString(text, "value") };
  }
  const [first] = isObjectAt(bytes, start) ? membersOf(bytes, start, end) : [];
  if (first === undefined || !first.name.startsWith("$")) return document(bytes, start, end);
  if (first.end !== end - 1) {
    throw new ItemProblem(`"${first.name}" stands alone in its object`, first.nameStart);
  }
  if (first.name === "$json") return document(bytes, first.start, first.end);
  if (first.name === "$base64") {
    const whole: unknown = JSON.parse(bytes.toString("utf8", start, end));
    return { kind: "string", value: readString(whole, "value") };
  }
  if (elementForms.includes(first.name)) {
    const content: unknown = JSON.parse(bytes.toString("utf8", first.start, first.end));
    return { kind: "dump", value: elementsPayload(first.name, content) };
  }
  const forms = ["$json", "$base64", ...elementForms].join(", ");
  throw new ItemProblem(
    `unknown form "${first.name}": expected ${forms}, or the document within {"$json": …}`,
    first.nameStart,
  );
}

function document(bytes: Buffer, start: number, end: number): Content {
  return { kind: "json", value: Buffer.from(bytes.subarray(start, end)) };
}
