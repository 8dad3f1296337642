import { html } from 'hono/html';
import { shownName } from '../file-name.ts';
import type { Html } from './layout.ts';

/**
 * Characters that are not seen, or turn the direction of what is seen: control characters, spaces of no width, marks and overrides of
 * direction, tags. The two joiners only where they join nothing: scripts and pictographs need them.
 */
const unseen =
  /[\0-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]|(?<![^\0-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\0-\x7f])/gu;

function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The name of a file as plain text, for titles: what is not seen reads as its code, "‹U+202E›". */
export function plainName(name: string): string {
  return shownName(name).replace(unseen, (character) => `‹${codeOf(character)}›`);
}

/** The name of a file for a page: it turns the direction of nothing around it, and what is not seen is shown as its code. */
export function name(text: string): Html {
  const shown = shownName(text);
  const parts = shown.split(unseen);
  const marks = shown.match(unseen) ?? [];
  const mark = (character: string | undefined) =>
    character === undefined ? '' : html`<span class="unseen-sign">${codeOf(character)}</span>`;
  return html`<bdi>${parts.map((part, index) => html`${part}${mark(marks[index])}`)}</bdi>`;
}

/** A path for a page, name by name. */
export function pathName(path: string): Html {
  return html`${path.split('/').map((part, index) => html`${index === 0 ? '' : ' / '}${name(part)}`)}`;
}
