/**
 * THE list of built-in plugins. The imports are written out, so that the compiler finds them and
 * puts them into the executable, but each is carried out when the plugin is used: `kvdb get` must
 * not pay for a server. After a change here run scripts/schemas.ts: the options of built-in plugins
 * are judged by validators that are compiled ahead.
 */
export const builtins = {
  wal: { brings: ["persistence"], load: () => import("./wal/index.ts") },
  "json-snapshot": { brings: ["persistence"], load: () => import("./json-snapshot/index.ts") },
  aof: { brings: ["persistence"], load: () => import("./aof/index.ts") },
  none: { brings: ["persistence"], load: () => import("./none/index.ts") },
  "hash-index": { brings: ["indexes"], load: () => import("./hash-index/index.ts") },
  "ordered-index": { brings: ["indexes"], load: () => import("./ordered-index/index.ts") },
  repl: { brings: ["frontend"], load: () => import("./repl/index.ts") },
  resp: { brings: ["frontend"], load: () => import("./resp/index.ts") },
  http: { brings: ["frontend"], load: () => import("./http/index.ts") },
} as const;
