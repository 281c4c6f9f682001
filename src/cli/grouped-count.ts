/** A count in words, its digits in groups: `10 000 documents`. */

export function groupedCount(count: number, one: string, many = `${one}s`): string {
  const digits = String(count).replace(/\B(?=(\d{3})+$)/g, " ");
  return `${digits} ${count === 1 ? one : many}`;
}
