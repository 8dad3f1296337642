import { html } from 'hono/html';
import { isSourceName, type SourceName } from '../domain/source-names.ts';
import { shownName, unseen } from '../file-name.ts';

/** As that of the layout, which shows names itself. */
type Html = ReturnType<typeof html>;

/** Invisible characters, and control characters too. */
const hidden = new RegExp(`[\\0-\\x1f\\x7f-\\x9f]|${unseen.source}`, 'gu');

function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The name of a file or a person as plain text, for titles: what is not seen reads as its code, "‹U+202E›". */
export function plainName(name: string): string {
  return shownName(name).replace(hidden, (character) => `‹${codeOf(character)}›`);
}

/** The name of a file or a person for a page: it turns the direction of nothing around it, and what is not seen is shown as its code. */
export function name(text: string): Html {
  const shown = shownName(text);
  const parts = shown.split(hidden);
  const marks = shown.match(hidden) ?? [];
  const mark = (character: string | undefined) =>
    character === undefined ? '' : html`<span class="unseen-sign">${codeOf(character)}</span>`;
  return html`<bdi>${parts.map((part, index) => html`${part}${mark(marks[index])}`)}</bdi>`;
}

/** A path for a page, name by name; of one that begins at the top of a snapshot, `tops` says what the folders there are called. */
export function pathName(path: string, tops?: Readonly<Record<SourceName, string>>): Html {
  const shown = (part: string, index: number) => (index === 0 && tops && isSourceName(part) ? tops[part] : part);
  return html`${path.split('/').map((part, index) => html`${index === 0 ? '' : ' / '}${name(shown(part, index))}`)}`;
}
