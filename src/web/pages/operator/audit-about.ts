import type { AuditView } from '../../../database/audit.ts';
import type { Act } from '../../../domain/audit.ts';
import { parseRule } from '../../../domain/retention/rule.ts';
import { isSourceName } from '../../../domain/source-names.ts';
import type { Texts } from '../../texts/en.ts';
import { listTexts } from '../../texts/languages.ts';
import { sourceWords } from '../../texts/source-words.ts';
import { wordFor } from '../../texts/word.ts';
import { causeOf } from './causes.ts';

type Time = (at: Date) => string;
type Words = (about: string, texts: Texts, time: Time) => string | undefined;

const moment: Words = (about, _, time) => {
  const at = /\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(about)?.[0];
  return at === undefined ? undefined : time(new Date(at));
};
const way: Words = (about, { grant }) => wordFor(grant.methods, about);
const exported: Words = (about, { operator }) => wordFor(operator.audit.exports, about);

/** Words for an `about` of this shape, made from its parts. */
function shaped(shape: RegExp, words: (texts: Texts, ...parts: string[]) => string | undefined): Words {
  return (about, texts) => {
    const found = shape.exec(about);
    return found === null ? undefined : words(texts, ...found.slice(1));
  };
}

const count = (word: 'backups' | 'files' | 'skipped' | 'snapshots', shape = /^(\d+)$/) =>
  shaped(shape, ({ operator }, number) => operator.audit[word](Number(number)));
const oneSnapshot = shaped(/^snapshot (\w+)( to the source)?$/, ({ operator: { audit } }, id = '', back) =>
  back === undefined ? audit.oneSnapshot(id) : audit.toSource(id),
);
const namesRead = shaped(
  /^(?:snapshots (\w+) and (\w+)|all snapshots)$/,
  ({ operator: { audit } }, first = '', second = '') =>
    first === '' ? audit.allSnapshots : audit.twoSnapshots(first, second),
);
const erased = shaped(
  /: (\d+) snapshots?, (\d+) files?, (\d+) bytes?$/,
  ({ formats, operator }, snapshots, files, bytes) =>
    operator.audit.erased(Number(snapshots), Number(files), formats.bytes(Number(bytes))),
);
const retried = shaped(/^(partial|failed|queued) (.+): (\d+)$/, (texts, state, code = '', asked) => {
  const errorCode = code === 'without a code' ? null : code;
  const cause = causeOf({ state: state === 'partial' || state === 'queued' ? state : 'failed', errorCode }, texts);
  return texts.operator.audit.retried(cause, Number(asked));
});
const kept: Words = (about, { operator: { audit } }) => {
  try {
    return audit.kept(parseRule(about));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
};
const chosen: Words = (about, texts, time) => hours(about, texts, time) ?? preferences(about, texts, time);
const hours = shaped(/^(\d\d:\d\d)-(\d\d:\d\d) (\S+)$/, ({ operator }, start = '', end = '', zone = '') =>
  operator.audit.hours(start, end, zone),
);
const preferences = shaped(
  /^(?:language: ([^,]+))?(?:, )?(?:no mail of: (.+))?$/,
  ({ operator: { audit }, settings }, language, mails) => {
    const kinds = mails?.split(' ').map((kind) => wordFor(settings.mails.kinds, kind) ?? kind);
    return [
      ...(language === undefined ? [] : [audit.language(nameOf(language) ?? audit.browserLanguage)]),
      ...(kinds === undefined ? [] : [mails === 'nothing' ? audit.everyMail : audit.noMail(kinds.join('; '))]),
    ].join('; ');
  },
);

function nameOf(language: string): string | undefined {
  return listTexts().find((texts) => texts.language === language)?.languageName;
}

const sources: Words = (about, texts) => {
  const names = about.split(' ').filter(isSourceName);
  return names.length === 0 ? undefined : sourceWords(texts, names);
};

const movedAddress = shaped(/^(\S+) (\S+)$/, ({ operator }, from = '', to = '') =>
  operator.audit.movedAddress(from, to),
);

/** How to show what an act was about, for the acts that keep it as a word of code, a moment or a number. */
const wordings: Readonly<Partial<Record<Act, Words>>> = {
  'changes-confirmed': (about, { operator }) => operator.audit.backups(about.split(' ').length),
  'consent-given': way,
  'consent-renewed': way,
  'consent-withdrawn': (about, { operator }) => wordFor(operator.grants.reasons, about),
  'erasure-chosen': (about, texts, time) => (about === 'now' ? texts.operator.audit.now : moment(about, texts, time)),
  'files-moved': movedAddress,
  'files-restored': oneSnapshot,
  'losses-accepted': count('files'),
  'names-read': namesRead,
  'night-drained': count('skipped', /^(\d+) skipped$/),
  'plan-paused': moment,
  'provider-moved': movedAddress,
  'retention-changed': kept,
  'rows-confirmed': (about, { operator }) => (about === 'older' ? operator.audit.putBack : undefined),
  'runs-retried': retried,
  'settings-changed': chosen,
  'sources-chosen': sources,
  'snapshots-erased': erased,
  'snapshots-forgotten': count('snapshots'),
  'state-exported': exported,
  'state-imported': moment,
};

/** What an act concerned, in words for operators; what nobody here has words for is shown as it is kept. */
export function aboutOf({ act, about }: Pick<AuditView, 'about' | 'act'>, texts: Texts, time: Time): string | null {
  return about === null ? null : (wordings[act as Act]?.(about, texts, time) ?? about);
}
