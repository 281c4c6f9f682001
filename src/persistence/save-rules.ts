/**
 * When to save, as Redis's `save` has it: after so many seconds, if at least so many changes came
 * since the last one. `"3600 1 300 100"` is two rules; the first that holds saves.
 */

export interface SaveRule {
  readonly seconds: number;
  readonly changes: number;
}

/** Redis's own: who comes from there finds what they are used to. */
export const DEFAULT_RULES: readonly SaveRule[] = [
  { seconds: 3600, changes: 1 },
  { seconds: 300, changes: 100 },
  { seconds: 60, changes: 10_000 },
];

/** Pairs of whole numbers, or nothing. */
export const RULES_PATTERN =
  "^\\s*([1-9]\\d{0,8}\\s+\\d{1,15}(\\s+[1-9]\\d{0,8}\\s+\\d{1,15})*)?\\s*$";

const RULES_TITLE = 'pairs of seconds and changes, such as "60 1000"';

/** Of the option as a configuration has it. */
export const saveSchema = {
  type: ["string", "array"],
  title: RULES_TITLE,
  pattern: RULES_PATTERN,
  items: { type: "string", title: RULES_TITLE, pattern: RULES_PATTERN },
  examples: ["60 1000", "3600 1 300 100"],
  description:
    "Seconds and changes: it is saved after so many seconds, if so many changes came. " +
    'Empty: only at a stop and by SAVE. Default: "3600 1 300 100 60 10000".',
} as const;

const rulesText = new RegExp(RULES_PATTERN);

/** Undefined: that are no rules. Empty: never. */
export function readRules(text: string): SaveRule[] | undefined {
  if (!rulesText.test(text)) return undefined;
  const numbers = text.trim().split(/\s+/).filter(Boolean).map(Number);
  const rules: SaveRule[] = [];
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    rules.push({ seconds: numbers[i], changes: numbers[i + 1] });
  }
  return rules;
}

export function writeRules(rules: readonly SaveRule[]): string {
  return rules.map(({ seconds, changes }) => `${seconds} ${changes}`).join(" ");
}

/** The rules of a configuration, whose texts its schema has checked. */
export function rulesOf(options: {
  readonly save?: string | readonly string[];
  readonly every?: number;
}): readonly SaveRule[] {
  const { save, every } = options;
  if (save === undefined && every === undefined) return DEFAULT_RULES;
  const texts = typeof save === "string" ? [save] : (save ?? []);
  const rules = texts.flatMap((text) => readRules(text) ?? []);
  return every === undefined ? rules : [...rules, { seconds: every, changes: 1 }];
}
