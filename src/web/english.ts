import { html } from 'hono/html';
import type { Html } from './layout.ts';
import type { Texts } from './texts/en.ts';
import { wordFor } from './texts/word.ts';

/** Words that are always English, such as those of errors and the doctor; on pages in another language they are marked as English. */
export function english({ language }: Texts, words: Html | string): Html {
  return language === 'en' ? html`${words}` : html`<span lang="en">${words}</span>`;
}

/** The same, where the page can say by itself what it comes to: in another language that comes first. */
export function explained(texts: Texts, sentence: string, words: Html | string): Html {
  return texts.language === 'en'
    ? html`${words}`
    : html`${sentence} <span class="soft">(${english(texts, words)})</span>`;
}

/** Why something could not be read or written: its message, and by its code what that comes to, where the page can say it. */
export function whyInWords(texts: Texts, code: string, message: Html | string): Html {
  const sentence = wordFor(texts.problems, code);
  return sentence === undefined ? english(texts, message) : explained(texts, sentence, message);
}
