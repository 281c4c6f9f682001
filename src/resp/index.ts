/** What `import … from "kvdb/resp"` gives: the codec of the Redis protocol, for frontends and clients. */
export { Decoder, INCOMPLETE, MALFORMED, type Spans, splitWords } from "./decoder.ts";
export { RespEncoder, type Stretch } from "./encoder.ts";
