import type { SourceName } from '../../domain/source-names.ts';
import type { Texts } from './en.ts';

/** What of a person was moved, as the sentences of it have it: "files, calendars and contacts". */
export function movedWords({ formats, home }: Pick<Texts, 'formats' | 'home'>, names: readonly SourceName[]): string {
  return formats.list(names.map((name) => home.moved[name]));
}
