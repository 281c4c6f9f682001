/**
 * `kvdb subscribe channel …` and `kvdb monitor`: prints messages as they come, until Ctrl-C, until nobody reads them any more, or until the data
 * is gone. Where nobody holds the folder it is opened, and others are let in: somebody must be able to publish.
 */
import { KvdbError } from "../errors.ts";
import type { Answer } from "../resp/answer.ts";
import { argumentWords } from "../shell/argument-words.ts";
import { LISTENING_NOTE, renderMessage } from "../shell/message-answer.ts";
import { understand } from "../shell/words.ts";
import { type DataOptions, openData, openPurpose, prepareKernel } from "./data.ts";
import type { OwnFlags } from "./invocation.ts";
import type { OneShot } from "./one-shot.ts";
import { outputStyle, printAnswer } from "./output.ts";
import type { World } from "./world.ts";

/** Of messages that whoever reads them has not taken: then he is too slow for what comes. */
const MAX_UNPRINTED_BYTES = 32 * 1024 * 1024;

export async function runListening(
  { loaded, flags, words }: OneShot,
  world: World,
): Promise<number> {
  const printer = new MessagePrinter(flags, world);
  const options: DataOptions = {
    loaded,
    purpose: openPurpose(flags.recover),
    role: "script",
    onStopRequest: () => printer.end(),
    messages: {
      onMessage: (message) => printer.print(message),
      onLost: (error) => printer.end(error),
    },
  };
  const kernel = await prepareKernel(options, world);
  const { parts } = understand(argumentWords(words), kernel.engine.commands);
  const unsubscribe = world.onStopSignal(() => printer.end());
  try {
    const data = await openData(kernel, options, world);
    try {
      const answer = await data.link.call(parts);
      if (answer.kind === "error")
        return await printAnswer({ answer, isValue: false }, flags, world);
      await printer.ended();
      return 0;
    } finally {
      if (data.holder === undefined) await data.kernel.stop();
      else await data.link.close();
    }
  } finally {
    unsubscribe();
  }
}

/** Prints one message after the other. */
class MessagePrinter {
  readonly #style: ReturnType<typeof outputStyle>;
  readonly #world: World;
  /** Resolves to why it has failed; undefined: it has not. */
  readonly #end = Promise.withResolvers<KvdbError | undefined>();
  #printing: Promise<void>;
  #unprintedBytes = 0;

  constructor(flags: OwnFlags, world: World) {
    this.#style = outputStyle(flags, world);
    this.#world = world;
    this.#printing = this.#note();
  }

  async #note(): Promise<void> {
    const isForPeople = this.#world.console.outputIsTerminal && this.#style.mode === "plain";
    if (isForPeople) await this.#world.print(Buffer.from(`${LISTENING_NOTE}\n`));
  }

  print(message: Answer): void {
    const bytes = renderMessage(message, this.#style);
    this.#unprintedBytes += bytes.length;
    if (this.#unprintedBytes > MAX_UNPRINTED_BYTES) {
      this.end(new KvdbError("IO", "messages come faster than they are read"));
      return;
    }
    this.#printing = this.#printing.then(async () => {
      const isRead = await this.#world.print(bytes);
      this.#unprintedBytes -= bytes.length;
      if (!isRead) this.end();
    });
  }

  end(error?: KvdbError): void {
    this.#end.resolve(error);
  }

  /** Resolves when what has come was printed; rejects when the data is gone. */
  async ended(): Promise<void> {
    const failure = await this.#end.promise;
    await this.#printing;
    if (failure !== undefined) throw failure;
  }
}
