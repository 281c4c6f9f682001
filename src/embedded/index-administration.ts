/** `db.index`: the INDEX commands with types. */
import { KvdbError } from "../errors.ts";
import { DefinitionError, definitionWords, readDefinition } from "../index/definition.ts";
import type { Answer } from "../resp/answer.ts";
import { requireText } from "./checked-options.ts";
import { plainAnswer, replyError } from "./plain-answer.ts";
import type { IndexAdministration, IndexInfo, IndexOptions } from "./store-types.ts";

type Words = readonly string[];

export interface IndexCalls {
  /** A command that answers at once. */
  answer(words: Words): Answer;
  /** One that takes its time, and is durable when it resolves. */
  call(words: Words): Promise<Answer>;
}

export class StoreIndexes implements IndexAdministration {
  readonly #calls: IndexCalls;

  constructor(calls: IndexCalls) {
    this.#calls = calls;
  }

  async create(name: string, options: IndexOptions): Promise<number> {
    requireText("name", name);
    const answer = await this.#calls.call(["INDEX", "CREATE", ...wordsOf(name, options)]);
    return plain(answer) as number;
  }

  async drop(name: string): Promise<void> {
    requireText("name", name);
    plain(await this.#calls.call(["INDEX", "DROP", name]));
  }

  list(): readonly string[] {
    return plain(this.#calls.answer(["INDEX", "LIST"])) as readonly string[];
  }

  info(name: string): IndexInfo {
    requireText("name", name);
    const lines = plain(this.#calls.answer(["INDEX", "INFO", name]));
    return Object.fromEntries(lines as ReadonlyMap<string, string | number>) as IndexInfo;
  }
}

function plain(answer: Answer): unknown {
  if (answer.kind === "error") throw replyError(answer);
  return plainAnswer(answer);
}

function wordsOf(name: string, options: IndexOptions): string[] {
  try {
    const given = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
    return definitionWords(readDefinition(name, Object.fromEntries(given)));
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error;
    throw new KvdbError("USAGE", `index ${JSON.stringify(name)}: ${error.message}`, {
      cause: error,
    });
  }
}
