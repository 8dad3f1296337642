import { type Language, languageNamed, languages } from '../../domain/language.ts';
import { texts as de } from './de.ts';
import { texts as en, type Texts } from './en.ts';

const all: Readonly<Record<Language, Texts>> = { en, de };

/** The texts of a language. */
function textsIn(language: Language): Texts {
  return all[language];
}

/** The texts of every language, in the order in which they are offered. */
export function listTexts(): readonly Texts[] {
  return languages.map(textsIn);
}

interface Wishes {
  /** What the person chose for all their pages and mails. */
  readonly person?: Language | null | undefined;
  /** What was chosen in this browser. */
  readonly browser?: string | undefined;
  /** In which they read what they agreed to. */
  readonly agreed?: Language | null | undefined;
  /** `Accept-Language`, where there is a request. */
  readonly accepted?: string | undefined;
}

/** The texts for somebody: as they chose, else as something tells that they read them; English where nothing does. */
export function textsFor({ person, browser, agreed, accepted }: Wishes): Texts {
  return textsIn(person ?? languageNamed(browser) ?? agreed ?? firstAccepted(accepted ?? '') ?? 'en');
}

/** The language that is wanted most, by its tag or a tag that it is part of (RFC 9110, section 12.5.4; RFC 4647, section 3.4). */
function firstAccepted(header: string): Language | undefined {
  const ranges = header.split(',').map((part) => {
    const [tag = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    return { tag, weight: quality === undefined ? 1 : Number(quality) };
  });
  const wanted = ranges.filter(({ weight }) => weight > 0).toSorted((one, other) => other.weight - one.weight);
  return wanted.map(({ tag }) => languageNamed(tag.split('-')[0])).find((language) => language !== null) ?? undefined;
}
