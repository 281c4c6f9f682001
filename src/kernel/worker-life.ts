/**
 * How a thread ends: it is told, and leaves by itself. `Worker.terminate` is not for kvdb. It stops the thread by a signal,
 * and whoever sent it waits for the answer with a lock of the runtime held: a thread that waits for a disk does not answer,
 * and soon the whole process waits with it.
 *
 * The first message to the thread is its life, one word of shared memory; the last one is END.
 */

const END = "end";
const OVER = 1;

/** What a plugin left open would keep its thread for ever: then it is ended from within, where it surely runs. */
const LINGER_MS = 10_000;

/** The side of who started the thread. */
export interface Life {
  /** It is over at the thread's next step, or when the disk lets it go. Harmless when it is over. */
  end(): void;
}

export function startedLife(post: (message: unknown) => void): Life {
  const life = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  post(life);
  return {
    end: () => {
      Atomics.store(life, 0, OVER);
      post(END);
    },
  };
}

/** What a worker has as `self`. */
export interface ThreadScope extends Pick<Worker, "onmessage"> {
  close(): void;
}

/**
 * The thread's own side. `begin` is given what tells whether nobody wants the thread any more, for the steps of what takes
 * long, and answers who heeds the messages that follow.
 */
export function live<Message>(
  thread: ThreadScope,
  begin: (isOver: () => boolean) => (message: Message) => void,
  lingerMs = LINGER_MS,
): void {
  thread.onmessage = ({ data: life }: MessageEvent<Int32Array>) => {
    const heed = begin(() => Atomics.load(life, 0) === OVER);
    thread.onmessage = ({ data }: MessageEvent<Message | typeof END>) => {
      if (data !== END) {
        heed(data);
        return;
      }
      thread.onmessage = null; // without it nothing holds the thread
      setTimeout(() => thread.close(), lingerMs).unref();
      // The runtime uses its signal, too, for a thread that ends with an error still in its heap.
      setTimeout(() => Bun.gc(true));
    };
  };
}
