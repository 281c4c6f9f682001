/**
 * Passwords are kept as the hex text of their SHA-256, as Redis keeps them, and compared so that the time tells nothing. Bun's
 * own hash: to load node:crypto takes 2 ms of each start.
 */

const HASH_FORM = /^[0-9a-f]{64}$/;

export function isPasswordHash(text: string): boolean {
  return HASH_FORM.test(text);
}

export function hashPassword(password: Uint8Array): string {
  return new Bun.SHA256().update(password).digest("hex");
}

/** Whether one of them is the password's. All are looked at, each to its end. */
export function isAmong(password: Uint8Array, hashes: readonly string[]): boolean {
  const given = hashPassword(password);
  let isFound = false;
  for (const hash of hashes) isFound = isSame(given, hash) || isFound;
  return isFound;
}

function isSame(given: string, hash: string): boolean {
  let difference = 0;
  for (let i = 0; i < given.length; i++) difference |= given.charCodeAt(i) ^ hash.charCodeAt(i);
  return difference === 0;
}
