/**
 * Questions about documents: FIND and EXPLAIN with types. They run as commands on a link of their
 * own, one after the other, since they may take more than a turn; what they show is durable.
 */
import { KvdbError } from "../errors.ts";
import { splitPaths } from "../query/field-path.ts";
import type { Answer } from "../resp/answer.ts";
import type { Explanation, Row } from "./find-types.ts";
import {
  AGGREGATE_OPTIONS,
  type AnyOptions,
  COUNT_OPTIONS,
  columnsOf,
  columnText,
  FIND_EACH_OPTIONS,
  FIND_OPTIONS,
  type FindWords,
  findWords,
} from "./find-words.ts";
import { keyText } from "./key-steps.ts";
import { plainAnswer, replyError } from "./plain-answer.ts";

/** Runs a command that takes its time, and resolves to what it answers when that is durable. */
export type Call = (words: readonly string[]) => Promise<Answer>;

/** Rows of a page; the first one is small, since many loops are left early. */
const FIRST_PAGE = 100;
const PAGE = 1000;
/** Each page of an order is looked for anew, so it is as large as FIND gives. */
const SORTED_PAGE = 10_000;

export class StoreQuestions {
  readonly #call: Call;
  readonly #prefix: string;

  /** `prefix`: what the store puts before its keys. */
  constructor(call: Call, prefix: string) {
    this.#call = call;
    this.#prefix = prefix;
  }

  async find(filter: unknown, options: AnyOptions = {}): Promise<Row<unknown>[]> {
    const answer = await this.#ask("FIND", findWords(filter, options, FIND_OPTIONS, this.#prefix));
    return itemsOf(answer).map(rowOf);
  }

  async *findEach(filter: unknown, options: AnyOptions = {}): AsyncGenerator<Row<unknown>, void> {
    findWords(filter, options, FIND_EACH_OPTIONS, this.#prefix);
    const { limit = Number.POSITIVE_INFINITY, ...others } = options;
    const question = findWords(filter, others, FIND_EACH_OPTIONS, this.#prefix);
    const isSorted = question.words.includes("SORT");
    let left = limit as number;
    let size = isSorted ? SORTED_PAGE : FIRST_PAGE;
    for (let cursor = "0"; left > 0; size = isSorted ? SORTED_PAGE : PAGE) {
      const page = String(Math.min(size, left));
      const paged = [...question.words, "CURSOR", cursor, "LIMIT", page];
      const [next, rows] = itemsOf(await this.#ask("FIND", { ...question, words: paged }));
      cursor = textOf(next);
      for (const row of itemsOf(rows)) {
        yield rowOf(row);
        left--;
      }
      if (cursor === "0") return;
    }
  }

  async count(filter: unknown, options: AnyOptions = {}): Promise<number> {
    const { words, params } = findWords(filter, options, COUNT_OPTIONS, this.#prefix);
    const answer = await this.#ask("FIND", { words: [...words, "COUNT"], params });
    return plainAnswer(answer) as number;
  }

  async aggregate(filter: unknown, options: AnyOptions): Promise<unknown[]> {
    const { words, params } = findWords(filter, options, AGGREGATE_OPTIONS, this.#prefix);
    const { groupBy, count = false, sum, avg, min, max } = options;
    const figures = [sum, avg, min, max].flatMap((paths) => paths ?? []);
    if (groupBy === undefined && figures.length === 0) {
      if (count !== true) throw new KvdbError("USAGE", "options: no group and no figure");
      return this.#countedGroup(filter, options);
    }
    const answer = await this.#ask("FIND", { words, params });
    // A path is called as it was given, not in the one way of writing it.
    const names = new Map(columnsOf(options).map((name) => [columnText(name), name]));
    return itemsOf(answer).map((group) => {
      const columns = Object.entries(JSON.parse(textOf(group)) as object);
      return Object.fromEntries(columns.map(([name, value]) => [names.get(name) ?? name, value]));
    });
  }

  /** COUNT alone answers a number, of which LIMIT and SKIP take some; here there is one group. */
  async #countedGroup(filter: unknown, options: AnyOptions): Promise<unknown[]> {
    const { limit = Number.POSITIVE_INFINITY, skip = 0, count: _, sort: __, ...others } = options;
    const groups = [{ count: await this.count(filter, others) }];
    return groups.slice(skip as number, (skip as number) + (limit as number));
  }

  async explain(filter: unknown, options: AnyOptions = {}): Promise<Explanation> {
    const question = findWords(filter, options, FIND_OPTIONS, this.#prefix);
    const answer = await this.#ask("EXPLAIN", question);
    return explanationOf(plainAnswer(answer) as ReadonlyMap<string, string | number>);
  }

  async #ask(command: "FIND" | "EXPLAIN", { words, params }: FindWords): Promise<Answer> {
    const begin = command === "FIND" ? ["FIND"] : ["EXPLAIN", "FIND"];
    const end = params.length === 0 ? [] : ["PARAMS", ...params];
    const answer = await this.#call([...begin, ...words, ...end]);
    if (answer.kind === "error") throw replyError(answer);
    return answer;
  }
}

function itemsOf(answer: Answer | undefined): readonly Answer[] {
  if (answer?.kind === "array") return answer.items;
  throw new TypeError(`FIND answered ${answer?.kind} for a list`);
}

function textOf(answer: Answer | undefined): string {
  if (answer?.kind === "bulk") return answer.bytes.toString();
  throw new TypeError(`FIND answered ${answer?.kind} for a text`);
}

function rowOf(row: Answer): Row<unknown> {
  const [key, value] = itemsOf(row);
  if (key?.kind !== "bulk") throw new TypeError("FIND answered a row without its key");
  return { key: keyText(key.bytes), value: JSON.parse(textOf(value)) as unknown };
}

function explanationOf(lines: ReadonlyMap<string, string | number>): Explanation {
  const text = (name: string) => String(lines.get(name) ?? "");
  const number = (name: string) => Number(lines.get(name) ?? 0);
  const fields = text("fields");
  return {
    plan: text("plan"),
    index: text("index") === "" ? null : text("index"),
    fields: fields === "" ? [] : splitPaths(fields).map(({ part }) => part),
    ranges: number("ranges"),
    filter: text("filter"),
    isExact: text("exact") === "yes",
    isSorted: text("sorted by the index") === "yes",
    estimated: number("rows estimated"),
    examined: number("rows examined"),
    returned: number("rows returned"),
    microseconds: number("microseconds"),
  };
}
