import { isOfDamage, isQuiet, type NoticeFacts } from '../../domain/notices.ts';
import { pausedApart } from '../../domain/people-tally.ts';
import type { ProtectionReason } from '../../domain/protection-reasons.ts';
import { isSourceName } from '../../domain/source-names.ts';
import { escapedName, unseen } from '../../file-name.ts';
import type { Texts } from '../../web/texts/en.ts';
import { sourceWords } from '../../web/texts/source-words.ts';
import { wordFor } from '../../web/texts/word.ts';

/**
 * A notice in words: the sentences of the pages, and the address where more is to be seen. What a row of the database says stands in one
 * line, without what is not seen, and short: whoever may write there writes no mails.
 */
export function writeNotice(texts: Texts, facts: NoticeFacts, publicUrl: URL): { subject: string; text: string } {
  const t = texts.notices;
  switch (facts.kind) {
    case 'person': {
      const { happened, act } = reasonsIn(texts)[facts.reason];
      const ending = facts.days === undefined ? happened : texts.consentEnds.endsIn(facts.days);
      const more = isTheirsToMend(facts.reason) ? t.person.more : t.healed.more;
      const refused = (facts.refused ?? []).filter(isSourceName);
      const lines = [
        ending,
        typeof act === 'string' ? act : act(texts.protection.soon, { asked: false }),
        ...(refused.length === 0 ? [] : [texts.run.refused(refused)]),
        more(publicUrl.href),
      ];
      return { subject: subjectFor(texts, facts), text: paragraphs(lines) };
    }
    case 'healed':
      return { subject: t.healed.subject, text: paragraphs([t.healed.happened, t.healed.more(publicUrl.href)]) };
    case 'snapshots_lost':
      return {
        subject: t.snapshotsLost.subject,
        text: paragraphs([t.snapshotsLost.happened, t.snapshotsLost.act, t.healed.more(publicUrl.href)]),
      };
    case 'files_moved': {
      const what = sourceWords(texts, facts.names ?? ['files']);
      return {
        subject: t.filesMoved.subject(what),
        text: paragraphs([
          t.filesMoved.happened(what, said(facts.from), said(facts.to)),
          t.filesMoved.act,
          t.filesMoved.more(publicUrl.href),
        ]),
      };
    }
    case 'repositories': {
      const { subject, happened, more } = t.repositories[facts.are];
      return { subject: subject(facts.people), text: paragraphs([happened(facts.people), more]) };
    }
    case 'forecast': {
      const { busiest, holds, how, mend, title } = texts.operator.tonight.forecast;
      const time = (moment: string) => texts.formats.time(new Date(moment), 'UTC');
      const when = busiest(facts.plans, time(facts.from), time(facts.to));
      const lines = [title(facts.neededMs, facts.windowMs), `${when} ${texts.operator.zone('UTC')}`];
      return {
        subject: facts.holds ? t.forecast.holds : t.forecast.tooShort,
        text: paragraphs([...lines, facts.holds ? holds : mend[facts.by], how]),
      };
    }
    case 'digest':
      return { subject: t.digest.subject, text: figures(texts, facts) };
    case 'night_begun':
      return { subject: t.night.begun(facts.night), text: '' };
    case 'night_over':
      return {
        subject: isQuiet(facts) ? t.night.quiet(facts.night) : t.digest.subject,
        text: figures(texts, facts),
      };
    case 'rotation_lost':
      return {
        subject: t.rotationLost.subject,
        text: paragraphs([t.rotationLost.happened(facts.grants), t.rotationLost.more]),
      };
    case 'circuit': {
      const { over } = t.circuit;
      if (facts.openMs !== undefined)
        return {
          subject: over.subject,
          text: paragraphs([over.happened(said(facts.issuer), texts.formats.duration(facts.openMs)), over.more]),
        };
      return {
        subject: t.circuit.subject,
        text: paragraphs([t.circuit.happened(said(facts.issuer)), t.circuit.more]),
      };
    }
  }
}

/** People are notified of damage, and of snapshots that are not verified, even where only others can mend it. */
function isTheirsToMend(reason: ProtectionReason): boolean {
  return reason !== 'damaged' && reason !== 'unverified';
}

function subjectFor(
  { notices: { person } }: Texts,
  { days, reason, verdict }: Extract<NoticeFacts, { kind: 'person' }>,
): string {
  // A consent that ends is renewed, whatever else is wrong: that has a mail of its own.
  if (days !== undefined) return person.subject.protected;
  if (reason === 'unverified') return person.unverified;
  return isOfDamage(reason) ? person.damaged : person.subject[verdict];
}

function figures(
  texts: Texts,
  { verdicts, paused, lateUnderWay = 0, reasons }: Extract<NoticeFacts, { kind: 'digest' | 'night_over' }>,
): string {
  const t = texts.notices.digest;
  const { protected: whole, ...others } =
    paused === undefined ? { ...verdicts, paused: 0 } : pausedApart({ verdicts, paused });
  const sum = t.sum({ whole, ...others, lateUnderWay });
  const waiting = Object.entries(reasons).map(([reason, count]) => t.line(count, lineOf(texts, reason)));
  return paragraphs(waiting.length === 0 ? [sum] : [sum, waiting.join('\n'), t.more]);
}

/** The reason in words for operators, or else the sentence that the person reads, and the word by which `nightkeep protection` names it. */
function lineOf(texts: Texts, reason: string): string {
  const { causes, grants } = texts.operator;
  const cause = wordFor({ ...grants.reasons, ...causes }, reason);
  if (cause !== undefined) return `${cause} (${reason})`;
  const words = reasonsIn(texts);
  const isReason = (text: string): text is ProtectionReason => Object.hasOwn(words, text);
  return isReason(reason) ? `${texts.notices.digest.quoted(words[reason].happened)} (${reason})` : said(reason);
}

const longestSaid = 200;

function said(text: string): string {
  return escapedName(text).replace(unseen, '').slice(0, longestSaid);
}

function reasonsIn({ protection: { consent, nights } }: Texts) {
  return { ...consent, ...nights };
}

/** Where a word may be divided is for pages alone. */
function paragraphs(parts: readonly string[]): string {
  return `${parts.join('\n\n')}\n`.replaceAll('\u00ad', '');
}
