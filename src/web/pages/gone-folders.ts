import { html } from 'hono/html';
import type { Html } from '../layout.ts';
import { pathName } from '../names.ts';
import type { Texts } from '../texts/en.ts';

/** On one page; the rest are counted. */
const mostNamed = 10;

/** What is gone as a whole since the snapshot before, as a sentence; nothing where nothing is. */
export function goneFoldersPart(texts: Texts, { goneFolders }: { readonly goneFolders: unknown }): Html | '' {
  const { holding: t } = texts;
  const all = readGoneFolders(goneFolders);
  if (all.length === 0) return '';
  const named = all
    .slice(0, mostNamed)
    .map(({ path, entries }, at) => html`${at === 0 ? '' : '; '}${pathName(path, t)} (${t.goneEntries(entries)})`);
  const more = all.length > mostNamed ? `; ${t.goneMore(all.length - mostNamed)}` : '';
  return html`${t.goneFolders} ${named}${more}.`;
}

/** As a run has them on record. */
function readGoneFolders(saved: unknown): { path: string; entries: number }[] {
  const list: unknown[] = Array.isArray(saved) ? saved : [];
  return list.flatMap((one) =>
    typeof one === 'object' && one !== null && 'path' in one && 'entries' in one
      ? [{ path: String(one.path), entries: Number(one.entries) }]
      : [],
  );
}
