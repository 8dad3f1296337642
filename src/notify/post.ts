import { type Clock, within } from '../clock.ts';
import { connectionFault } from '../connection-fault.ts';
import { minuteMs } from '../durations.ts';
import { AppError, codeIn, failureCode } from '../errors.ts';
import type { Call } from './message.ts';

const timeoutMs = 20_000;
const againMs = minuteMs;

/**
 * Makes the call; user and password of its address go along as Basic authentication. Only the status of an answer is looked at, redirects are
 * not followed, and after 20 seconds it is not waited for. Throws `notice/unavailable` at 408, 425, 429, 5xx and where no
 * answer comes, `notice/refused` at any other answer that does not say that it was taken.
 */
export async function post(clock: Clock, { url, method, headers, body, taken }: Call): Promise<void> {
  const { host } = url;
  let status: number;
  try {
    const answer = await within(clock, timeoutMs, (signal) =>
      fetch(withoutUser(url), {
        method,
        headers: { ...headers, ...authorization(url) },
        body: body ?? null,
        redirect: 'manual',
        signal,
      }),
    );
    await answer.body?.cancel();
    status = answer.status;
  } catch (cause) {
    const fault = connectionFault(codeIn(cause), { at: 'NOTIFY_URLS' });
    const what = fault === undefined ? 'does not answer' : fault.what;
    const error = `${host} ${what} (${failureCode(cause)}).${fault === undefined ? '' : ` ${fault.cure}.`}`;
    throw new AppError('notice/unavailable', error, { cause, retry: { afterMs: againMs } });
  }
  if (taken?.includes(status) ?? (status >= 200 && status < 300)) return;
  const error = `${host} answered ${status}.`;
  const passes = status >= 500 || [408, 425, 429].includes(status);
  throw passes
    ? new AppError('notice/unavailable', error, { retry: { afterMs: againMs } })
    : new AppError('notice/refused', error);
}

/** RFC 7617. An address with a user is refused by fetch. */
function authorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

function withoutUser(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}
