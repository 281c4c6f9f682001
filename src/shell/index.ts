/** `kvdb/shell`: what a frontend for people needs: the words they type, and answers as they read them. */
export { type OutputOptions, quote, renderAnswer } from "./answer-text.ts";
export { commandName, findCommand, type Understood, understand, usageOf } from "./words.ts";
