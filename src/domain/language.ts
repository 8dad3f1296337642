/** The languages that people may choose, by their tags (RFC 5646). */
export const languages = ['en', 'de'] as const;

export type Language = (typeof languages)[number];

/** The language of that tag; null for any other text, and for none. */
export function languageNamed(tag: string | null | undefined): Language | null {
  return languages.find((one) => one === tag) ?? null;
}
