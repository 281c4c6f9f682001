/**
 * Byte text: a string in which each character stands for one byte (0x00 to 0xff). The oracle keeps
 * arguments this way, so that binary keys can be written in the source as "\xff\x00" and compared
 * with ===. Bytes exist only at the socket.
 *
 * Quoting is that of redis-cli: what `quote` prints can be pasted after its prompt.
 */

const ESCAPES: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\b": "\\b",
  "\x07": "\\a",
  '"': '\\"',
  "\\": "\\\\",
};

export function toBytes(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

export function fromBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The word as it is when a shell-like reader takes it so, else in double quotes with escapes. */
export function quote(text: string): string {
  return /^[!#-&(-[\]-~]+$/.test(text) ? text : quoteAlways(text);
}

export function quoteAlways(text: string): string {
  let quoted = "";
  for (const character of text) quoted += ESCAPES[character] ?? escapeUnprintable(character);
  return `"${quoted}"`;
}

function escapeUnprintable(character: string): string {
  const code = character.charCodeAt(0);
  if (code >= 0x20 && code < 0x7f) return character;
  return `\\x${code.toString(16).padStart(2, "0")}`;
}
