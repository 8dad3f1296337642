import { createHash } from 'node:crypto';
import type { Terms } from '../../database/consent/consents.ts';
import type { GrantedPlan } from '../../database/consent/grant-views.ts';
import { parseRule, type RetentionRule, ruleText } from '../../domain/retention/rule.ts';
import {
  type NamedSources,
  namedSources,
  type SourceAddress,
  type SourceName,
  sourceNames,
} from '../../domain/source-names.ts';
import { isNamedServer, type PersonClaims, previewUrl } from '../../domain/url-template.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { Texts } from '../../web/texts/en.ts';
import { listTexts, textsFor } from '../../web/texts/languages.ts';
import { zoneIn } from './person.ts';

/** What the sentences are about, as far as it may change later. */
export interface AgreedFacts {
  /** The addresses of what is backed up: of the person's files, and of what else. */
  readonly files?: string;
  readonly calendars?: string;
  readonly contacts?: string;
  readonly mail?: string;
  /** What was offered besides, and is not backed up by the person's own choice; absent where nothing is. */
  readonly leftOut?: readonly SourceName[];
  /**
   * When nights are; `surely`: the zone is known, and not only what counts where the provider names none. `unlessPlanned`: it was not known who they
   * are, and the hours of a plan that they have already stay.
   */
  readonly window: {
    readonly start: string;
    readonly end: string;
    readonly zone: string;
    readonly surely: boolean;
    readonly unlessPlanned?: true;
  };
  /** Which snapshots stay, as settings write it. */
  readonly kept: string;
}

/** One sentence, and what it is about. */
export interface AgreedSentence {
  readonly about: string;
  readonly says: string;
}

/** What is read and agreed to, word for word. It is the record itself: a type, so that it is JSON. */
export type Agreement = {
  /** Of the words. */
  readonly version: string;
  /** Of the words, as a tag (BCP 47). */
  readonly language: string;
  readonly sentences: readonly AgreedSentence[];
  readonly facts: AgreedFacts;
};

/** What a plan that there is already says of it. */
export type AgreedPlan = Pick<GrantedPlan, 'zone' | 'windowStart' | 'windowEnd' | 'kept'> &
  Partial<Pick<GrantedPlan, 'sources'>>;

/**
 * What somebody is asked to agree to: what their plan does, if they have one, else what the settings say. Which snapshots stay is always
 * what the settings say, since all stay until their person has agreed that some go.
 */
export function factsFor(
  config: Omit<NamedSources, 'filesOrigins'> & Pick<Resources['config'], 'window' | 'retention'>,
  {
    person,
    plan,
    sources = plan?.sources ?? namedSources(config),
    leftOut = [],
  }: {
    person?: PersonClaims | undefined;
    plan?: AgreedPlan | undefined;
    sources?: readonly SourceAddress[];
    leftOut?: readonly SourceName[];
  } = {},
): AgreedFacts {
  const { window, retention } = config;
  const shown = (template: string) => (person === undefined ? template : previewUrl(template, person));
  const addresses = sources.map(({ name, url }) => [name, shown(url)] as const);
  const { files, calendars, contacts, mail }: Partial<Record<string, string>> = Object.fromEntries(addresses);
  const zone = plan?.zone ?? zoneIn(person?.claims ?? {});
  const start = plan?.windowStart ?? window.start;
  const end = plan?.windowEnd ?? window.end;
  return {
    ...(files !== undefined && { files }),
    ...(calendars !== undefined && { calendars }),
    ...(contacts !== undefined && { contacts }),
    ...(mail !== undefined && { mail }),
    ...(leftOut.length > 0 && { leftOut }),
    window: { start, end, zone: zone ?? window.zone, surely: zone !== undefined },
    kept: ruleText(plan?.kept ?? retention),
  };
}

/** The same where it is not known yet who agrees; to these alone, where not all that the settings name is wanted. */
export function factsForAnyone(
  config: Parameters<typeof factsFor>[0],
  wanted: readonly SourceName[] = sourceNames,
): AgreedFacts {
  const facts = factsFor(config, chosenOf(namedSources(config), wanted));
  return { ...facts, window: { ...facts.window, unlessPlanned: true } };
}

/**
 * The record of what was agreed to: its sentences word for word. Where the sentence about hours and zone leaves open which they are, the
 * facts name those of the plan.
 */
