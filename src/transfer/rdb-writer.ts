/**
 * Entries as a file of Redis, out of what VALUE.EXPORT answers: a value with elements comes as RDB already.
 */
import { Crc64 } from "../rdb/crc64.ts";
import { RdbOutput } from "../rdb/rdb-output.ts";
import { RDB_AUX, RDB_STRING } from "../rdb/rdb-types.ts";
import type { TransferEntry } from "./entry.ts";
import type { WholeWriter } from "./entry-writer.ts";

const RDB_SELECT = 254;
const RDB_EXPIRE_MS = 252;
const RDB_END = 255;
const MAGIC = Buffer.from("REDIS0010");
const FOOTER_BYTES = 10;

export class RdbWriter implements WholeWriter {
  readonly #checksum = new Crc64();

  begin(): Buffer {
    return this.#summed((output) => {
      output.raw(MAGIC);
      aux(output, "redis-ver", "7.0.15");
    });
  }

  database(index: number): Buffer {
    return this.#summed((output) => {
      output.byte(RDB_SELECT);
      output.length(index);
    });
  }

  add({ key, kind, deadlineMs, value }: TransferEntry): Buffer {
    return this.#summed((output) => {
      if (kind === "json") aux(output, "kvdb-entry", "json");
      if (deadlineMs !== 0) {
        output.byte(RDB_EXPIRE_MS);
        output.moment(deadlineMs);
      }
      output.byte(kind === "dump" ? (value[0] as number) : RDB_STRING);
      output.string(key, 0, key.length);
      if (kind === "dump") output.raw(value.subarray(1, -FOOTER_BYTES));
      else output.string(value, 0, value.length);
    });
  }

  index(name: string, definition: string): Buffer {
    return this.#summed((output) => aux(output, "kvdb-index", `${name} ${definition}`));
  }

  finish(): Buffer {
    const end = this.#summed((output) => output.byte(RDB_END));
    const sum = Buffer.alloc(8);
    this.#checksum.write(sum, 0);
    return Buffer.concat([end, sum]);
  }

  #summed(write: (output: RdbOutput) => void): Buffer {
    const output = new RdbOutput();
    write(output);
    this.#checksum.add(output.bytes, 0, output.end);
    return output.bytes.subarray(0, output.end);
  }
}

function aux(output: RdbOutput, name: string, value: string): void {
  output.byte(RDB_AUX);
  for (const text of [name, value]) {
    const bytes = Buffer.from(text);
    output.string(bytes, 0, bytes.length);
  }
}
