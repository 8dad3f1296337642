import { type NamedSources, namedSources, type SourceAddress, type SourceName, sourceNames } from './source-names.ts';
import { isFilledIn, type PersonClaims, previewUrl } from './url-template.ts';

/** What a record says of what is backed up: the address of each thing that was agreed to, and what was offered and left out. */
export type AgreedAddresses = Readonly<Partial<Record<SourceName, string>>> & { readonly leftOut?: readonly string[] };

/** One thing that somebody has agreed to, and may choose or leave out without agreeing anew. */
export interface ChoosableSource {
  readonly name: SourceName;
  /** With claims in braces, as plans name it. */
  readonly url: string;
  readonly isChosen: boolean;
}

export interface SourceChoice {
  readonly choosable: readonly ChoosableSource[];
  /** What the settings name besides, and only a new agreement adds: what the person has left out at the last one … */
  readonly leftOut: readonly SourceName[];
  /** … and what they were never asked about. */
  readonly unasked: readonly SourceName[];
}

/**
 * What a person can choose to have backed up. What their plan names is chosen; besides that, what they agreed to and then left out can be chosen
 * again where the settings have it at the address that the record names. Everything else needs another agreement.
 */
export function sourceChoiceOf(
  named: Omit<NamedSources, 'filesOrigins'>,
  { person, planned, agreed }: { person: PersonClaims; planned: readonly SourceAddress[]; agreed: AgreedAddresses },
): SourceChoice {
  const configured = namedSources(named).filter(({ url }) => isFilledIn(url, person));
  const isAgreed = ({ name, url }: { name: SourceName; url: string }) =>
    agreed[name] !== undefined && [url, previewUrl(url, person)].includes(agreed[name]);
  const choosable = sourceNames.flatMap((name) => {
    const chosen = planned.find((source) => source.name === name);
    if (chosen !== undefined) return [{ name, url: chosen.url, isChosen: true }];
    const offered = configured.find((source) => source.name === name);
    return offered !== undefined && isAgreed(offered) ? [{ ...offered, isChosen: false }] : [];
  });
  const others = configured.map(({ name }) => name).filter((name) => choosable.every((one) => one.name !== name));
  const isLeftOut = (name: SourceName) => agreed[name] !== undefined || agreed.leftOut?.includes(name) === true;
  return { choosable, leftOut: others.filter(isLeftOut), unasked: others.filter((name) => !isLeftOut(name)) };
}
