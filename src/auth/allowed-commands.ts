/**
 * Which commands a selector allows: a bit for each, after what the rules `+get -@dangerous +config|get +select|0` have made of
 * them, in their order, as in Redis. Beside the bits it keeps whether all began allowed and the categories since, so that
 * commands that come later (of a plugin) are judged as those that were there, and so that the rules can be told again:
 *
 *   +@all -@dangerous +info      where all began, the categories, then each command that is otherwise than these say
 *
 * Redis 7.0 guesses the categories anew from the bits each time, so that what it tells is sometimes something else with the
 * same effect; later versions keep them as we do.
 */
import type { AclCategory } from "../commands/acl-categories.ts";
import { type CommandNumbers, categoryNamed, type NumberedCommand } from "./command-numbers.ts";
import { type RuleFault, SYNTAX_FAULT, UNKNOWN_FAULT } from "./rule-fault.ts";

const NO_BITS = new Uint32Array(0);

const NESTED_FAULT = "Allowing first-arg of a subcommand is not supported";

interface CategoryRule {
  readonly category: AclCategory;
  readonly isAllowed: boolean;
}

export class AllowedCommands {
  readonly #numbers: CommandNumbers;
  /** Made when a rule is about some commands; a number behind its end is as all began. */
  #bits = NO_BITS;
  /** What holds of a command of no category. */
  #beganAllowed = false;
  #categories: CategoryRule[] = [];
  /** By number: first arguments with which a command is allowed that is not allowed otherwise. */
  #firstArguments = new Map<number, readonly string[]>();
  /** Nothing was taken away since `+@all`. */
  isAll = false;

  constructor(numbers: CommandNumbers) {
    this.#numbers = numbers;
  }

  copy(): AllowedCommands {
    const copy = new AllowedCommands(this.#numbers);
    copy.#bits = this.#bits.slice();
    copy.#beganAllowed = this.#beganAllowed;
    copy.#categories = [...this.#categories];
    copy.#firstArguments = new Map(this.#firstArguments);
    copy.isAll = this.isAll;
    return copy;
  }

  // ---- questions ----

  allows({ number }: NumberedCommand): boolean {
    return this.isAll || this.#has(number);
  }

  /** Whether a command that is not allowed otherwise is with this first argument. */
  allowsWith({ number }: NumberedCommand, firstArgument: string): boolean {
    const words = this.#firstArguments.get(number);
    return words !== undefined && hasWord(words, firstArgument);
  }

  #has(number: number): boolean {
    const word = this.#bits[number >>> 5];
    return word === undefined ? this.#beganAllowed : (word & (1 << (number & 31))) !== 0;
  }

