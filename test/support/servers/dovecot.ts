import { chmod, chown, mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { encodeMailboxName } from '../../../src/sources/imap/mailbox-name.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { requireProgram } from './programs.ts';
import { type RunningServer, startServerProcess } from './server-process.ts';

/** Undefined (after a loud word) where Dovecot is missing. */
export const dovecot = requireProgram('dovecot', 'apt-get install dovecot-imapd');

/** As whom it asks about tokens, like any client of a provider. */
const client = `Basic ${Buffer.from('dovecot:secret').toString('base64')}`;
/** Whom the mail belongs to on disk. */
const owner = 65_534;

/** A real mail server whose mail is in Maildirs, and which asks an introspection endpoint of its own about tokens. */
export interface Dovecot extends RunningServer {
  readonly port: number;
  /** As MAIL_URL names a person there. */
  urlOf(person: string): string;
  /** Whose each token is. */
  readonly tokens: Map<string, string>;
  /** Where a mailbox is kept; the levels of its name are parted by slashes. */
  maildirOf(person: string, mailbox?: string): string;
  /** Puts a message into a mailbox as a delivery would, making the mailbox where it is not there; answers the file. */
  deliver(person: string, mailbox: string, message: Delivered): Promise<string>;
}

export interface Delivered {
  readonly content: string | Buffer;
  readonly receivedAt?: Date;
  /** Letters as Maildirs have them: `S` for seen. */
  readonly flags?: string;
}

interface DovecotOptions {
  /** How many one person may have; 10 without it. */
  readonly connections?: number;
  /** The lines of `oauth2.conf`, where it judges tokens in another way than by `tokens`. */
  readonly oauth2?: string;
  /** In an mbox, a mailbox that holds messages holds no others; a Maildir without it. */
  readonly format?: 'maildir' | 'mbox';
}

export async function startDovecot({
  connections = 10,
  oauth2,
  format = 'maildir',
}: DovecotOptions = {}): Promise<Dovecot> {
  const home = await temporaryFolder('dovecot');
  const tokens = new Map<string, string>();
  const introspection = createServer(async (request, response) => {
    response.statusCode = request.headers.authorization === client ? 200 : 401;
    const token = new URLSearchParams(await text(request)).get('token') ?? '';
    const username = tokens.get(token);
    response.setHeader('content-type', 'application/json');
    const known = { active: true, preferred_username: username };
    response.end(response.statusCode === 401 ? '' : JSON.stringify(username === undefined ? { active: false } : known));
  });
  await new Promise<void>((resolve) => introspection.listen(0, '127.0.0.1', resolve));
  const { port: introspectionPort } = introspection.address() as AddressInfo;
  await mkdir(join(home.path, 'mail'));
  await chown(join(home.path, 'mail'), owner, owner);
  const authentication = join(home.path, 'oauth2.conf');
  await writeFile(
    authentication,
    oauth2 ??
      `introspection_mode = post
introspection_url = http://dovecot:secret@127.0.0.1:${introspectionPort}/introspect
force_introspection = yes
active_attribute = active
active_value = true
username_attribute = preferred_username
`,
  );
  await chmod(authentication, 0o644);
  let port = 0;
  const server = await startServerProcess(
    async (free) => {
      port = free;
      const configuration = join(home.path, 'dovecot.conf');
      await writeFile(configuration, configurationOf(home.path, { port, authentication, connections, format }));
      return { command: dovecot ?? '', args: ['-F', '-c', configuration] };
    },
    async () => {
      introspection.closeAllConnections();
      introspection.close();
      await home[Symbol.asyncDispose]();
    },
  );
  let delivered = 0;
  const maildirOf = (person: string, mailbox = 'INBOX') => {
    const top = join(home.path, 'mail', person);
    const levels = mailbox.split('/').map(encodeMailboxName);
    return mailbox === 'INBOX' ? top : join(top, `.${levels.join('.')}`);
  };
  return Object.assign(server, {
    port,
    tokens,
    urlOf: (person: string) => `imap://${encodeURIComponent(person)}@127.0.0.1:${port}`,
    maildirOf,
    async deliver(person: string, mailbox: string, { content, receivedAt, flags = '' }: Delivered) {
      const top = maildirOf(person);
      const folder = maildirOf(person, mailbox);
      for (const made of [top, folder, ...['cur', 'new', 'tmp'].map((name) => join(folder, name))]) {
        await mkdir(made, { recursive: true });
        await chown(made, owner, owner);
      }
      const file = `${String(++delivered).padStart(10, '0')}.M${delivered}P1.test,S=${Buffer.byteLength(content)}`;
      const [temporary, place] = [join(folder, 'tmp', file), join(folder, 'cur', `${file}:2,${flags}`)];
      await writeFile(temporary, content);
      await chown(temporary, owner, owner);
      if (receivedAt !== undefined) await utimes(temporary, receivedAt, receivedAt);
      await rename(temporary, place);
      return place;
    },
  });
}

/** So that the numbers of all messages are made anew. */
export async function forgetNumbers(maildir: string): Promise<void> {
  for (const name of ['dovecot-uidlist', 'dovecot.index', 'dovecot.index.log', 'dovecot.index.cache'])
    await rm(join(maildir, name), { force: true });
}

function configurationOf(
  home: string,
  {
    port,
    authentication,
    connections,
    format,
  }: Required<Pick<DovecotOptions, 'connections' | 'format'>> & { port: number; authentication: string },
): string {
  return `base_dir = ${home}/base
state_dir = ${home}/state
log_path = ${home}/log
ssl = no
disable_plaintext_auth = no
protocols = imap
auth_mechanisms = oauthbearer xoauth2
auth_failure_delay = 0
first_valid_uid = 1
mail_location = ${format}:${home}/mail/%u
passdb {
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = ${authentication}
}
userdb {
  driver = static
  args = uid=${owner} gid=${owner} home=${home}/mail/%u
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Sent {
    special_use = \\Sent
    auto = create
  }
}
protocol imap {
  mail_max_userip_connections = ${connections}
}
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
`;
}
