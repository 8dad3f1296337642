import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Clock } from '../../src/clock.ts';
import type { CheckToken } from '../cloud/access.ts';
import { serveImap, writable } from './imap.ts';
import type { HeldMailboxes } from './mailboxes.ts';

/** The mail server of the demo's cloud, on 127.0.0.1 and without TLS. */
export interface DemoMail {
  /** The setting MAIL_URL for Nightkeep. */
  readonly url: string;
  /** Refuses connections and cuts open ones, until `up`. */
  down(): Promise<void>;
  up(): Promise<void>;
}

export interface DemoMailOptions {
  /** Whose mail it is. */
  readonly mailboxesOf: (username: string) => HeldMailboxes | undefined;
  readonly check: CheckToken;
  readonly clock: Clock;
}

/** Starts it on a free port. It lets in whoever shows a token of the person whom they name. */
export async function startMail({ mailboxesOf, check, clock }: DemoMailOptions): Promise<DemoMail> {
  const sockets = new Set<Socket>();
  const login = async (shown: string) => {
    const { user = '', token = '' } =
      /(?:^n,a=|^user=)(?<user>[^,\x01]*).*?auth=Bearer (?<token>[^\x01]*)/s.exec(shown)?.groups ?? {};
    return (await check(token)) === user ? mailboxesOf(user) : undefined;
  };
  const manner = {
    login,
    greeting: '* OK Demo mail',
    capabilities: writable,
    delimiter: '/',
    prefix: '',
    now: () => clock.now(),
  };
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    serveImap(socket, manner);
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `imap://{preferred_username}@127.0.0.1:${port}`,
    async down() {
      if (!server.listening) return;
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
    async up() {
      if (!server.listening) await listen(port);
    },
  };
}