  /** The rules that lead here from nothing. */
  describe(): string {
    const plain = new AllowedCommands(this.#numbers);
    plain.setAll(this.#beganAllowed);
    const rules = [this.#beganAllowed ? "+@all" : "-@all"];
    for (const { category, isAllowed } of this.#categories) {
      plain.#setCategory(category, isAllowed);
      rules.push(`${isAllowed ? "+" : "-"}@${category}`);
    }
    for (const command of this.#numbers.all()) {
      // Its container comes first, and takes it along.
      if (command.container === null) this.#describeDifference(command, plain, rules);
    }
    return rules.join(" ");
  }

  #describeDifference(command: NumberedCommand, plain: AllowedCommands, rules: string[]): void {
    const isAllowed = this.#has(command.number);
    if (isAllowed !== plain.#has(command.number)) {
      rules.push(`${isAllowed ? "+" : "-"}${command.name}`);
      plain.#setCommand(command, isAllowed);
    }
    for (const subcommand of command.subcommands) {
      this.#describeDifference(subcommand, plain, rules);
    }
    if (isAllowed) return;
    for (const word of this.#firstArguments.get(command.number) ?? []) {
      rules.push(`+${command.name}|${word}`);
    }
  }

  // ---- rules ----

  setAll(isAllowed: boolean): void {
    this.#bits = NO_BITS;
    this.#beganAllowed = isAllowed;
    this.#categories = [];
    this.#firstArguments.clear();
    this.isAll = isAllowed;
  }

  /** A rule that begins with + or - and is not about all commands. Null: it is applied. */
  apply(rule: string): RuleFault | null {
    const isAllowed = rule.startsWith("+");
    const name = rule.slice(1);
    if (name.startsWith("@")) return this.#applyCategory(name.slice(1), isAllowed);
    const command = this.#numbers.named(name);
    if (command !== undefined) {
      this.#setCommand(command, isAllowed);
      return null;
    }
    return isAllowed ? this.#applyFirstArgument(name) : UNKNOWN_FAULT;
  }

  #applyCategory(name: string, isAllowed: boolean): RuleFault | null {
    const category = categoryNamed(name);
    if (category === undefined) return UNKNOWN_FAULT;
    this.#setCategory(category, isAllowed);
    // Of the same category only the last rule has a say; one that repeats what holds anyway has none.
    const others = this.#categories.filter((rule) => rule.category !== category);
    this.#categories = [...others, { category, isAllowed }];
    while (this.#categories[0]?.isAllowed === this.#beganAllowed) this.#categories.shift();
    return null;
  }

  /** `select|0`: a word that is no command behind one that has no subcommands. */
  #applyFirstArgument(name: string): RuleFault | null {
    const bar = name.lastIndexOf("|");
    const command = bar < 0 ? undefined : this.#numbers.named(name.slice(0, bar));
    if (command === undefined) return UNKNOWN_FAULT;
    if (command.container !== null) return NESTED_FAULT;
    const word = name.slice(bar + 1);
    if (word === "") return SYNTAX_FAULT;
    if (command.subcommands.length > 0) return UNKNOWN_FAULT;
    const words = this.#firstArguments.get(command.number) ?? [];
    if (!hasWord(words, word)) this.#firstArguments.set(command.number, [...words, word]);
    return null;
  }

  #setCategory(category: AclCategory, isAllowed: boolean): void {
    for (const command of this.#numbers.all()) {
      if (command.categories.has(category)) this.#setCommand(command, isAllowed);
    }
  }

  /** With its subcommands. */
  #setCommand(command: NumberedCommand, isAllowed: boolean): void {
    this.#setBit(command.number, isAllowed);
    this.#firstArguments.delete(command.number);
    for (const subcommand of command.subcommands) this.#setBit(subcommand.number, isAllowed);
  }

  #setBit(number: number, isAllowed: boolean): void {
    const word = number >>> 5;
    if (word >= this.#bits.length) this.#lengthen();
    const bit = 1 << (number & 31);
    const bits = this.#bits[word] as number;
    this.#bits[word] = isAllowed ? bits | bit : bits & ~bit;
    if (!isAllowed) this.isAll = false;
  }

  #lengthen(): void {
    const bits = new Uint32Array(wordsFor(this.#numbers.count));
    bits.fill(this.#beganAllowed ? 0xffffffff : 0, this.#bits.length);
    bits.set(this.#bits);
    this.#bits = bits;
  }

  /** Commands have come: they are as the rules about all and about categories say. */
  takeNew(commands: readonly NumberedCommand[]): void {
    const { isAll } = this;
    for (const command of commands) {
      let isAllowed = this.#beganAllowed;
      for (const rule of this.#categories) {
        if (isConcerned(command, rule.category)) isAllowed = rule.isAllowed;
      }
      this.#setBit(command.number, isAllowed);
    }
    this.isAll = isAll;
  }
}

/** A container takes its subcommands along. */
function isConcerned({ categories, container }: NumberedCommand, category: AclCategory): boolean {
  return categories.has(category) || container?.categories.has(category) === true;
}

/** In any case. */
function hasWord(words: readonly string[], word: string): boolean {
  const lower = word.toLowerCase();
  return words.some((one) => one.toLowerCase() === lower);
}

function wordsFor(count: number): number {
  return (count + 31) >>> 5;
}
