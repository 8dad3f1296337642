import type { SourceName } from '../../domain/source-names.ts';
import type { Texts } from './en.ts';

/** Sources as sentences list them: "files, calendars and contacts". */
export function sourceWords({ formats, home }: Pick<Texts, 'formats' | 'home'>, names: readonly SourceName[]): string {
  return formats.list(names.map((name) => home.sources[name]));
}
