/**
 * Text that is safe to show: what a terminal would obey, or show in another order than it stands,
 * is written as an escape. Every text that comes from data passes through here on its way to a
 * person.
 */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text that UTF-8 bytes mean; undefined when they are not UTF-8. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/**
 * A JSON string when the bytes are UTF-8. Other bytes are written `\xff`, which JSON does not have:
 * nobody can take the line for JSON. Control characters never reach a terminal as they are.
 */
export function quote(bytes: Uint8Array): string {
  const text = decodeText(bytes);
  return text === undefined ? quoteBinary(bytes) : escapeControls(JSON.stringify(text));
}

/**
 * The controls of ASCII and Latin-1, which terminals obey; marks and overrides of the direction of
 * writing and the two line separators, with which a value could look like another one.
 */
const OBEYED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be shown
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Written `\u001b`: within a JSON string that means the same character. */
export function escapeControls(text: string): string {
  return text.replace(OBEYED, escapeOne);
}

/** The same for text of several lines, whose line ends stay. */
export function escapeControlsInLines(text: string): string {
  return text.replace(OBEYED, (control) => (control === "\n" ? control : escapeOne(control)));
}

function escapeOne(control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function quoteBinary(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes) {
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `${text}"`;
}
