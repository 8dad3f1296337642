import { randomUUID } from 'node:crypto';
import type { Person } from '../../../demo/people.ts';
import type { RunningServer } from '../servers/server-process.ts';
import { startSpring } from '../servers/spring.ts';
import { openFormsVisitor } from './forms-visitor.ts';
import {
  cannot,
  newSecret,
  type Provider,
  type Realm,
  type RealmFault,
  type Rules,
  type WantedRealm,
} from './realm.ts';
import { openWire } from './wire.ts';

/**
 * Scenarios on a Spring Authorization Server, which is started with the first of them. Each realm is a client of its own
 * there, the people are everybody's.
 */
export function spring(program: string): Provider & AsyncDisposable {
  let server: Promise<RunningServer> | undefined;
  return {
    openRealm: async (wanted) => {
      server ??= startSpring(program);
      return openRealm(wanted, openAdministration(await server));
    },
    behavesAs: '26.7',
    restart: undefined,
    [Symbol.asyncDispose]: async () => (await server)?.stop(),
  };
}

type Administration = ReturnType<typeof openAdministration>;

function openAdministration({ url }: RunningServer) {
  const ask = async (method: string, path: string, body?: object) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}administration/${path}`, {
      method,
      ...(body && { headers, body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} is answered ${answer.status}: ${await answer.text()}`);
    return answer.text();
  };
  return { url, ask };
}

async function openRealm(
  { nightkeep, people, rules, wired }: WantedRealm,
  { url, ask }: Administration,
): Promise<Realm> {
  await using opened = new AsyncDisposableStack();
  const wire = wired ? opened.use(await openWire(() => new URL(url))) : undefined;
  const issuer = wire?.origin ?? url.replace(/\/$/, '');
  const client = { id: `nightkeep-${randomUUID().slice(0, 8)}`, secret: newSecret() };
  const given = (person: Person) => `clients/${client.id}/people/${person.username}`;
  const configure = async (now: Rules, secret: string = client.secret) => {
    const redirectUri = new URL('callback', nightkeep).href;
    const rotates = typeof now.rotation === 'object';
    await ask('PUT', `clients/${client.id}`, { secret, redirectUri, rotates });
  };
  await configure(rules);
  for (const { username, password } of people) await ask('PUT', `people/${username}`, { password, enabled: true });
  const closing = opened.move();
  return {
    issuer,
    client,
    accessToken: { personIn: 'sub' },
    configure: (now) => configure(now),
    offlineSessions: async (person) => Number(await ask('GET', given(person))),
    accessesShownTo: () => cannot('show people what they gave'),
    inject: (fault, person) =>
      inject(fault, {
        end: () => ask('DELETE', given(person)),
        enable: (enabled) => ask('PUT', `people/${person.username}`, { password: person.password, enabled }),
        configure: (secret) => configure(rules, secret),
      }),
    holdNextAnswer: () => wire?.holdNextAnswer() ?? cannot('hold answers without a wire'),
    visitor: async (person) => openFormsVisitor(person, `${url}logout`),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

interface Acts {
  end(): Promise<unknown>;
  enable(enabled: boolean): Promise<unknown>;
  configure(secret?: string): Promise<void>;
}

async function inject(fault: RealmFault, { end, enable, configure }: Acts): Promise<(() => Promise<void>) | undefined> {
  switch (fault) {
    case 'an administrator deletes the consent':
      await end();
      return undefined;
    case 'the person is disabled':
      await enable(false);
      return async () => void (await enable(true));
    case 'the secret of the client is changed':
      await configure('another');
      return () => configure();
    default:
      return cannot(`play that ${fault}`);
  }
}
