import type { AuditView } from '../../../database/audit.ts';
import type { Texts } from '../../texts/en.ts';
import { wordFor } from '../../texts/word.ts';

type Time = (at: Date) => string;
type Words = (about: string, texts: Texts, time: Time) => string | undefined;

const moment: Words = (about, _, time) => {
  const at = /\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(about)?.[0];
  return at === undefined ? undefined : time(new Date(at));
};
const way: Words = (about, { grant }) => wordFor(grant.methods, about);
const exported: Words = (about, { operator }) => wordFor(operator.audit.exports, about);

/** How what an act concerned is said, for those acts that keep it as a word of code, a moment or a number. */
const wordings: Readonly<Record<string, Words>> = {
  'consent-given': way,
  'consent-renewed': way,
  'consent-withdrawn': (about, { operator }) => wordFor(operator.grants.reasons, about),
  'erasure-chosen': (about, texts, time) => (about === 'now' ? texts.operator.audit.now : moment(about, texts, time)),
  'plan-paused': moment,
  'state-imported': moment,
  'state-exported': exported,
};

/** What an act concerned, in words for operators; what nobody here has words for is shown as it is kept. */
export function aboutOf({ act, about }: Pick<AuditView, 'about' | 'act'>, texts: Texts, time: Time): string | null {
  return about === null ? null : (wordings[act]?.(about, texts, time) ?? about);
}
