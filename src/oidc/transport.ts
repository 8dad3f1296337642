import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { CustomFetch } from 'openid-client';
import { request } from 'undici';
import { failureCode } from '../errors.ts';
import { readAnswer } from './bounded-answer.ts';
import type { ProviderHosts } from './provider-hosts.ts';

/** A whole answer, read before the library may refuse it. */
export interface RawAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** What became of one request: `sent` is false where it is certain that the provider never saw it. */
export type Attempt = { answer: RawAnswer } | { error: unknown; sent: boolean; status?: number | undefined };

/** How much of an answer is read, and whom is asked. */
export interface Reaching {
  readonly mostBytes: number;
  readonly hosts: ProviderHosts;
}

/** Codes of failures before the first byte of the request left: name, connection, handshake. */
const beforeSending =
  /^(ECONNREFUSED|ENOTFOUND|ERR_PROVIDER_ADDRESS|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_.*|CERT_.*|UNABLE_TO_.*|DEPTH_ZERO_.*|SELF_SIGNED_.*|HOSTNAME_.*)$/;

/**
 * Sends one request and reads the whole answer, of `mostBytes` at most: the library can throw over an answer after the provider has
 * rotated. Takes what a fetch takes. Repeats nothing, follows no redirect, never throws. Half the work of fetch.
 */
export async function attempt(
  { mostBytes, hosts }: Reaching,
  ...[url, { method, headers, body, signal }]: Parameters<CustomFetch>
): Promise<Attempt> {
  let status: number | undefined;
  try {
    await hosts.check(url);
    const answer = await request(url, {
      dispatcher: hosts.dispatcher,
      method: method as 'POST',
      headers,
      body: body == null ? null : String(body),
      ...(signal && { signal }),
    });
    status = answer.statusCode;
    const text = await readAnswer(decoded(answer.body, answer.headers['content-encoding']), mostBytes);
    return { answer: { status, headers: answer.headers, text } };
  } catch (error) {
    return { error, sent: !beforeSending.test(failureCode(error)), status };
  }
}

const decoders = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress };

/** A server may encode what it sends though nobody asked for it (RFC 9110, section 12.5.3). */
function decoded(body: Readable, encoding: string | string[] | undefined): AsyncIterable<Uint8Array> {
  const name = String(encoding).trim().toLowerCase();
  const decoder = Object.entries(decoders).find(([known]) => known === name)?.[1];
  // Whoever reads what comes of it sees the failure too.
  return decoder === undefined ? body : pipeline(body, decoder(), () => undefined);
}

/** What a fetch answers. Throws what the attempt failed with. */
export function responseOf(attempt: Attempt): Response {
  if ('error' in attempt) throw attempt.error;
  const { status, headers, text } = attempt.answer;
  return new Response(text || null, { status, headers: oneEach(headers) });
}

/** A header that came several times says what all of them say (RFC 9110, section 5.3). */
function oneEach(headers: RawAnswer['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value = '']) => [name, [value].flat().join(', ')]));
}
