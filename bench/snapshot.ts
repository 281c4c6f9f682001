// The snapshot engine alone, in process: how long a turn takes while an image is written, how much
// memory it costs, how fast it is. No server, no sockets: what the rest of kvdb adds is in P8.
//
//   bun bench/snapshot.ts [--keys 5000000] [--ring-pages 1024] [--dir FOLDER] [--rounds 3]
//                         [--writes 800]
//
// A turn is 800 SETs of random keys (or fewer, when the snapshot says that the turn is full), as a
// pipeline of 16 from 50 clients makes it. Linux only: it reads /proc and the CPU clock.

import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { openThreadClock } from "../src/platform/thread-clock.ts";
import { STRING } from "../src/store/entry.ts";
import { Keyspace } from "../src/store/keyspace.ts";
import { createRing, ringRoom } from "../src/store/page-capture.ts";
import { Snapshot } from "../src/store/snapshot.ts";
import type { BenchAnswer } from "./snapshot-worker.ts";

const { values: options } = parseArgs({
  options: {
    keys: { type: "string", default: "5000000" },
    "ring-pages": { type: "string", default: "1024" },
    dir: { type: "string", default: tmpdir() },
    rounds: { type: "string", default: "3" },
    writes: { type: "string", default: "800" },
  },
});
const KEYS = Number(options.keys);
const RING_PAGES = Number(options["ring-pages"]);
const WRITES = Number(options.writes);

const clock = openThreadClock();
const keyspace = new Keyspace({
  databases: 1,
  hashKey: [1, 2],
  random: { below: () => 0 },
  nowMs: Date.now(),
});
const [database] = keyspace.databases;
const key = Buffer.from("key:000000000000");
const value = Buffer.alloc(32, "x");

function set(number: number): void {
  for (let at = 15, rest = number; at >= 4; at--) {
    key[at] = 48 + (rest % 10);
    rest = (rest / 10) | 0;
  }
  const found = database.find(key, 0, 16);
  const entry = database.put(found, key, 0, 16, STRING, 32, 0);
  value.copy(keyspace.arena.edit(entry, 7), database.valueStart, 0, 32);
  keyspace.advanceRevision();
}

/** One turn of writes; answers how many. */
function turn(snapshot: Snapshot | null): number {
  let count = 0;
  while (count < WRITES && snapshot?.turnIsFull !== true) {
    set((Math.random() * KEYS) | 0);
    count++;
  }
  return count;
}

function memoryMiB(name: string): number {
  const line = new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "utf8"));
  return Math.round(Number(line?.[1]) / 1024);
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
const worst = (samples: number[]) =>
  samples
    .sort((a, b) => b - a)
    .slice(0, 5)
    .map((usec) => (usec / 1000).toFixed(2))
    .join(" ");

async function measure(worker: Worker, ring: ReturnType<typeof createRing>): Promise<void> {
  Bun.gc(true);
  const anonBefore = memoryMiB("RssAnon");
  const turns: number[] = [];
  let [writes, paused, fullest, anonMost, fileMost, turnsLow] = [0, 0, 0, 0, 0, 0];
  let answer: BenchAnswer | undefined;
  worker.onmessage = ({ data }: MessageEvent<BenchAnswer>) => {
    answer = data;
  };
  keyspace.noteRevision();
  const cutFrom = clock.usec();
  const snapshot = Snapshot.cut(keyspace.arena, ring);
  worker.postMessage({ path: `${options.dir}/kvdb-bench-image`, capture: snapshot.capture });
  const cutUsec = clock.usec() - cutFrom;
  const from = performance.now();
  let capturedMs = 0;
  let capturedWrites = 0;
  for (let number = 0; answer === undefined; number++) {
    const start = clock.usec();
    const isPaused = snapshot.isRunningLow;
    if (isPaused) paused++;
    else writes += turn(snapshot);
    fullest = Math.max(fullest, ring.ringPages.length - ringRoom(snapshot.capture));
    snapshot.endTurn();
    turns.push(clock.usec() - start);
    if (number % 50 === 0) {
      anonMost = Math.max(anonMost, memoryMiB("RssAnon"));
      fileMost = Math.max(fileMost, memoryMiB("RssFile"));
    }
    if (capturedMs === 0 && keyspace.arena.tracker === null) {
      capturedMs = performance.now() - from;
      capturedWrites = writes;
      turnsLow = turns.length;
    }
    // Who would write waits; the thread is not busy meanwhile.
    await (isPaused ? Bun.sleep(1) : nextTurn());
  }
  const during = turns.slice(0, turnsLow);
  console.log(
    [
      `cut ${(cutUsec / 1000).toFixed(2)} ms`,
      `image ${capturedMs.toFixed(0)} ms (worker ${answer.writeMs.toFixed(0)})`,
      `worst turns ${worst(during)} ms CPU, after it ${worst(turns.slice(turnsLow))}`,
      `${(capturedWrites / capturedMs).toFixed(0)} k writes/s`,
      `${during.length} turns, ${paused} paused`,
      `taken ${snapshot.takenPages}, walked ${answer.walkedPages}, void ${answer.voidPages}`,
      `ring at most ${fullest}, overflow ${snapshot.mostOverflow}`,
      `RssAnon ${anonBefore} -> ${anonMost} MiB, RssFile at most ${fileMost}`,
      `read ${answer.entries} entries in ${answer.readMs.toFixed(0)} ms`,
    ].join("\n  "),
  );
}

for (let number = 0; number < KEYS; number++) set(number);
const normal: number[] = [];
let normalWrites = 0;
for (const from = performance.now(); performance.now() - from < 1000; ) {
  const start = clock.usec();
  normalWrites += turn(null);
  normal.push(clock.usec() - start);
  await nextTurn();
}
console.log(
  `${KEYS} keys, ${keyspace.arena.usedBytes >> 20} MiB; normally ${(normalWrites / 1000).toFixed(0)} k writes/s, worst turns ${worst(normal)} ms`,
);
const worker = new Worker(new URL("./snapshot-worker.ts", import.meta.url).href);
const ring = createRing(RING_PAGES);
for (let round = 0; round < Number(options.rounds); round++) await measure(worker, ring);
worker.terminate();
