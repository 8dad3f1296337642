import type { Log } from '../../src/log.ts';
import { openLog } from '../../src/log.ts';
import type { Access, Listing, Member, Reading, Source } from '../../src/sources/source.ts';
import { type WebdavOptions, webdavSource } from '../../src/sources/webdav.ts';
import { manualClock } from './manual-clock.ts';

export const never = new AbortController().signal;

/** A WebDAV source for a test: a token that is always good, time that passes at once, chance that is always zero. */
export function openSource(url: string, options: Partial<WebdavOptions> = {}): Source {
  return webdavSource({
    url,
    access: async () => ({ token: 'good-token' }),
    ...patient(),
    random: () => 0,
    ...options,
  });
}

/** The tokens named, one after the other: a refusal brings the next. Says what it was asked. */
export function accessOf(...tokens: string[]): Access & { asked: { refused?: string; minimumSeconds: number }[] } {
  const asked: { refused?: string; minimumSeconds: number }[] = [];
  let at = 0;
  const access: Access = async ({ refused, minimumSeconds }) => {
    asked.push(refused === undefined ? { minimumSeconds } : { refused, minimumSeconds });
    if (refused !== undefined && refused === tokens[at] && at < tokens.length - 1) at++;
    return { token: tokens[at] ?? '' };
  };
  return Object.assign(access, { asked });
}

/** A log whose lines a test may read. */
export function heardLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const log = openLog({ clock: patient().clock, level: 'debug', write: (line) => lines.push(line) });
  return { log, lines };
}

/** All of a body. */
export async function contentOf(reading: Reading): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of reading.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The member of that path, names joined by '/'. */
export async function find(source: Source, path: string): Promise<Member> {
  let member = source.root;
  for (const name of path.split('/')) member = memberNamed(await source.list(member, never), name);
  return member;
}

export function memberNamed(listing: Listing, name: string): Member {
  const member = listing.members.find((each) => each.name === name);
  if (member === undefined) throw new Error(`There is no ${name} among ${listing.members.map((each) => each.name)}`);
  return member;
}

function patient() {
  const clock = manualClock('2026-11-23T01:00:00Z', { sleepAtOnce: true });
  return { clock, log: openLog({ clock, level: 'error', write: () => {} }) };
}
