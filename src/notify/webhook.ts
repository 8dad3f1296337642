import { type Clock, within } from '../clock.ts';
import { AppError } from '../errors.ts';

/** What a webhook gets, as JSON. */
export interface WebhookMessage {
  title: string;
  text: string;
  /** What it is made of, for programs. */
  facts: object;
  /** ISO 8601. */
  at: string;
}

const timeoutMs = 20_000;

/**
 * Posts the message as JSON to the address. Throws `notice/unavailable` at 408, 425, 429, 5xx and where no answer comes, `notice/refused`
 * at any other answer than 2xx: redirects are not followed.
 */
export async function postWebhook(
  { clock, url }: { clock: Clock; url: string },
  message: WebhookMessage,
): Promise<void> {
  const { host } = new URL(url);
  const body = JSON.stringify(message);
  const headers = { 'content-type': 'application/json' };
  let status: number;
  try {
    const answer = await within(clock, timeoutMs, (signal) =>
      fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' }),
    );
    await answer.body?.cancel();
    status = answer.status;
  } catch (cause) {
    throw new AppError('notice/unavailable', `${host} does not answer.`, { cause, retry: { afterMs: 60_000 } });
  }
  if (status >= 200 && status < 300) return;
  const passes = status >= 500 || [408, 425, 429].includes(status);
  const error = `${host} answered ${status} to the webhook.`;
  if (!passes) throw new AppError('notice/refused', error);
  throw new AppError('notice/unavailable', error, { retry: { afterMs: 60_000 } });
}