export function recordOf(
  terms: Record<string, unknown>,
  { zone, windowStart: start, windowEnd: end }: Pick<AgreedPlan, 'zone' | 'windowStart' | 'windowEnd'>,
): Record<string, unknown> {
  const { agreement } = readRecord(terms);
  if (agreement === undefined) return terms;
  const { facts } = agreement;
  const { surely, unlessPlanned } = facts.window;
  const settled = { ...((!surely || unlessPlanned) && { zone }), ...(unlessPlanned && { start, end }) };
  return { ...agreement, facts: { ...facts, window: { ...facts.window, ...settled } } };
}

/**
 * The sources that somebody who agrees again agrees to: all that the settings name, each at the address in their plan as long as the settings still
 * name that server, else at the address of the settings. Away from our pages nobody is shown a plan, so there it is always the latter.
 */
export function sourcesAgreed(
  named: NamedSources,
  { method, plan = [] }: { method: Terms['method']; plan: readonly SourceAddress[] | undefined },
): (SourceAddress & { readonly name: SourceName })[] {
  return namedSources(named).map(({ name, url }) => {
    const planned = plan.find((one) => one.name === name);
    const stays = method === 'browser' && planned !== undefined && isNamedServer(planned.url, named);
    return { name, url: stays ? planned.url : url };
  });
}

/** Of what is offered, what is chosen, and what is left out by that. */
export function chosenOf<Source extends { readonly name: SourceName }>(
  offered: readonly Source[],
  wanted: readonly string[],
): { sources: Source[]; leftOut: SourceName[] } {
  const isWanted = ({ name }: Source) => wanted.includes(name);
  const leftOut = offered.filter((source) => !isWanted(source)).map(({ name }) => name);
  return { sources: offered.filter(isWanted), leftOut };
}

/** What these terms name that is backed up; those of an older kind name files alone. */
export function namesAgreed(terms: unknown): ReadonlySet<SourceName> {
  const { facts } = readRecord(terms);
  const named = sourceNames.filter((name) => facts[name] !== undefined);
  return new Set<SourceName>(named.length === 0 ? ['files'] : named);
}

type Words = Pick<Texts, 'consent' | 'language'>;

/** What somebody is asked to agree to, in these words; in English where nothing says in which. */
export function writeAgreement(facts: AgreedFacts, { consent: t, language }: Words = textsFor({})): Agreement {
  const { start, end, zone, surely, unlessPlanned } = facts.window;
  const { files, calendars, contacts, mail, leftOut = [] } = facts;
  const ofAll = { files, calendars, contacts, mail };
  const when = unlessPlanned ? t.whenUnlessPlanned : surely ? t.whenValue : t.whenUnlessNamed;
  const sentences = [
    { about: t.what, says: isOfFilesAlone(facts) ? t.whatValue(facts.files) : t.whatValueOfAll(ofAll) },
    ...(leftOut.length === 0 ? [] : [{ about: t.leftOut, says: t.leftOutValue(leftOut) }]),
    { about: t.when, says: when(start, end, zone) },
    { about: t.kept, says: t.keptValue(parseRule(facts.kept)) },
    { about: t.how, says: isOfFilesAlone(facts) ? t.howValue : t.howValueOfAll },
    { about: t.end, says: t.endValue },
  ];
  return { version: versionFor(facts, t), language, sentences, facts };
}

function isOfFilesAlone(facts: AgreedFacts): facts is AgreedFacts & { files: string } {
  return sourceNames.every((name) => (name === 'files') === (facts[name] !== undefined));
}

/** Whoever agrees to files alone, where there is nothing else, or before it is known who they are, reads other words. */
function versionFor(facts: AgreedFacts, t: Words['consent']): string {
  if (facts.window.unlessPlanned) return t.versionForAnyone;
  return isOfFilesAlone(facts) && facts.leftOut === undefined ? t.version : t.versionOfAll;
}

/** Stands for every word of it; forms and cookies carry this, which have no room for the sentences. */
export function digestOf(agreement: Agreement): string {
  return createHash('sha256').update(JSON.stringify(agreement)).digest('base64url').slice(0, 22);
}

/** What a browser carries to the provider and back. */
export type CarriedAgreement = { readonly facts: AgreedFacts; readonly digest: string };

