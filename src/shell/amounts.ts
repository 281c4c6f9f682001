/** Sizes, times and counts in words, for people. What programs read says bytes and milliseconds. */

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** `1 byte`, `512 bytes`, `1.5 MiB`. */
export function byteText(bytes: number): string {
  if (bytes === 1) return "1 byte";
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** `4 ms`, `1.5 s`, `12 s`, `3 min 5 s`, `2 h 10 min`. */
export function spanText(ms: number): string {
  const tenths = Math.round(ms / 100);
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`;
  if (tenths < 100) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `1 record`, `12345 records`. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
