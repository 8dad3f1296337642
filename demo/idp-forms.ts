import type { IncomingMessage } from 'node:http';
import type Provider from 'oidc-provider';
import { pageHeaders } from './page.ts';
import type { Person } from './people.ts';

export type Middleware = Parameters<Provider['use']>[0];
export type Context = Parameters<Middleware>[0];

const longestForm = 16_384;

/** The fields of a form that was posted. Throws where it is longer than a form of these pages can be. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > longestForm) throw new Error('The form is too long.');
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

/** Whom user name and password of a form belong to. */
export function personOfForm(people: readonly Person[], form: URLSearchParams): Person | undefined {
  return people.find(
    (person) => person.username === form.get('username')?.trim() && person.password === form.get('password'),
  );
}

/** Answers with a page. */
export function answerPage(context: Context, text: string, status = 200): void {
  context.set(pageHeaders);
  context.status = status;
  context.type = 'html';
  context.body = text;
}
