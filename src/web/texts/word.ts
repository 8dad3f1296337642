/** The word for a value that is kept as text; undefined for one that nobody here knows. */
export function wordFor(words: Readonly<Record<string, string>>, value: string): string | undefined {
  return Object.hasOwn(words, value) ? words[value] : undefined;
}
