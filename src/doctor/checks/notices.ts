import { countWords } from '../../count-words.ts';
import {
  findOperatorsLastTold,
  inspectNotices,
  type NoticeFaults,
  type OperatorsTold,
} from '../../database/notices/notices.ts';
import { meansOf } from '../../domain/channels.ts';
import { dayMs, hourMs } from '../../durations.ts';
import { isAppError } from '../../errors.ts';
import { openMailer } from '../../notify/mail.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn, wrong } from '../finding.ts';
import { sentences } from '../words.ts';

const name = 'notices';

export const notices: Check = {
  name,
  run: async ({ clock, option, records }) => {
    const [mail, operatorMail, called] = [option('mail'), option('operatorMail'), option('channels') ?? []];
    const channels = {
      people: mail !== undefined,
      operators: [...(operatorMail === undefined ? [] : ['mail']), ...new Set(called.map(({ kind }) => kind))],
    };
    const fault = mail && (await faultOf(openMailer(clock, mail).verify()));
    if (fault !== undefined)
      return wrong(name, ...sentences(fault, 'Correct SMTP_URL, or bring the mail server back.'));
    const at = clock.now().getTime();
    const times = { since: new Date(at - 7 * dayMs), waitingBefore: new Date(at - hourMs) };
    const database = await records();
    const [faults, told] = await Promise.all([inspectNotices(database, times), findOperatorsLastTold(database)]);
    return checkNotices(channels, faults, told);
  },
};

async function faultOf(work: Promise<void>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => {
      if (isAppError(error)) return error.message;
      throw error;
    },
  );
}

/** Who is told when something goes wrong, and whether it arrives. */
export function checkNotices(
  { people, operators }: { people: boolean; operators: readonly string[] },
  { waiting, givenUp, errorCode }: NoticeFaults,
  lastTold: OperatorsTold | null,
): Finding {
  const failed = waiting + givenUp;
  if (failed > 0)
    return warn(
      name,
      `${countWords(failed, 'notice')} could not be delivered (${errorCode ?? 'no answer'}); ${givenUp} of them will not be tried again.`,
      'Look at the log for notice.failed, and at the mail server or the channel that it names.',
    );
  if (!people && operators.length === 0)
    return ok(name, 'Nobody is notified by mail or channel: neither SMTP_URL nor NOTIFY_URLS is set.');
  const told = [...(people ? ['people by mail'] : []), ...operators.map((channel) => `operators by ${channel}`)];
  const last =
    lastTold && ` Operators were last notified on ${lastTold.at.toISOString()}, by ${meansOf(lastTold.channel)}.`;
  return ok(name, `Problems are reported to ${told.join(', ')}.${last ?? ''}`);
}
