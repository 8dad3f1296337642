import { isQuiet, type NoticeFacts } from '../../domain/notices.ts';
import type { ProtectionReason } from '../../domain/protection.ts';
import { texts } from '../../web/texts/en.ts';

const t = texts.notices;
const reasons = { ...texts.protection.consent, ...texts.protection.nights };

/** A notice in words: the sentences of the pages, and the address where more is to be seen. */
export function writeNotice(facts: NoticeFacts, publicUrl: URL): { subject: string; text: string } {
  switch (facts.kind) {
    case 'person': {
      const { happened, act } = reasons[facts.reason];
      const ending = facts.days === undefined ? happened : texts.consentEnds.endsIn(facts.days);
      const lines = [ending, typeof act === 'string' ? act : act('soon'), t.person.more(publicUrl.href)];
      // A consent that ends is renewed, whatever else is wrong: that has a mail of its own.
      const subject = t.person.subject[facts.days === undefined ? facts.verdict : 'protected'];
      return { subject, text: paragraphs(lines) };
    }
    case 'digest':
      return { subject: t.digest.subject, text: figures(facts) };
    case 'night_begun':
      return { subject: t.night.begun(facts.night), text: '' };
    case 'night_over':
      return { subject: isQuiet(facts) ? t.night.well(facts.night) : t.digest.subject, text: figures(facts) };
    case 'rotation_lost':
      return {
        subject: t.rotationLost.subject,
        text: paragraphs([t.rotationLost.happened(facts.grants), t.rotationLost.more]),
      };
    case 'circuit':
      return {
        subject: t.circuit.subject,
        text: paragraphs([t.circuit.happened(facts.issuer), t.circuit.more]),
      };
  }
}

function figures({ verdicts, reasons }: Extract<NoticeFacts, { kind: 'digest' | 'night_over' }>): string {
  const { late, not, partly, protected: whole } = verdicts;
  const sum = t.digest.sum({ whole, partly, late, not });
  const waiting = Object.entries(reasons).map(([reason, count]) => t.digest.line(count, lineOf(reason)));
  return paragraphs(waiting.length === 0 ? [sum] : [sum, waiting.join('\n'), t.digest.more]);
}

/** The word that `nightkeep protection` prints, and the sentence that the person reads. */
function lineOf(reason: string): string {
  return isReason(reason) ? `${reason}: ${reasons[reason].happened}` : reason;
}

function isReason(reason: string): reason is ProtectionReason {
  return Object.hasOwn(reasons, reason);
}

function paragraphs(parts: readonly string[]): string {
  return `${parts.join('\n\n')}\n`;
}
