/**
 * Runs the commands of a scene over RESP3 in process: the real dispatcher and the real encoder, but the reply is read by
 * the oracle's own reader, so that one mistake cannot hide in both. What waits for data gets its time-out: the clock is
 * moved by hand. Saving succeeds, but in the background it never ends.
 */

import { Arguments } from "../../../../src/commands/arguments.ts";
import { Decoder } from "../../../../src/resp/decoder.ts";
import { RespEncoder } from "../../../../src/resp/encoder.ts";
import type { CheckpointControl } from "../../../../src/session/server.ts";
import { toBytes } from "../../../oracle/byte-text.ts";
import { type ReplyNode, readReply } from "../../../oracle/resp-reply.ts";
import { encodeArray } from "../../../oracle/step.ts";
import { EngineHarness } from "../../../suites/engine-harness.ts";
import { type Json, toJson } from "./reply-json.ts";

/** More than any time-out in a scene. */
const TIMEOUT_MS = 2_000;

const PASSWORD = "secret";

export class SceneRunner {
  readonly #harness = new EngineHarness({ password: PASSWORD });
  readonly #args = new Arguments();
  readonly #decoder = new Decoder();
  readonly #encoder = new RespEncoder();
  #ready = Promise.withResolvers<void>();
  readonly #session = this.#harness.connect({ replyReady: () => this.#ready.resolve() });
  /** Somebody to be unblocked and killed. */
  readonly #other = this.#harness.connect({ address: "127.0.0.1:50001" });
  #last: Json = null;

  constructor() {
    const { engine } = this.#harness;
    engine.checkpoints = Object.setPrototypeOf(checkpoints(engine.checkpoints), engine.checkpoints);
    this.#harness.runIn(this.#session, "HELLO", 3, "AUTH", "default", PASSWORD);
    this.#harness.runIn(this.#other, "AUTH", PASSWORD);
  }

  /** The other client sends a command whose reply nobody awaits. */
  sendFromOther(call: string): void {
    void this.#harness.askIn(this.#other, ...call.split(" "));
  }

  /** Words are parted by one space; "" is the empty word, <last> the reply before, <other> the other client. */
  async run(call: string): Promise<Json> {
    const words = call.split(" ").map((word) => this.#word(word));
    const request = Buffer.from(toBytes(encodeArray(words)));
    this.#ready = Promise.withResolvers();
    this.#encoder.reset();
    this.#encoder.begin(this.#session);
    this.#decoder.decode(this.#args, request, 0, request.length);
    this.#harness.engine.dispatch(this.#session, this.#args, this.#encoder);
    this.#harness.endTurn();
    if (this.#session.later !== null) await this.#waitForReply();
    this.#last = toJson(this.#reply());
    return this.#last;
  }

  #word(word: string): string {
    if (word === '""') return "";
    if (word === "<other>") return String(this.#other.id);
    return word === "<last>" ? String(this.#last) : word;
  }

  /** A command that waits for data answers when its time is over, one that saves by itself. */
  async #waitForReply(): Promise<void> {
    this.#harness.advance(TIMEOUT_MS);
    await this.#ready.promise;
    this.#session.later?.write(this.#encoder);
  }

  #reply(): ReplyNode {
    const { buffer, lastStart, at } = this.#encoder;
    const bytes = buffer.subarray(lastStart, at);
    const reply = readReply(bytes, 0);
    if (reply === null || reply.end !== bytes.length) throw new Error("not exactly one reply");
    return reply;
  }
}

function checkpoints({ of }: CheckpointControl): Partial<CheckpointControl> {
  let inProgress = false;
  return {
    obstacle: "",
    get inProgress() {
      return inProgress;
    },
    of: (kind) => ({ ...of(kind), inProgress }),
    request: (reason, _urgency, kind = "compact") => {
      inProgress = reason === "BGSAVE";
      if (inProgress) return new Promise(() => {});
      return Promise.resolve({ kind, revision: 1, entries: 0, bytes: 0, durationMs: 1 });
    },
  };
}
