/** A bare TCP client: sends bytes, then perhaps its end, and gathers what comes until the server closes. */
import { connect, type Socket } from "node:net";

/** A server answers within milliseconds; ten seconds is a machine under heavy load. */
const TIMEOUT_MS = 10_000;

export interface Conversation {
  /** Byte text. */
  readonly output: string;
  /** The server closed the connection; else it was silent for too long. */
  readonly closed: boolean;
}

/** `thenEnd`: the client says that nothing more comes, so that a server closes that would else wait for more. */
export function converse(port: number, input: Uint8Array, thenEnd: boolean): Promise<Conversation> {
  return new Promise((resolve) => {
    let output = "";
    const socket: Socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const finish = (closed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ output, closed });
    };
    const timer = setTimeout(() => finish(false), TIMEOUT_MS);
    socket.on("data", (chunk: Buffer) => {
      output += chunk.toString("latin1");
    });
    socket.on("end", () => finish(true));
    socket.on("error", () => finish(true));
    if (thenEnd) socket.end(input);
    else socket.write(input);
  });
}
