/**
 * `kvdb/persistence`: what persistences have in common that is no matter of a format: how a log becomes
 * durable, which files of it count, how they are found, checked and read back, when it is compacted,
 * when a whole state is saved, and how the latter two are configured.
 */

export { newStoredEntry } from "../store/stored-entry.ts";
export { Breathing } from "./breathing.ts";
export { Compaction } from "./compaction.ts";
export {
  CompactionLimits,
  type CompactionOptions,
  compactionSchema,
  DEFAULT_MIN_BYTES,
  DEFAULT_RATIO,
} from "./compaction-options.ts";
export {
  type ChainForm,
  type ChainOptions,
  type ChainStart,
  FileChain,
  type FilePlace,
} from "./file-chain.ts";
export { type CheckForm, checkFolder } from "./folder-check.ts";
export { FolderDamage } from "./folder-damage.ts";
export {
  closeAll,
  freeName,
  frontOf,
  randomSalt,
  readFront,
  sizeOf,
  withFile,
} from "./folder-files.ts";
export {
  type FilePart,
  type FolderParts,
  findParts,
  type NamedFiles,
} from "./folder-parts.ts";
export { appendfsyncParameter, type Fsync } from "./fsync-modes.ts";
export { GroupReader } from "./group-reader.ts";
export { keepSchema, LogKeeping } from "./log-keeping.ts";
export type { Kept, LiveLog } from "./log-manifest.ts";
export { LogPacker, type SealedFile } from "./log-packer.ts";
export { type LogSource, plainSource } from "./log-source.ts";
export {
  type EncodedGroup,
  type LogChain,
  type LogFile,
  type LogForm,
  LogWriter,
  type Piece,
} from "./log-writer.ts";
export { type OpenValue, openValue } from "./open-value.ts";
export type { BatchRange } from "./pending-batches.ts";
export { readBack } from "./read-back.ts";
export {
  type ReadableLog,
  type ReadingForm,
  type RecordFile,
  readRecords,
  type WantedRecords,
} from "./record-reading.ts";
export {
  type Damage,
  damageError,
  type FolderOptions,
  RecoveryAccount,
  type Stretch,
} from "./recovery-account.ts";
export { saveParameter } from "./save-parameter.ts";
export {
  DEFAULT_RULES,
  readRules,
  rulesOf,
  type SaveRule,
  saveSchema,
  writeRules,
} from "./save-rules.ts";
export { SaveSchedule } from "./save-schedule.ts";
