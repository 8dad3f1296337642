import {
  type ClaimedDelivery,
  claimDeliveries,
  findEmail,
  saveDelivered,
  saveNotDelivered,
} from '../../database/notices.ts';
import { nextAttempt } from '../../domain/notices.ts';
import { AppError, isAppError } from '../../errors.ts';
import { type Mail, type Mailer, openMailer } from '../../notify/mail.ts';
import { postWebhook } from '../../notify/webhook.ts';
import type { Resources } from '../../resources.ts';
import { writeNotice } from './write-notice.ts';

type Needs = Pick<Resources, 'clock' | 'config' | 'database' | 'log'>;

const most = 100;

/**
 * Delivers what is due. What fails is tried again later, ever more slowly for a day, and what is refused for good is not; nothing of it
 * touches a run. A process that dies between delivery and record leads to a second delivery, never to none. Answers how many arrived.
 */
export async function sendNotices(resources: Needs): Promise<number> {
  const { clock, config, database, log } = resources;
  if (config.mail === undefined && config.webhookUrl === undefined) return 0;
  const mailer = config.mail && openMailer(config.mail);
  let delivered = 0;
  for (const delivery of await claimDeliveries(database, { at: clock.now(), limit: most })) {
    const { id, channel, failures } = delivery;
    try {
      await deliver(resources, mailer, delivery);
      await saveDelivered(database, { id, at: clock.now() });
      log.info('notice.delivered', { noticeId: id, channel });
      delivered += 1;
    } catch (error) {
      if (!isAppError(error)) throw error;
      const again = error.retry === undefined ? undefined : nextAttempt(failures + 1, clock.now());
      await saveNotDelivered(database, { id, errorCode: error.code, nextAttemptAt: again ?? null });
      log.warn('notice.failed', { noticeId: id, channel, givenUp: again === undefined, error });
    }
  }
  return delivered;
}

async function deliver(resources: Needs, mailer: Mailer | undefined, delivery: ClaimedDelivery): Promise<void> {
  const { clock, config, database } = resources;
  const { channel, createdAt, facts, userId } = delivery;
  const { subject, text } = writeNotice(facts, config.publicUrl);
  const mailTo = async (to: string | null | undefined) => {
    if (mailer === undefined || to === null || to === undefined)
      throw new AppError('notice/refused', 'There is no address to send to, or no SMTP_URL, any more.');
    const mail: Mail = { to, subject, text };
    await mailer.send(mail);
  };
  if (channel === 'mail-operator') return mailTo(config.operatorMail);
  if (channel === 'mail-person') return mailTo(userId && (await findEmail(database, userId)));
  if (config.webhookUrl === undefined) throw new AppError('notice/refused', 'WEBHOOK_URL is not set any more.');
  const message = { title: subject, text, facts, at: createdAt.toISOString() };
  await postWebhook({ clock, url: config.webhookUrl }, message);
}
