/** `kvdb/testing`: the conformance suites for plugins, and the fakes they run on. Uses bun:test. */
export {
  type CheckpointRun,
  expectEntries,
  takeCheckpoint,
} from "./checkpoint-run.ts";
export {
  type Argument,
  EngineHarness,
  type HarnessOptions,
} from "./engine-harness.ts";
export { FakeClock } from "./fake-clock.ts";
export {
  createFaultyFiles,
  type Fault,
  type FaultHooks,
  type FaultyFiles,
  type OperationKind,
} from "./faulty-files.ts";
export { freePort } from "./free-port.ts";
export type {
  Address,
  FrontendAbilities,
  FrontendAnswer,
  FrontendCase,
  FrontendClient,
} from "./frontend-case.ts";
export { FrontendHost, type HostOptions, type LateCommands } from "./frontend-host.ts";
export { frontendSuite } from "./frontend-suite.ts";
export type { IndexCase } from "./index-case.ts";
export { indexSuite } from "./index-suite.ts";
export { MemoryDisk } from "./memory-files.ts";
export {
  type CheckpointWork,
  type PersistenceCase,
  type Subject,
  subjectOf,
} from "./persistence-case.ts";
export {
  type BatchShape,
  type ContextOptions,
  createBatch,
  createRecordingSink,
  createTestContext,
  type ReadRecord,
  type RecordingSink,
  recordsOf,
  type TestContext,
} from "./persistence-context.ts";
export { persistenceSuite } from "./persistence-suite.ts";
export { createPluginEngine } from "./plugin-engine.ts";
export type { JournalRecord } from "./recording-persistence.ts";
export {
  createEntryReader,
  type EntryShape,
  elementRun,
  type ReadEntry,
  readEntryOf,
  type State,
  sortedEntries,
} from "./stored-entries.ts";
export type { ErrorValue, Value } from "./value-reply.ts";
