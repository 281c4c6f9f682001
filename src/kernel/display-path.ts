/**
 * How a message names a file: as the user would type it from where they are, or in full when it
 * lies elsewhere.
 */
import { isAbsolute, relative } from "node:path";

export function displayPath(path: string, currentFolder: string): string {
  const fromHere = relative(currentFolder, path);
  if (fromHere === "") return ".";
  return fromHere.startsWith("..") || isAbsolute(fromHere) ? path : fromHere;
}
