import { html } from 'hono/html';
import type { Html } from '../layout.ts';
import { pathName } from '../names.ts';
import type { Texts } from '../texts/en.ts';

/** What a path of a snapshot is called in lists; of a folder it says that all below it is meant. */
export function entryName({ holding, snapshots: t }: Texts, path: string, { isFolder }: { isFolder: boolean }): Html {
  return html`${pathName(path, holding)}${isFolder ? html` <span class="soft">(${t.wholeFolder})</span>` : ''}`;
}
