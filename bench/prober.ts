// A client that feels a server's pauses from outside: PING every millisecond on a connection of its
// own, and how long each reply took by the wall clock. It runs in a worker, because the loader
// beside it would delay its timers. What it measures holds the machine's pauses too (a core taken
// by somebody else), so it is printed beside the turn's CPU time (turns.ts), never judged.

const INTERVAL_MS = 1;
const PING = "*1\r\n$4\r\nPING\r\n";
const LINE_FEED = "\n".charCodeAt(0);

/** More than a minute of silence: then no further PING is sent, the longest is known by then. */
const UNANSWERED_LIMIT = 65_536;

/** Round trips in milliseconds. */
export interface RoundTrips {
  count: number;
  p50: number;
  p99: number;
  p999: number;
  longest: number;
}

type Order = { start: number } | "stop";
type Answer = "started" | RoundTrips | { error: string };

export interface Prober {
  stop(): Promise<RoundTrips>;
}

/** Resolves once the connection stands and the first PING is on its way. */
export async function startProber(port: number): Promise<Prober> {
  const worker = new Worker(new URL("./prober.ts", import.meta.url).href);
  await exchange(worker, { start: port });
  return {
    async stop() {
      const answer = await exchange(worker, "stop");
      worker.terminate();
      if (answer === "started") throw new Error("the prober answered out of turn");
      return answer;
    },
  };
}

function exchange(worker: Worker, order: Order): Promise<"started" | RoundTrips> {
  return new Promise((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (typeof data === "object" && "error" in data) reject(new Error(data.error));
      else resolve(data);
    };
    worker.postMessage(order);
  });
}

// From here on: inside the worker.

declare const self: Worker;

if (!Bun.isMainThread) {
  self.onmessage = ({ data }: MessageEvent<Order>) => {
    if (data !== "stop") probe(data.start).catch(fail);
  };
}

function fail(error: unknown): void {
  self.postMessage({ error: `prober: ${String(error)}` } satisfies Answer);
}

async function probe(port: number): Promise<void> {
  /** When each unanswered PING left; replies come in order. */
  const sentAt: number[] = [];
  const roundTrips: number[] = [];
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_socket, chunk) {
        const now = performance.now();
        for (const byte of chunk) {
          if (byte === LINE_FEED) roundTrips.push(now - (sentAt.shift() ?? now));
        }
      },
      close: () => fail("the server closed the connection"),
    },
  });
  const timer = setInterval(() => {
    if (sentAt.length >= UNANSWERED_LIMIT) return;
    sentAt.push(performance.now());
    socket.write(PING);
  }, INTERVAL_MS);
  self.onmessage = () => {
    clearInterval(timer);
    // An unanswered PING has waited at least this long: a pause that lasts still counts.
    const now = performance.now();
    for (const start of sentAt) roundTrips.push(now - start);
    self.postMessage(summary(roundTrips) satisfies Answer);
  };
  self.postMessage("started" satisfies Answer);
}

function summary(roundTrips: readonly number[]): RoundTrips {
  const sorted = roundTrips.toSorted((a, b) => a - b);
  const quantile = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return {
    count: sorted.length,
    p50: quantile(0.5),
    p99: quantile(0.99),
    p999: quantile(0.999),
    longest: quantile(1),
  };
}
