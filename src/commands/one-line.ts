/** A message of somebody else in an error reply, which has one line. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]/g, " ");
}
