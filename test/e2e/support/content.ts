/**
 * All that a server holds, in a form that lies in a JSON file and is compared there: keys and
 * values as text in which each character is one byte (Latin-1), so that binary ones are told
 * exactly and others can be read.
 */
import type { Client } from "./client.ts";

export interface Entry {
  /** As TYPE says it. */
  readonly type: string;
  /** Of a string its bytes, of a document its text. */
  readonly value: string;
  /** Milliseconds since 1970; absent: never. */
  readonly expiresAtMs?: number;
}

/**
 * By the number of the database, then by key; keys in order. Databases without a key are left out.
 */
export type Content = Record<string, Record<string, Entry>>;

const DATABASES = 16;

export async function readContent(client: Client): Promise<Content> {
  const content: Content = {};
  client.binary = true;
  for (let database = 0; database < DATABASES; database++) {
    await client.call("SELECT", database);
    const entries = await readDatabase(client);
    if (Object.keys(entries).length > 0) content[database] = entries;
  }
  await client.call("SELECT", 0);
  client.binary = false;
  return content;
}

async function readDatabase(client: Client): Promise<Record<string, Entry>> {
  const keys = ((await client.call("KEYS", "*")) as Buffer[]).sort(Buffer.compare);
  const entries: Record<string, Entry> = {};
  for (const key of keys) {
    const deadlineMs = Number(await client.call("PEXPIRETIME", key));
    entries[key.toString("latin1")] = {
      type: String(await client.call("TYPE", key)),
      value: ((await client.call("GET", key)) as Buffer).toString("latin1"),
      ...(deadlineMs === -1 ? {} : { expiresAtMs: deadlineMs }),
    };
  }
  return entries;
}
