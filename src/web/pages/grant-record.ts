import { html } from 'hono/html';
import { type GrantView, newestConsents } from '../../database/consent/grant-views.ts';
import { getPerson } from '../../database/nights/views.ts';
import { readActor } from '../../domain/audit.ts';
import { parseRule, ruleText } from '../../domain/retention/rule.ts';
import { isSourceName } from '../../domain/source-names.ts';
import {
  type AgreedChange,
  type AgreedFacts,
  type Agreement,
  changesSince,
  factsFor,
  isReworded,
  type OldFacts,
  readRecord,
} from '../../flows/consent/agreement.ts';
import { findSourceChoice } from '../../flows/consent/choose-sources.ts';
import type { Html } from '../layout.ts';
import type { Texts } from '../texts/en.ts';
import { listTexts } from '../texts/languages.ts';
import { sourceWords } from '../texts/source-words.ts';
import { wordFor } from '../texts/word.ts';
import type { PersonVisit } from '../visit.ts';
import { sentencesPart } from './consent-words.ts';

/** What was agreed to, word for word, when and how, and what has changed since. */
export async function recordPart(visit: PersonVisit, view: GrantView): Promise<Html | ''> {
  const [newest, ...earlier] = view.consents;
  if (newest === undefined) return '';
  const { resources, session, texts } = visit;
  const t = texts.grant;
  const zone = view.plans[0]?.zone;
  const person = await getPerson(resources.database, { userId: session.userId });
  const plan = view.plans[0];
  const asked = factsFor(resources.config, { person, plan });
  const inForce = { ...asked, kept: ruleText(plan?.kept ?? {}) };
  const { agreement, facts } = readRecord(newest.terms);
  const choice = await findSourceChoice(resources, session.userId);
  const leftOut = (choice?.leftOutSince ?? []).map(({ name, at, by }) => {
    const what = sourceWords(texts, isSourceName(name) ? [name] : []);
    return t.since.leftOut[readActor(by).kind === 'user' ? 'byYou' : 'byOperator'](what, texts.formats.time(at, zone));
  });
  const version =
    agreement &&
    html`<dt>${t.versionName}</dt><dd>${t.version(agreement.version, languageName(agreement.language))}</dd>`;
  return html`<h2>${t.record}</h2>${agreement === undefined ? oldRecord(t, facts, newest.terms) : sentencesPart(agreement)}
<dl class="card"><dt>${t.agreed}</dt><dd>${texts.formats.time(newest.agreedAt, zone)} ${wordFor(t.methods, newest.method) ?? newest.method}</dd>
${version ?? ''}${earlier.length === 0 ? '' : html`<dt>${t.earlier}</dt><dd>${earlier.map(({ agreedAt }) => texts.formats.time(agreedAt, zone)).join('; ')}${view.consents.length < newestConsents ? '' : `; ${t.earlierMore}`}</dd>`}
<dt>${t.provider}</dt><dd>${view.issuer}</dd><dt>${t.scope}</dt><dd>${newest.scope}</dd></dl>
${view.state === 'withdrawn' ? '' : sincePart(texts, { agreement, facts, inForce, leftOut })}`;
}

/** The name that the language of a tag gives itself; the tag where it is not spoken here any more. */
function languageName(tag: string): string {
  return listTexts().find(({ language }) => language === tag)?.languageName ?? tag;
}

interface Compared {
  agreement: Agreement | undefined;
  facts: OldFacts;
  inForce: AgreedFacts;
  /** Sentences on what was left out. */
  leftOut: readonly string[];
}

/** In plain words, and only what can be compared. */
function sincePart(texts: Texts, { agreement, facts, inForce, leftOut }: Compared): Html {
  const t = texts.grant.since;
  const changes = [...changesSince(facts, inForce).map((change) => changeWords(t, change)), ...leftOut];
  const lines = agreement !== undefined && isReworded(agreement) ? [...changes, t.words] : changes;
  const none = Object.keys(facts).length === 0 ? t.unknown : t.nothing;
  return html`<h2>${t.title}</h2>${lines.length === 0 ? html`<p>${none}</p>` : html`<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`}`;
}

function changeWords(t: Texts['grant']['since'], { of, was, is }: AgreedChange): string {
  return of === 'kept' ? t.kept(parseRule(was), parseRule(is)) : t[of](was, is);
}

/** A record from before sentences were kept, as well as it can be shown. */
function oldRecord(t: Texts['grant'], { files, start, end, zone }: OldFacts, terms: unknown): Html {
  const row = (name: string, value: string | undefined) => (value ? html`<dt>${name}</dt><dd>${value}</dd>` : '');
  const hours = start && end && `${start}–${end}`;
  const kept = typeof terms === 'object' && terms !== null && Object.hasOwn(terms, 'retention') ? t.kept : undefined;
  return html`<p>${t.oldRecord}</p><dl class="card">${row(t.old.files, files)}${row(t.old.window, hours)}${row(t.old.zone, zone)}${row(t.old.kept, kept)}</dl>
<details><summary>${t.old.rest}</summary><pre tabindex="0">${JSON.stringify(terms, null, 2)}</pre></details>`;
}
