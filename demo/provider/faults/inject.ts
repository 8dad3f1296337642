import type { Clock } from '../../../src/clock.ts';
import type { Context } from '../http.ts';
import type { Fault } from './faults.ts';

/** What will be sent. */
export interface TokenReply {
  readonly status: number;
  /** JSON where it is an object, else a page. */
  readonly body: string | Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether everything that was issued is in it. */
  readonly whole: boolean;
  /** How much of it is sent before the connection is cut. */
  readonly sent?: 'nothing' | 'half';
}

/** Injects the fault where this is its moment: delays, or gives the reply that is sent instead. */
export async function inject(
  fault: Fault | undefined,
  when: 'before' | 'after',
  clock: Clock,
): Promise<TokenReply | undefined> {
  if (!fault || !('when' in fault) || fault.when !== when) return undefined;
  switch (fault.kind) {
    case 'slow':
      await clock.sleep(fault.ms);
      return undefined;
    case 'held':
      await fault.until();
      return undefined;
    case 'cut':
      return { status: 0, body: '', whole: false, sent: 'nothing' };
    case 'page':
      return { status: fault.status, body: proxyPage, whole: false };
    case 'status': {
      const { status, retryAfter } = fault;
      const body = { error: 'unknown_error', error_description: 'For more on this error consult the server log.' };
      return {
        status,
        body,
        whole: false,
        ...(retryAfter !== undefined && { headers: { 'retry-after': retryAfter } }),
      };
    }
  }
}

/** Corrupts a good reply as the fault says. */
export function corrupt(fault: Fault | undefined, reply: TokenReply): TokenReply {
  if (reply.status !== 200 || typeof reply.body === 'string') return reply;
  if (fault?.kind === 'truncated') return { ...reply, whole: false, sent: 'half' };
  if (fault?.kind === 'odd' && fault.part === 'expires_in')
    return { ...reply, body: { ...reply.body, expires_in: -1 } };
  if (fault?.kind === 'odd' && fault.part === 'token_type')
    return { ...reply, body: { ...reply.body, token_type: 'Odd' } };
  return reply;
}

export function send(context: Context, { status, body, headers = {}, sent }: TokenReply): void {
  context.set({ 'cache-control': 'no-store', pragma: 'no-cache', ...headers });
  if (sent === undefined) {
    context.status = status;
    context.body = body;
    return;
  }
  context.respond = false;
  const text = JSON.stringify(body);
  if (sent === 'nothing') return void context.res.destroy();
  context.res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  context.res.write(text.slice(0, text.length / 2), () => context.res.destroy());
}

const proxyPage = '<!doctype html><title>Gateway</title><h1>The gateway has something to say</h1>';
