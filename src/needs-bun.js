// What Node.js and others get of `import … from "kvdb"`: the reason why it does not work there. The
// names are those of plugin.ts, since a missing name would be reported before this can speak.

export let ALL_KEYS,
  API_VERSION,
  Arguments,
  CommandError,
  KvdbError,
  LOOK_AHEAD,
  createIndexWords,
  definePlugin,
  integerOf,
  logGap,
  momentText,
  notDurable,
  open,
  readCronSchedule,
  readMemorySize,
  readMilliseconds,
  readMoment,
  readMomentBytes,
  readWholeNumber,
  readYesNo,
  requireUnique,
  streamItemAt,
  streamStrings,
  textOf;

throw new Error("kvdb runs on Bun (https://bun.sh): start this program with `bun`");
