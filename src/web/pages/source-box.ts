import { html } from 'hono/html';
import type { SourceName } from '../../domain/source-names.ts';
import type { Html } from '../layout.ts';
import type { Texts } from '../texts/en.ts';

/** A box for one thing that can be backed up, named as home names it. */
export function sourceBox(
  { field, name, isChosen }: { field: string; name: SourceName; isChosen: boolean },
  words: Texts['holding'],
): Html {
  return html`<label><input type="checkbox" name="${field}" value="${name}" ${isChosen ? html`checked` : ''}><span>${words[name]}</span></label>`;
}
