/** Entries as a file of commands, which `kvdb import` and `redis-cli --pipe` take: RESP arrays, one behind the other. */
import type { Part } from "../client/link.ts";
import type { TransferEntry } from "./entry.ts";
import type { WholeWriter } from "./entry-writer.ts";
import { indexCommand } from "./index-command.ts";
import { ownCommand, valueCommands } from "./value-commands.ts";

export class RespWriter implements WholeWriter {
  begin(): string {
    return "";
  }

  database(index: number): Buffer {
    return encoded(["SELECT", String(index)]);
  }

  add(entry: TransferEntry): Buffer {
    return Buffer.concat([...valueCommands(entry)].map(encoded));
  }

  index(name: string, definition: string): Buffer {
    return encoded(ownCommand(indexCommand(name, definition)));
  }

  finish(): string {
    return "";
  }
}

function encoded(parts: readonly Part[]): Buffer {
  const pieces: Uint8Array[] = [Buffer.from(`*${parts.length}\r\n`)];
  for (const part of parts) {
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    pieces.push(Buffer.from(`$${bytes.length}\r\n`), bytes, LINE_END);
  }
  return Buffer.concat(pieces);
}

const LINE_END = Buffer.from("\r\n");
