/**
 * INFO's section Keys, for people and scripts that ask for it by name: of each type the largest key, and the keys that are used
 * most. More of them, and how they are known, is KEYS.BIG and KEYS.HOT.
 */
import type { Server } from "../session/server.ts";
import { TYPE_NAMES } from "../store/entry.ts";
import type { InfoLines } from "./info-lines.ts";

const HOT = 5;

export function aboutKeys({ insight: { bigKeys, hotKeys } }: Server): InfoLines {
  const lines: InfoLines = {};
  for (const { type, database, key, bytes, elements } of bigKeys.largest("bytes")) {
    const sizes = `db=${database},bytes=${bytes},elements=${elements}`;
    // The largest of a type comes first.
    lines[`biggest_${TYPE_NAMES[type]}`] ??= `${sizes},key=${quoted(key)}`;
  }
  hotKeys.hottest(HOT).forEach(({ database, key, share }, index) => {
    const percent = (share * 100).toFixed(2);
    lines[`hot_key_${index + 1}`] = `db=${database},percent=${percent},key=${quoted(key)}`;
  });
  return lines;
}

/** On one line, whatever is in it. */
function quoted(key: Buffer): string {
  return JSON.stringify(key.toString());
}
