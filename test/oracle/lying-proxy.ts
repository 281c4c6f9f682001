/**
 * A proxy in front of a server that changes what passes: the server that is wrong on purpose, by
 * which the differential test itself is tested.
 *
 * A lie sees the bytes of one read as byte text. It must keep the framing of RESP; one that falls
 * on the edge between two reads is not told, which a test of many sequences can bear.
 */

import type { Socket } from "bun";
import { fromBytes, toBytes } from "./byte-text.ts";
import { OutgoingBytes } from "./outgoing-bytes.ts";
import type { RunningServer } from "./servers.ts";

export type Lie = {
  readonly request?: (text: string) => string;
  readonly reply?: (text: string) => string;
};

/** What a socket of the proxy knows: how to write to it, and the promise of the other side. */
type End = { readonly outgoing: OutgoingBytes; readonly other: Promise<Socket<End>> };

export function startLyingProxy(serverPort: number, lie: Lie): RunningServer {
  const listener = Bun.listen<End>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(client) {
        const other = connectFor(client, serverPort, lie.reply);
        client.data = { outgoing: new OutgoingBytes(), other };
      },
      ...relay(lie.request),
    },
  });
  const stop = async (): Promise<void> => listener.stop(true);
  return { port: listener.port, [Symbol.asyncDispose]: stop };
}

function connectFor(client: Socket<End>, port: number, change: Lie["reply"]): Promise<Socket<End>> {
  return Bun.connect<End>({
    hostname: "127.0.0.1",
    port,
    data: { outgoing: new OutgoingBytes(), other: Promise.resolve(client) },
    socket: relay(change),
  });
}

/** Passes what one end receives to the other, in order: promise callbacks run first come first. */
function relay(change: (text: string) => string = (text) => text) {
  return {
    async data(end: Socket<End>, chunk: Uint8Array): Promise<void> {
      const other = await end.data.other;
      other.data.outgoing.send(other, toBytes(change(fromBytes(chunk))));
    },
    drain: (end: Socket<End>) => end.data.outgoing.flush(end),
    close: async (end: Socket<End>): Promise<void> => void (await end.data.other).end(),
  };
}
