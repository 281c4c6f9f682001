/** A message of somebody else in an error reply or a line of INFO, which end at a line break. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]/g, " ");
}
