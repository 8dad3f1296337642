import { describe } from 'vitest';
import { modern } from '../../../demo/mail/imap.ts';
import { encodeMailboxName } from '../../../src/sources/imap/mailbox-name.ts';
import type { Listing, Member, Source } from '../../../src/sources/source.ts';
import { oddNames } from '../../support/fixtures/odd-names.ts';
import { openMail } from '../../support/fixtures/open-mail.ts';
import { mailboxAt, plain, startImapServer } from '../../support/servers/imap-server.ts';
import { sourceContract } from './source-contract.ts';

describe('mail over IMAP, from a server that keeps what changes', () => {
  sourceContract(() => mailFixture(modern), oddNames);
});

describe('mail over IMAP, from one that knows little more than the first standard', () => {
  sourceContract(() => mailFixture(plain), oddNames);
});

/** Files are messages, named by the test and not by their subjects; folders are mailboxes. */
async function mailFixture(capabilities: string[]) {
  const server = await startImapServer();
  server.capabilities = capabilities;
  const names = new Map<string, string>();
  const encoded = (levels: readonly string[]) => levels.map(encodeMailboxName).join('/');
  const makeAll = (levels: readonly string[]) => {
    for (const [at] of levels.entries()) mailboxAt(server, encoded(levels.slice(0, at + 1)));
  };
  const remove = async (path: string) => {
    const found = [...names].find(([, name]) => name === path);
    if (found === undefined) server.mailboxes.delete(encoded(path.split('/')));
    else server.expunge(found[0].slice(found[0].indexOf(' ') + 1), Number.parseInt(found[0], 10));
    if (found !== undefined) names.delete(found[0]);
  };
  const put = async (path: string, content: string | Buffer) => {
    const levels = path.split('/');
    const folders = levels.slice(0, -1);
    makeAll(folders);
    const mailbox = encoded(folders.length === 0 ? ['INBOX'] : folders);
    if ([...names.values()].includes(path)) await remove(path);
    names.set(`${server.put(mailbox, content).uid} ${mailbox}`, path);
  };
  return {
    putOld: put,
    putNow: put,
    putFolder: async (path: string) => makeAll(path.split('/')),
    remove,
    open: () => asFiles(openMail(server.url), names),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** What is in the inbox counts as if it were beside it. */
function asFiles(source: Source, names: ReadonlyMap<string, string>): Source {
  const renamed = ({ members, ...rest }: Listing): Listing => ({
    ...rest,
    members: members.flatMap((member): Member[] => {
      if (member.kind === 'collection') return [member];
      const path = names.get(member.location);
      return path === undefined ? [] : [{ ...member, name: path.split('/').at(-1) ?? '' }];
    }),
  });
  return {
    ...source,
    get atOnce() {
      return source.atOnce ?? 1;
    },
    list: async (collection, signal) => {
      const listing = await source.list(collection, signal);
      const inbox = listing.members.find(({ location }) => location === 'INBOX');
      if (collection.location !== '' || inbox === undefined) return renamed(listing);
      const { members } = await source.list(inbox, signal);
      return renamed({ ...listing, members: [...listing.members, ...members] });
    },
  };
}
