/**
 * Which backups stay and which go: a pure function over what is there. It knows no files.
 *
 * For each rule (`daily: 7`) time is cut into slots (days), and the newest backup of each of the last
 * 7 slots that have one stays; a slot without any does not count, so a week in which the machine was
 * off costs nothing. One backup may fill the slot of several rules. What no rule keeps goes.
 *
 * What is known of a backup comes first:
 * - One that failed its verification never fills a slot. Of those the newest stays until a newer one
 *   has passed, since it may be all that is left of something; the others go.
 * - In a slot a verified one goes before one that nobody has verified, even when that is newer.
 * - The newest verified one always stays, and so does the newest of all but the failed: it may be on
 *   its way to be verified.
 * - Without any rule everything stays.
 * - One from the future stays until that has come, and fills no slot: the clock was wrong, when it was made or now, and in
 *   neither case may it push out one whose time is right.
 *
 * Hours, days, weeks (from Monday, as in ISO 8601) and months are those of the time zone. The hour that
 * comes twice in autumn is two hours.
 */
import { KvdbError } from "../errors.ts";

/** How many stay, by age. A rule that is absent or 0 keeps nothing. */
export interface KeepRules {
  /** The newest, whenever they were made. */
  readonly last?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
}

export interface RetainedBackup {
  readonly name: string;
  /** The moment that its data is of, milliseconds since 1970. */
  readonly timeMs: number;
  /** What its last verification said. */
  readonly verification: "passed" | "failed" | "none";
}

/** So far a clock may be adjusted, and a name be ahead: of several within a second each gets one of its own. */
const TOLERANCE_MS = 60_000;

export function isFromFuture({ timeMs }: { readonly timeMs: number }, nowMs: number): boolean {
  return timeMs > nowMs + TOLERANCE_MS;
}

type Slots = "last" | "hourly" | "daily" | "weekly" | "monthly";

/** Names of the slots that a backup lies in. */
type SlotNames = Readonly<Record<Slots, string>>;

export interface RetentionTimes {
  /** An IANA name; the system's when it is undefined. */
  readonly timeZone: string | undefined;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** The backups that go, oldest first. Throws CONFIG for a zone that there is not. */
export function expiredBackups<Backup extends RetainedBackup>(
  backups: readonly Backup[],
  rules: KeepRules,
  { timeZone, nowMs }: RetentionTimes,
): Backup[] {
  const newestFirst = backups.filter((backup) => !isFromFuture(backup, nowMs)).sort(byAge);
  const counts = Object.entries(rules).filter(([, count]) => count !== undefined && count > 0);
  if (counts.length === 0) return [];
  const sound = newestFirst.filter(({ verification }) => verification !== "failed");
  const kept = new Set<Backup>(alwaysKept(newestFirst, sound));
  const slotNames = new Map(sound.map((backup) => [backup, slotsOf(backup, timeZone)] as const));
  for (const [slots, count] of counts as [Slots, number][]) {
    const nameOf = (backup: Backup) => (slotNames.get(backup) as SlotNames)[slots];
    for (const backup of bestOfSlots(sound, nameOf, count)) kept.add(backup);
  }
  return newestFirst.filter((backup) => !kept.has(backup)).reverse();
}

function byAge(one: RetainedBackup, two: RetainedBackup): number {
  return two.timeMs - one.timeMs || (one.name < two.name ? 1 : -1);
}

function alwaysKept<Backup extends RetainedBackup>(
  newestFirst: Backup[],
  sound: Backup[],
): Backup[] {
  const passed = newestFirst.findIndex(({ verification }) => verification === "passed");
  const failed = newestFirst.findIndex(({ verification }) => verification === "failed");
  const kept = sound.slice(0, 1);
  if (passed >= 0) kept.push(newestFirst[passed]);
  if (failed >= 0 && (passed < 0 || failed < passed)) kept.push(newestFirst[failed]);
  return kept;
}

/** The best of each of the first `count` slots: the newest verified one, else the newest. */
function bestOfSlots<Backup extends RetainedBackup>(
  newestFirst: Backup[],
  nameOf: (backup: Backup) => string,
  count: number,
): Iterable<Backup> {
  const best = new Map<string, Backup>();
  for (const backup of newestFirst) {
    const slot = nameOf(backup);
    const known = best.get(slot);
    if (known === undefined && best.size < count) best.set(slot, backup);
    if (known?.verification === "none" && backup.verification === "passed") best.set(slot, backup);
  }
  return best.values();
}

function slotsOf({ name, timeMs }: RetainedBackup, timeZone: string | undefined): SlotNames {
  const local = localTime(timeMs, timeZone);
  const day = local.toPlainDate().toString();
  return {
    last: name,
    // With the distance to UTC: in autumn one hour comes twice.
    hourly: `${day} ${local.hour} ${local.offset}`,
    daily: day,
    weekly: `${local.yearOfWeek} ${local.weekOfYear}`,
    monthly: day.slice(0, -3),
  };
}

function localTime(timeMs: number, timeZone: string | undefined): Temporal.ZonedDateTime {
  const zone = timeZone ?? Temporal.Now.timeZoneId();
  try {
    return Temporal.Instant.fromEpochMilliseconds(timeMs).toZonedDateTimeISO(zone);
  } catch (error) {
    throw new KvdbError("CONFIG", `timeZone "${zone}": no such time zone`, { cause: error });
  }
}
