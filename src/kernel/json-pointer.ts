/**
 * Places inside a configuration. Inside kvdb a place is a JSON Pointer (RFC 6901,
 * `/frontends/0/port`), because that is what ajv reports; people are shown a JSON path
 * (`frontends[0].port`).
 */
export function pointerOf(segments: readonly (string | number)[]): string {
  return segments.map((segment) => `/${escapeSegment(String(segment))}`).join("");
}

export function segmentsOf(pointer: string): string[] {
  if (pointer === "") return [];
  return pointer.slice(1).split("/").map(unescapeSegment);
}

/** `frontends[0].port`; a key that is not a plain word is quoted: `indexes["by city"]`. */
export function pathOf(pointer: string): string {
  let path = "";
  for (const segment of segmentsOf(pointer)) {
    if (/^\d+$/.test(segment)) path += `[${segment}]`;
    else if (!/^[\w$-]+$/.test(segment)) path += `[${JSON.stringify(segment)}]`;
    else path += path === "" ? segment : `.${segment}`;
  }
  return path;
}

/**
 * What stands at a place, undefined when there is nothing. Only own keys count: `/__proto__` is a
 * key like others.
 */
export function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  for (const segment of segmentsOf(pointer)) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, segment)) {
      return undefined;
    }
    value = (value as Record<string, unknown>)[segment];
  }
  return value;
}

/**
 * The values of a configuration with their places: objects, and lists of objects, are gone through; a
 * list of scalars is one value.
 */
export function leavesOf(value: unknown, pointer = ""): [pointer: string, value: unknown][] {
  const isGroup = typeof value === "object" && value !== null && Object.keys(value).length > 0;
  const isScalars = Array.isArray(value) && value.every((one) => typeof one !== "object");
  if (!isGroup || isScalars) return [[pointer, value]];
  return Object.entries(value).flatMap(([key, inner]) =>
    leavesOf(inner, pointer + pointerOf([key])),
  );
}

function escapeSegment(segment: string): string {
  return segment.replaceAll("~", "~0").replaceAll("/", "~1");
}

function unescapeSegment(segment: string): string {
  return segment.replaceAll("~1", "/").replaceAll("~0", "~");
}
