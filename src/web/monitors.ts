import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Resources } from '../resources.ts';
import { isSameSecret } from '../vault/same-secret.ts';
import { isWithin } from './client-address.ts';

type Needs = Pick<Resources, 'clock' | 'config'>;

/** Monitors ask often, and there may be several: what they ask for is collected once in this time. */
const freshMs = 15_000;

/**
 * Answers with a text that is collected at most every 15 seconds, if the request has METRICS_TOKEN as its bearer token, or comes from an
 * address in METRICS_FROM and not through a proxy. 404 where neither is set, 401 to anybody else.
 */
export function forMonitors(
  { clock, config }: Needs,
  { collect, type }: { collect: () => Promise<string>; type: string },
): (c: Context) => Promise<Response> {
  let latest: { at: number; text: Promise<string> } | undefined;
  const { metricsToken, metricsFrom } = config;
  return async (c) => {
    if (metricsToken === undefined && metricsFrom === undefined)
      return plain('Not found: neither METRICS_TOKEN nor METRICS_FROM is set.', 404);
    const mayAsk =
      (metricsToken !== undefined && isBearer(c.req.header('authorization'), metricsToken)) ||
      (metricsFrom !== undefined && isWithin(metricsFrom, addressOf(c)));
    if (!mayAsk) return plain('Send METRICS_TOKEN as a bearer token.', 401, { 'www-authenticate': 'Bearer' });
    const now = clock.elapsed();
    if (latest === undefined || now - latest.at >= freshMs) latest = { at: now, text: collect() };
    try {
      return plain(await latest.text, 200, { 'content-type': type });
    } catch (error) {
      latest = undefined;
      throw error;
    }
  };
}

/** Who asks, as the connection says; a proxy's own address says nothing of who is behind it. */
function addressOf(c: Context): string {
  if (c.req.header('forwarded') ?? c.req.header('x-forwarded-for') ?? c.req.header('via')) return '';
  const { incoming }: Partial<HttpBindings> = c.env ?? {};
  return incoming?.socket.remoteAddress ?? '';
}

/** RFC 6750, section 2.1. */
function isBearer(authorization: string | undefined, token: string): boolean {
  const [, sent] = /^bearer +([\w.~+/=-]+) *$/i.exec(authorization ?? '') ?? [];
  return sent !== undefined && isSameSecret(sent, token);
}

function plain(text: string, status: number, headers: Record<string, string> = {}): Response {
  return new Response(text, { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers } });
}
