import { type Clock, within } from '../clock.ts';
import { failureCode } from '../errors.ts';
import { defaultAnswerBytes, readAnswer } from './bounded-answer.ts';
import { fetchThrough, type ProviderHosts, refusedAddressIn } from './provider-hosts.ts';

/** What came back of one request, whatever it was: for people who look for what is wrong. */
export interface Reply {
  /** Absent where no whole answer came; `failure` then says why, such as ECONNREFUSED or timeout; in a sentence where that address is not asked. */
  status?: number;
  failure?: string;
  /** Milliseconds until the answer was read. */
  ms: number;
  /** Halfway between request and answer, by the clock of this machine. */
  at: Date;
  /** The provider's clock, where it tells (`Date`, RFC 9110, section 6.6.1): Keycloak itself does not. */
  date?: Date;
  /** Where the answer points to (RFC 9110, section 10.2.2). */
  location?: URL;
  /** What a proof of possession must carry next time (RFC 9449, section 8). */
  nonce?: string;
  /** The members of a JSON object; nothing for a page. */
  body: Record<string, unknown>;
}

/** How a question is sent; redirects are not followed. */
export type Send = (url: string, signal: AbortSignal) => Promise<Answer>;

/** What is looked at of an answer. */
interface Answer {
  readonly status: number;
  readonly headers: Pick<Headers, 'get' | 'has'>;
  readonly body: AsyncIterable<Uint8Array> | null;
}

/** Asks with GET whom these hosts allow. */
export const getThrough =
  (hosts: ProviderHosts): Send =>
  (url, signal) =>
    fetchThrough(hosts, url, { signal });

const limitMs = 8_000;

/** Asks once, follows no redirect, never throws, and waits eight seconds at most. */
export async function ask(clock: Clock, url: URL, send: Send): Promise<Reply> {
  const [sent, began] = [clock.now().getTime(), clock.elapsed()];
  const took = () => {
    const ms = Math.round(clock.elapsed() - began);
    return { ms, at: new Date(sent + ms / 2) };
  };
  try {
    return await within(clock, limitMs, async (signal) => {
      const answer = await send(url.href, signal);
      const text = await readAnswer(answer.body, defaultAnswerBytes);
      return { status: answer.status, ...took(), ...headersOf(answer, url), body: objectIn(text) };
    });
  } catch (error) {
    return { failure: refusedAddressIn(error)?.message ?? failureCode(error), ...took(), body: {} };
  }
}

function headersOf({ headers }: Answer, asked: URL): Pick<Reply, 'date' | 'location' | 'nonce'> {
  const date = new Date(headers.get('date') ?? Number.NaN);
  const location = URL.parse(headers.get('location') ?? '', asked.href);
  const nonce = headers.get('dpop-nonce');
  return {
    ...(nonce !== null && { nonce }),
    ...(Number.isFinite(date.getTime()) && { date }),
    ...(headers.has('location') && location !== null && { location }),
  };
}

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
