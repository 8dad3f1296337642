import type { SourceName } from '../../domain/source-names.ts';
import type { Texts } from './en.ts';

/** What of a person was moved, as the sentences of it have it. */
export function movedWords({ home: { moved } }: Pick<Texts, 'home'>, names: readonly SourceName[]): string {
  return names.map((name) => moved[name]).join(` ${moved.and} `);
}
