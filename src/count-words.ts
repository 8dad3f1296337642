/** A number and what is counted, as operators read it: "1 grant", "3 grants". */
export function countWords(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The same of what is counted up to `most`: "1000 files or more". */
export function countUpTo(count: number, most: number, one: string, many = `${one}s`): string {
  return `${countWords(count, one, many)}${count >= most ? ' or more' : ''}`;
}
