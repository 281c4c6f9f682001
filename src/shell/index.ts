/** `kvdb/shell`: what a frontend for people needs: the words they type, and answers as they read them. */
export { type OutputStyle, quote, renderAnswer } from "./answer-text.ts";
export { type CommandLine, CommandLines, holdsCommand, splitCommands } from "./command-lines.ts";
export {
  type ParsedLine,
  type Problem,
  parseLine,
  quoteWord,
  type Token,
  type TokenKind,
  type WordValue,
} from "./line.ts";
export type { Listing } from "./listing.ts";
export { type Performed, perform } from "./perform.ts";
export {
  type Catalog,
  commandName,
  findCommand,
  knownWords,
  subcommandsOf,
  type Understood,
  understand,
  usageOf,
} from "./words.ts";
