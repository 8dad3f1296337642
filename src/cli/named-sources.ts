import { isSourceName, type SourceName, sourceNames } from '../domain/source-names.ts';
import { AppError } from '../errors.ts';
import { type Options, text } from './command.ts';

/** What `--sources` names, in the usual order; undefined where it is not given. Throws `usage/invalid`. */
export function namesIn(options: Options): SourceName[] | undefined {
  const given = text(options, 'sources');
  if (given === undefined) return undefined;
  const words = given.split(',').map((word) => word.trim());
  const unknown = words.find((word) => !isSourceName(word));
  if (unknown !== undefined)
    throw new AppError(
      'usage/invalid',
      `--sources names "${unknown}": it takes ${sourceNames.join(', ')}, with commas between them.`,
    );
  return sourceNames.filter((name) => words.includes(name));
}