/** The facts and the digest of an agreement, short enough for a form or a cookie; `unpackAgreement` takes them back. */
export function carryAgreement(agreement: Agreement): CarriedAgreement {
  return { facts: agreement.facts, digest: digestOf(agreement) };
}

/** The agreement with this digest, in whichever language it was read; undefined if the words have changed since. */
export function findAgreement(
  { facts, digest }: CarriedAgreement,
  spoken: readonly Words[] = listTexts(),
): Agreement | undefined {
  return spoken.map((words) => writeAgreement(facts, words)).find((agreement) => digestOf(agreement) === digest);
}

/** The agreement that was carried. Throws `consent/invalid-callback` if its words have changed since they were read. */
export function unpackAgreement(carried: CarriedAgreement, spoken?: readonly Words[]): Agreement {
  const agreement = findAgreement(carried, spoken);
  if (agreement !== undefined) return agreement;
  throw new AppError(
    'consent/invalid-callback',
    'What you agreed to has changed since you read it, so nothing was saved. Read it again, then agree.',
  );
}

/** Whether the words of consent have changed, in the language in which this one was read; another language is no change. */
export function isReworded({ language, version, facts }: Agreement, spoken: readonly Words[] = listTexts()): boolean {
  const today = spoken.find((words) => words.language === language);
  return today !== undefined && versionFor(facts, today.consent) !== version;
}

/** What a record holds: the agreement, or of an older record only facts. */
export function readRecord(terms: unknown): { agreement?: Agreement; facts: OldFacts } {
  if (isObject(terms) && Array.isArray(terms.sentences) && isObject(terms.facts)) {
    const agreement = terms as unknown as Agreement;
    return { agreement, facts: factsIn(terms.facts) };
  }
  return { facts: isObject(terms) ? factsIn(terms) : {} };
}

/** Which snapshots stay by this record; undefined where it says nothing of it, or promises that all do. */
export function agreedRule(terms: unknown): RetentionRule | undefined {
  const { kept } = readRecord(terms).facts;
  return kept === undefined ? undefined : parseRule(kept);
}

/** Older records say that all snapshots are kept, in words that are no rule. */
function isRule(kept: unknown): kept is string {
  try {
    return typeof kept === 'string' && parseRule(kept) !== undefined;
  } catch {
    return false;
  }
}

/** Facts as far as a record has them. */
export interface OldFacts {
  readonly files?: string;
  readonly calendars?: string;
  readonly contacts?: string;
  readonly mail?: string;
  readonly leftOut?: readonly string[];
  readonly start?: string;
  readonly end?: string;
  readonly zone?: string;
  readonly kept?: string;
}

function factsIn({
  files,
  calendars,
  contacts,
  mail,
  leftOut,
  window,
  kept,
}: Readonly<Record<string, unknown>>): OldFacts {
  const { start, end, zone } = isObject(window) ? window : {};
  const texts = Object.fromEntries(
    Object.entries({
      files,
      calendars,
      contacts,
      mail,
      start,
      end,
      zone,
      kept: isRule(kept) ? kept : undefined,
    }).filter(([, value]) => typeof value === 'string'),
  );
  return Array.isArray(leftOut) ? { ...texts, leftOut: leftOut.filter((name) => typeof name === 'string') } : texts;
}

/** What is otherwise now than it was agreed: of each the words that it had, and those it has. */
export interface AgreedChange {
  readonly of: SourceName | 'window' | 'zone' | 'kept';
  readonly was: string;
  readonly is: string;
}

/** What changed since; what a record does not say is not compared. */
export function changesSince(
  agreed: OldFacts,
  { files, calendars, contacts, mail, window, kept }: AgreedFacts,
): AgreedChange[] {
  const hours = (from?: string, to?: string) => from && to && `${from}–${to}`;
  const pairs = [
    { of: 'files', was: agreed.files, is: files },
    { of: 'calendars', was: agreed.calendars, is: calendars },
    { of: 'contacts', was: agreed.contacts, is: contacts },
    { of: 'mail', was: agreed.mail, is: mail },
    { of: 'window', was: hours(agreed.start, agreed.end), is: hours(window.start, window.end) },
    { of: 'zone', was: agreed.zone, is: window.zone },
    { of: 'kept', was: agreed.kept, is: kept },
  ] as const;
  return pairs.flatMap(({ of, was, is }) => (was && is && was !== is ? [{ of, was, is }] : []));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
