import { html } from 'hono/html';
import type { Html } from '../layout.ts';
import { name } from '../names.ts';
import { addressOf, type OpenSnapshot } from '../snapshot.ts';
import type { Texts } from '../texts/en.ts';

interface Trail {
  readonly opened: OpenSnapshot;
  readonly path: string;
  /** What the names of the path are called on pages. */
  readonly steps: readonly string[];
  /** The folder that stands for all; '' where it is the root. */
  readonly top: string;
  readonly texts: Texts;
}

/** The folders above a folder or file as links, and itself. */
export function trail({ opened: { saved }, path, steps: called, top, texts }: Trail): Html {
  const names = path.split('/').filter((part) => part !== '');
  const from = top === '' ? 0 : 1;
  const steps = names.slice(from).map((part, index) => {
    const isLast = from + index === names.length - 1;
    const address = addressOf(saved, 'browse', names.slice(0, from + index + 1).join('/'));
    const shown = name(called[from + index] ?? part);
    return html`<li>${isLast ? html`<span aria-current="page">${shown}</span>` : html`<a href="${address}">${shown}</a>`}</li>`;
  });
  const t = texts.snapshots;
  const first =
    steps.length === 0
      ? html`<span aria-current="page">${t.root}</span>`
      : html`<a href="${addressOf(saved, 'browse', '')}">${t.root}</a>`;
  return html`<nav class="trail" aria-label="${t.where}"><ol><li>${first}</li>${steps}</ol></nav>`;
}
