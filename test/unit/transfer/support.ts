// What tests of readers and writers share: a file whole, and in chunks of any size.
import type { FileItem, FileReader, TransferEntry } from "../../../src/transfer/entry.ts";

/** Reads the text in chunks of `size` bytes. */
export function readAll(reader: FileReader, text: string | Uint8Array, size = 1 << 20): FileItem[] {
  const bytes = Buffer.from(text as string);
  const items: FileItem[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    items.push(...reader.push(Buffer.from(bytes.subarray(at, at + size))));
  }
  items.push(...reader.finish());
  return items;
}

/** An item in a line: `2: key = value`, or `2:5 message`. */
export function shown(item: FileItem): string {
  const { line, column, record } = item.place;
  const place = `${line}${column === undefined ? "" : `:${column}`}${record === undefined ? "" : `#${record}`}`;
  if (item.kind === "problem") return `${place} ${item.message}`;
  const { key, kind, value, deadlineMs } = item.entry;
  const text = kind === "dump" ? "<dump>" : value.toString();
  const until = deadlineMs === 0 ? "" : ` until ${deadlineMs}`;
  return `${place}: ${key} = ${kind} ${text}${until}`;
}

export function document(key: string, value: unknown): TransferEntry {
  const json = Buffer.from(JSON.stringify(value));
  return { key: Buffer.from(key), kind: "json", deadlineMs: 0, value: json };
}
