import { nearest } from '../nearest.ts';
import { isName, names as known, type Name } from './settings.ts';

/** A name that no setting has, and the setting that was likely meant. */
export interface Misspelt {
  name: string;
  meant?: Name | undefined;
}

/** Names that are meant for Nightkeep by their look, but are not settings. */
export function findMisspelt(names: readonly string[]): Misspelt[] {
  return names.flatMap((name) => {
    const bare = name.replace(/_FILE$/, '');
    if (isName(bare)) return [];
    const meant = prefixed(bare) ?? nearest(bare.toUpperCase(), known);
    return meant !== undefined || ourPrefix.test(bare) ? [{ name, meant }] : [];
  });
}

const ourPrefix = /^(OIDC|OFFLINE)_/;

/** Settings have no prefix. Kubernetes sets NIGHTKEEP_PORT for a service of that name. */
function prefixed(name: string): Name | undefined {
  const rest = /^NIGHTKEEP_(?!PORT$)(.+)$/.exec(name)?.[1] ?? '';
  return isName(rest) ? rest : undefined;
}
