/** `kvdb/shell`: what a frontend for people needs: the words they type, and answers as they read them. */

export { suggestion } from "../suggest.ts";
export { byteText } from "./amounts.ts";
export {
  type OutputMode,
  type OutputStyle,
  outputModes,
  renderAnswer,
  renderError,
  renderFailure,
} from "./answer-text.ts";
export { type CommandLine, CommandLines, holdsCommand, splitCommands } from "./command-lines.ts";
export { type Example, lineExamples } from "./examples.ts";
export { FIND_END, type FilterEnd, filterEnd, INDEX_END } from "./filter-keywords.ts";
export {
  CONDITION_SYMBOLS,
  CONDITION_WORDS,
  type FilterPart,
  type FilterPartKind,
  type FilterPlace,
  type ScannedFilter,
  scanFilter,
} from "./filter-parts.ts";
export { type FilterProblem, pointerLines } from "./filter-problem.ts";
export { type JsonLayout, layOutJson } from "./json-layout.ts";
export { type JsonPart, type JsonPartKind, jsonParts } from "./json-parts.ts";
export {
  type ParsedLine,
  type Problem,
  parseLine,
  quoteWord,
  type Token,
  type TokenKind,
  type WordValue,
} from "./line.ts";
export { lineWords } from "./line-words.ts";
export type { Listing } from "./listing.ts";
export { type LoadingProgress, loadingText } from "./loading-text.ts";
export { beginsToListen, LISTENING_NOTE, renderMessage } from "./message-answer.ts";
export { type Paint, paintFor } from "./paint.ts";
export { type Performed, perform } from "./perform.ts";
export { escapeControls, escapeControlsInLines, quote } from "./printable.ts";
export { type Expected, expectedAfter } from "./syntax-hint.ts";
export { type Cell, cut, layOutTable, type TableStyle } from "./table-layout.ts";
export {
  type Catalog,
  commandName,
  findCommand,
  HIDDEN_NOTE,
  isHidden,
  knownWords,
  optionsOf,
  promptWords,
  startingWords,
  subcommandsOf,
  summaryOf,
  syntaxOf,
  type Understood,
  understand,
  usageOf,
} from "./words.ts";
