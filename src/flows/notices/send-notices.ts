import {
  type ClaimedDelivery,
  claimDeliveries,
  findEmail,
  saveDelivered,
  saveNotDelivered,
  saveNotNeeded,
} from '../../database/notices/notices.ts';
import { languageAgreed, languageOf } from '../../database/people/users.ts';
import { asOf, idOfNight, isQuiet, type NoticeFacts, nextAttempt } from '../../domain/notices.ts';
import { hourMs } from '../../durations.ts';
import { AppError, isAppError } from '../../errors.ts';
import { tell } from '../../notify/channel.ts';
import { type Mail, type Mailer, openMailer } from '../../notify/mail.ts';
import type { Message } from '../../notify/message.ts';
import type { Resources } from '../../resources.ts';
import { textsFor } from '../../web/texts/languages.ts';
import { isOneAddress } from '../consent/person.ts';
import { isOfOpening, isOver } from './is-over.ts';
import { writeNotice } from './write-notice.ts';

type Needs = Pick<Resources, 'clock' | 'config' | 'database' | 'log'>;

const most = 100;
/** At a time by one channel: a claim outlasts one that takes 20 seconds to fail each. */
const together = 5;
/** A message that is delivered to operators later than this says what time it is about. */
const lateMs = hourMs;

/**
 * Delivers what is due, each channel for itself, so that one that hangs delays no other. What fails is tried again later, ever more slowly
 * for a day, and what is refused for good is not; nothing of it touches a run. A process that dies between delivery and record leads
 * to a second delivery, never to none. Answers how many arrived.
 */
export async function sendNotices(resources: Needs): Promise<number> {
  const { clock, config, database } = resources;
  if (config.mail === undefined && config.channels.length === 0) return 0;
  const mailer = config.mail && openMailer(clock, config.mail);
  const claimed = await claimDeliveries(database, { at: clock.now(), limit: most });
  const sendOne = async (delivery: ClaimedDelivery) => ((await attempt(resources, mailer, delivery)) ? 1 : 0);
  const sendAll = async (deliveries: ClaimedDelivery[]) => {
    let arrived = 0;
    for (let start = 0; start < deliveries.length; start += together)
      arrived += sum(await Promise.all(deliveries.slice(start, start + together).map(sendOne)));
    return arrived;
  };
  const byChannel = Map.groupBy(claimed, ({ channel }) => channel);
  return sum(await Promise.all([...byChannel.values()].map(sendAll)));
}

/** Whether it arrived; that it did, or did not, is put on record. */
async function attempt(resources: Needs, mailer: Mailer | undefined, delivery: ClaimedDelivery): Promise<boolean> {
  const { clock, database, log } = resources;
  const { id, channel, facts, failures } = delivery;
  try {
    if (await isOver(resources, delivery)) {
      await saveNotNeeded(database, id);
      return false;
    }
    await deliver(resources, mailer, delivery);
    await saveDelivered(database, { id, at: clock.now() });
    log.info('notice.delivered', { noticeId: id, channel });
    return true;
  } catch (caught) {
    const error = caught instanceof TypeError || caught instanceof RangeError ? noNotice(caught) : caught;
    if (!isAppError(error)) throw error;
    const again = error.retry === undefined ? undefined : nextAttempt(facts, failures + 1, clock.now());
    await saveNotDelivered(database, { id, errorCode: error.code, nextAttemptAt: again ?? null });
    log.warn('notice.failed', { noticeId: id, channel, givenUp: again === undefined, error });
    return false;
  }
}

/** A row that another program wrote stops no other notice. */
function noNotice(cause: Error): AppError {
  return new AppError('notice/refused', 'The database holds a notice that cannot be put into words.', { cause });
}

async function deliver(resources: Needs, mailer: Mailer | undefined, delivery: ClaimedDelivery): Promise<void> {
  const { clock, config, database } = resources;
  const { channel, createdAt, facts, userId } = delivery;
  const wishes =
    userId === null
      ? { person: config.operatorLanguage }
      : { person: await languageOf(database, userId), agreed: await languageAgreed(database, userId) };
  const texts = textsFor(wishes);
  const notice = writeNotice(texts, asOf(facts, clock.now()), config.publicUrl);
  const { subject } = notice;
  const isLate = userId === null && clock.now().getTime() - createdAt.getTime() >= lateMs;
  const time = texts.formats.time(createdAt, config.window.zone);
  const text = isLate ? `${notice.text}\n${texts.notices.late(time)}\n` : notice.text;
  const mailTo = async (to: string | null | undefined) => {
    if (mailer === undefined || to === null || to === undefined || !isOneAddress(to))
      throw new AppError(
        'notice/refused',
        'There is no address to send to, or more than one, or SMTP_URL is no longer set.',
      );
    const mail: Mail = { to, subject, text };
    await mailer.send(mail);
  };
  if (channel === 'mail-operator') return mailTo(config.operatorMail);
  if (channel === 'mail-person') return mailTo(userId && (await findEmail(database, userId)));
  const address = config.channels.find(({ id }) => id === channel);
  if (address === undefined) throw new AppError('notice/refused', `${channel} is no longer in NOTIFY_URLS.`);
  const night = nightOf(facts);
  await tell(clock, address, {
    title: subject,
    text,
    level: levelOf(facts),
    at: createdAt,
    facts,
    ...(night !== undefined && { night }),
  });
}

function levelOf(facts: NoticeFacts): Message['level'] {
  switch (facts.kind) {
    case 'files_moved':
    case 'night_begun':
      return 'info';
    case 'healed':
      return 'success';
    case 'repositories':
      return facts.are === 'healed' || facts.are === 'back' ? 'success' : 'failure';
    case 'night_over':
      return isQuiet(facts) ? 'success' : 'failure';
    case 'forecast':
      return facts.holds ? 'success' : 'warning';
    case 'digest':
    case 'person':
    case 'snapshots_lost':
      return 'warning';
    case 'circuit':
      return isOfOpening(facts) ? 'failure' : 'success';
    case 'rotation_lost':
      return 'failure';
  }
}

function nightOf(facts: NoticeFacts): Message['night'] {
  if (facts.kind === 'night_begun') return { step: 'start', id: idOfNight(facts.night) };
  if (facts.kind === 'night_over') return { step: isQuiet(facts) ? 'success' : 'fail', id: idOfNight(facts.night) };
  return undefined;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
