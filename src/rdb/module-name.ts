/**
 * The ID by which an RDB names a module: nine characters of six bits each, the first one on top, above ten bits of the version
 * of what the module has written.
 */
const CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NAME_LENGTH = 9;
const VERSION_BITS = 10n;

export function moduleName(id: bigint): string {
  let name = "";
  let bits = id >> VERSION_BITS;
  for (let left = NAME_LENGTH; left > 0; left--, bits >>= 6n) {
    name = CHARACTERS[Number(bits & 63n)] + name;
  }
  return name;
}
