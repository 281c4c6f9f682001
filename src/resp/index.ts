/** What `import … from "kvdb/resp"` gives: the codec of the Redis protocol, for frontends and clients. */
export { type Answer, type ErrorAnswer, errorAnswer, NULL_ANSWER } from "./answer.ts";
export { Decoder, INCOMPLETE, MALFORMED, type Spans, splitWords } from "./decoder.ts";
export { RespEncoder, type Stretch } from "./encoder.ts";
export { ReplyDecoder } from "./reply-decoder.ts";
