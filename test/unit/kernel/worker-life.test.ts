/** Threads that end by themselves when they are told. */
import { test } from "bun:test";
import { startedLife } from "../../../src/kernel/worker-life.ts";
import { within } from "../../e2e/support/poll.ts";

/** What the thread does before it is told to end. */
type Way = "idle" | "open" | "stepping";

async function endingOf(way: Way): Promise<void> {
  const thread = new Worker(new URL("./living-thread.ts", import.meta.url).href);
  const closed = new Promise<void>((resolve) => {
    thread.addEventListener("close", () => resolve());
  });
  const life = startedLife((message) => thread.postMessage(message));
  const heard = new Promise<void>((resolve) => {
    thread.onmessage = () => resolve();
  });
  thread.postMessage(way);
  await within("the thread's answer", heard);
  life.end();
  await within("the end of the thread", closed);
}

test("one that has nothing to do", () => endingOf("idle"));

test("one that left a timer behind", () => endingOf("open"));

test("one in the middle of its work, at its next step", () => endingOf("stepping"));
