/**
 * What a client that tracks keys is told: that its copies of some of them, or of all, are void. Pushed in RESP3; to a
 * subscriber that speaks RESP2 as a message of the channel `__redis__:invalidate`.
 *
 *   >2 invalidate [key key …]      *3 message __redis__:invalidate [key key …]      null in the place of the keys: all
 */
import type { Reply, WriteReply } from "../plugin.ts";

export interface Invalidation {
  readonly push: WriteReply;
  readonly message: WriteReply;
}

/** Of these keys, a character for each byte. */
export function invalidationOf(keys: readonly string[]): Invalidation {
  const names = keys.map((key) => Buffer.from(key, "latin1"));
  return around((reply) => {
    reply.array(names.length);
    for (const name of names) reply.bulk(name, 0, name.length);
  });
}

/** Of all keys. */
export const ALL_INVALID: Invalidation = around((reply) => reply.null());

function around(writeKeys: WriteReply): Invalidation {
  return {
    push: (reply) => {
      reply.push(2);
      writeWord(reply, INVALIDATE);
      writeKeys(reply);
    },
    message: (reply) => {
      reply.push(3);
      writeWord(reply, MESSAGE);
      writeWord(reply, CHANNEL);
      writeKeys(reply);
    },
  };
}

/** To the client itself: the one that it has named is gone, and nobody can be told. */
export function brokenRedirection(id: number): WriteReply {
  return (reply) => {
    reply.push(2);
    writeWord(reply, BROKEN);
    reply.integer(id);
  };
}

const INVALIDATE = Buffer.from("invalidate");
const MESSAGE = Buffer.from("message");
const CHANNEL = Buffer.from("__redis__:invalidate");
const BROKEN = Buffer.from("tracking-redir-broken");

function writeWord(reply: Reply, word: Buffer): void {
  reply.bulk(word, 0, word.length);
}
