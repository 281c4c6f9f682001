/** All commands of the core, group by group: the one list. */

import { aclCommands } from "./acl.ts";
import { authenticationCommands } from "./authentication.ts";
import { backupCommands } from "./backup.ts";
import { batchCommands } from "./batch.ts";
import { bitfieldCommands } from "./bitfield.ts";
import { bitopCommands } from "./bitop.ts";
import { bitCommands } from "./bits.ts";
import { checkCommands } from "./check.ts";
import { clientCommands } from "./client.ts";
import { clientTrackingCommands } from "./client-tracking.ts";
import type { Command } from "./command.ts";
import { commandCommands } from "./command-info.ts";
import { configCommands } from "./config-commands.ts";
import { connectionCommands } from "./connection.ts";
import { counterCommands } from "./counters.ts";
import { databaseCommands } from "./databases.ts";
import { debugCommands } from "./debug.ts";
import { dumpCommands } from "./dump.ts";
import { durabilityCommands } from "./durability.ts";
import { expiryCommands } from "./expiry.ts";
import { geoCommands } from "./geo.ts";
import { geoSearchCommands } from "./geo-search.ts";
import { hashCounterCommands } from "./hash-counters.ts";
import { hashExpiryCommands } from "./hash-expiry.ts";
import { hashFieldCommands } from "./hash-fields.ts";
import { hashLifetimeCommands } from "./hash-lifetimes.ts";
import { hashRandomCommands } from "./hash-random.ts";
import { hashWalkCommands } from "./hash-walks.ts";
import { hyperLogLogCommands } from "./hyperloglogs.ts";
import { infoCommands } from "./info.ts";
import { jsonArrayCommands } from "./json-arrays.ts";
import { jsonPairCommands } from "./json-pairs.ts";
import { jsonQuestionCommands } from "./json-questions.ts";
import { jsonReadingCommands } from "./json-reading.ts";
import { jsonRemovalCommands } from "./json-removal.ts";
import { jsonScalarCommands } from "./json-scalars.ts";
import { jsonSettingCommands } from "./json-setting.ts";
import { keyMoveCommands } from "./key-moves.ts";
import { keyCommands } from "./keys.ts";
import { lcsCommands } from "./lcs.ts";
import { listBlockingCommands } from "./list-blocking.ts";
import { listElementCommands } from "./list-elements.ts";
import { listEndCommands } from "./list-ends.ts";
import { listSearchCommands } from "./list-search.ts";
import { lockCommands } from "./locks.ts";
import { memoryCommands } from "./memory.ts";
import { multipleStringCommands } from "./multiple-strings.ts";
import { objectCommands } from "./object.ts";
import { publishingCommands } from "./publishing.ts";
import { roleCommands } from "./role.ts";
import { saveCommands } from "./save.ts";
import { scanCommands } from "./scan.ts";
import { serverCommands } from "./server-commands.ts";
import { setCombinationCommands } from "./set-combination.ts";
import { setMemberCommands } from "./set-members.ts";
import { setRandomCommands } from "./set-random.ts";
import { sortCommands } from "./sort.ts";
import { sortedSetAlgebraCommands } from "./sorted-set-algebra.ts";
import { sortedSetBlockingCommands } from "./sorted-set-blocking.ts";
import { sortedSetPickCommands } from "./sorted-set-picks.ts";
import { sortedSetRangeCommands } from "./sorted-set-ranges.ts";
import { sortedSetCommands } from "./sorted-sets.ts";
import { streamClaimingCommands } from "./stream-claiming.ts";
import { streamGroupCommands } from "./stream-groups.ts";
import { streamInfoCommands } from "./stream-info.ts";
import { streamPendingCommands } from "./stream-pending.ts";
import { streamRangeCommands } from "./stream-ranges.ts";
import { streamReadingCommands } from "./stream-reading.ts";
import { streamCommands } from "./streams.ts";
import { stringRangeCommands } from "./string-ranges.ts";
import { stringCommands } from "./strings.ts";
import { subscribingCommands } from "./subscribing.ts";
import { transactionCommands } from "./transactions.ts";
import { valueCommands } from "./value.ts";
import { valueKeysCommands } from "./value-keys.ts";
import { valueTransferCommands } from "./value-transfer.ts";

export const coreCommands: readonly Command[] = [
  ...connectionCommands,
  ...authenticationCommands,
  ...aclCommands,
  ...clientCommands,
  ...clientTrackingCommands,
  ...subscribingCommands,
  ...publishingCommands,
  ...stringCommands,
  ...multipleStringCommands,
  ...counterCommands,
  ...stringRangeCommands,
  ...lcsCommands,
  ...bitCommands,
  ...bitopCommands,
  ...bitfieldCommands,
  ...listEndCommands,
  ...listElementCommands,
  ...listSearchCommands,
  ...listBlockingCommands,
  ...setMemberCommands,
  ...setRandomCommands,
  ...setCombinationCommands,
  ...hashFieldCommands,
  ...hashWalkCommands,
  ...hashRandomCommands,
  ...hashCounterCommands,
  ...hashExpiryCommands,
  ...hashLifetimeCommands,
  ...sortedSetCommands,
  ...sortedSetRangeCommands,
  ...sortedSetPickCommands,
  ...hyperLogLogCommands,
  ...sortedSetBlockingCommands,
  ...sortedSetAlgebraCommands,
  ...geoCommands,
  ...geoSearchCommands,
  ...valueCommands,
  ...batchCommands,
  ...valueKeysCommands,
  ...valueTransferCommands,
  ...jsonSettingCommands,
  ...jsonPairCommands,
  ...jsonReadingCommands,
  ...jsonQuestionCommands,
  ...jsonScalarCommands,
  ...jsonArrayCommands,
  ...jsonRemovalCommands,
  ...streamCommands,
  ...streamRangeCommands,
  ...streamReadingCommands,
  ...streamGroupCommands,
  ...streamPendingCommands,
  ...streamClaimingCommands,
  ...streamInfoCommands,
  ...databaseCommands,
  ...keyCommands,
  ...keyMoveCommands,
  ...dumpCommands,
  ...sortCommands,
  ...scanCommands,
  ...expiryCommands,
  ...objectCommands,
  ...memoryCommands,
  ...roleCommands,
  ...transactionCommands,
  ...lockCommands,
  ...serverCommands,
  ...saveCommands,
  ...checkCommands,
  ...backupCommands,
  ...durabilityCommands,
  ...infoCommands,
  ...configCommands,
  ...commandCommands,
  ...debugCommands,
];
