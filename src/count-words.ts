/** A number and what is counted, as operators read it: "1 grant", "3 grants". */
export function countWords(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
