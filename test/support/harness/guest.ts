import type { Person } from '../../../demo/people.ts';
import type { ConsentFixture } from './consent.ts';
import { type Fields, openVisitor } from './visitor.ts';

/** Somebody in front of the pages, with a browser of their own, signed in through the provider. */
export interface Guest {
  send(path: string, init?: RequestInit): Promise<Response>;
  /** What a reader sees of a page. */
  text(path: string): Promise<string>;
  /** Sends a form of our own pages. */
  post(path: string, fields: Fields): Promise<Response>;
  /** Agrees on the page, and says yes at the provider; `fields` are what the form says besides. */
  consent(fields?: Fields): Promise<void>;
}

export async function signInAs({ resources, custody }: ConsentFixture, person: Person): Promise<Guest> {
  const { send, text, post } = openVisitor(resources);
  const throughProvider = async (answer: Response) => {
    const { pathname, search } = await custody.visit(new URL(answer.headers.get('location') ?? ''), person);
    const back = await send(pathname + search);
    if (back.status !== 303) throw new Error(`${person.username} came back to: ${await back.text()}`);
  };
  await throughProvider(await send('/login?returnTo=/grant'));
  return {
    send,
    text,
    post,
    consent: async (fields) => throughProvider(await post('/consent', fields)),
  };
}
