import { html } from 'hono/html';
import type { Html } from './layout.ts';
import type { Texts } from './texts/en.ts';

/** Words that are English whatever the page speaks, as errors and the doctor have them; on other pages they are marked as such. */
export function english({ language }: Texts, words: string): Html {
  return language === 'en' ? html`${words}` : html`<span lang="en">${words}</span>`;
}

/** The same, where the page can say by itself what it comes to: in another language that comes first. */
export function explained(texts: Texts, sentence: string, words: string): Html {
  return texts.language === 'en'
    ? html`${words}`
    : html`${sentence} <span class="soft">(${english(texts, words)})</span>`;
}
