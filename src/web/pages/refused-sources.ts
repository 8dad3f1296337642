import { html } from 'hono/html';
import type { SourceName } from '../../domain/source-names.ts';
import type { Html } from '../layout.ts';
import type { Texts } from '../texts/en.ts';

/** What of a person a server gives nothing of, with what they can do about it themselves. */
export function refusedPart({ run, settings }: Texts, names: readonly SourceName[]): Html | '' {
  if (names.length === 0) return '';
  return html`<p>${run.refused(names)} <a href="/settings#sources">${settings.sources.title}</a></p>`;
}
