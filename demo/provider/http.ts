import type { IncomingMessage } from 'node:http';
import type Provider from 'oidc-provider';
import { pageHeaders } from '../page.ts';

export type Middleware = Parameters<Provider['use']>[0];
export type Context = Parameters<Middleware>[0];

const longestForm = 16_384;

/** The fields of a posted form; none where it is longer than any form of these pages. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length <= longestForm) chunks.push(chunk);
  }
  return new URLSearchParams(length > longestForm ? '' : Buffer.concat(chunks).toString());
}

/** Whether a form was posted by a page of another site. */
export function isForeignForm(context: Context, issuer: string): boolean {
  const origin = context.get('origin');
  return context.method === 'POST' && origin !== '' && origin !== issuer;
}

/** Answers with a page. */
export function answerPage(context: Context, text: string, status = 200): void {
  context.set(pageHeaders);
  context.status = status;
  context.type = 'html';
  context.body = text;
}

/** Redirects with 303, so that a posted form is followed by a GET. */
export function redirect(context: Context, to: string): void {
  context.redirect(to);
  context.status = 303;
}
