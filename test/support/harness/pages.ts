import { randomUUID } from 'node:crypto';
import { readConfig } from '../../../src/config/config.ts';
import { generic } from '../../../src/domain/providers/generic.ts';
import { silentLog } from '../../../src/log.ts';
import type { Authorized } from '../../../src/oidc/authorization.ts';
import type { Issuer } from '../../../src/oidc/issuer.ts';
import type { TokenEnding } from '../../../src/oidc/token-ending.ts';
import type { BackUpRequest } from '../../../src/queues/jobs.ts';
import { openProcessState, type Resources } from '../../../src/resources.ts';
import type { Repository } from '../../../src/store/repository/repository.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { openSpool } from '../../../src/vault/spool.ts';
import { type ManualClock, manualClock } from '../fixtures/manual-clock.ts';
import { openMemoryBackend } from '../fixtures/memory-backend.ts';
import { rememberingQueues } from '../fixtures/remembering-queues.ts';
import { cheapScryptCosts, newRepository } from '../fixtures/repository.ts';
import { openDatabaseFixture } from './database.ts';
import { addRepositoryRow } from './keys.ts';
import { settingsFor } from './settings.ts';
import { openVisitor, type Visitor } from './visitor.ts';

/** Now, where nothing has moved the clock. */
export const now = Date.parse('2026-05-04T12:00:00Z');

/** The pages on a database of their own, before a provider that says yes at once. */
export interface Pages extends AsyncDisposable {
  readonly resources: Resources;
  readonly databaseUrl: string;
  readonly clock: ManualClock;
  /** Who is in front of the provider: whoever comes there signs in as this person. */
  atProvider: Person;
  /** The tokens that the provider was told to end. */
  readonly revoked: string[];
  /** Somebody who never came before, signed in. */
  newPerson(person?: Partial<Person>): Promise<SignedIn>;
  /** The same with a consent, a plan in UTC, and nothing backed up. */
  consented(): Promise<SignedIn>;
}

export interface Person {
  readonly subject: string;
  readonly roles: readonly string[];
  /** What else the provider says of them. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** What else a token answer says, as `refreshToken` of a plain sign-in. */
  readonly tokens?: Partial<Authorized['tokens']>;
  /** How the provider ends tokens; by revocation where it is absent. */
  readonly ending?: TokenEnding;
}

export interface SignedIn extends Visitor {
  readonly person: Person;
  /** Comes back from the provider to whatever was begun last. */
  comeBack(): Promise<Response>;
  /** The address that the provider sends them back to. */
  wayBack(): string;
  userId(): Promise<string>;
}

export async function openPages(): Promise<Pages> {
  await using opened = new AsyncDisposableStack();
  const { database, url: databaseUrl } = opened.use(await openDatabaseFixture());
  const clock = manualClock(new Date(now).toISOString());
  const config = readConfig(settings);
  const stores = new Map<string, ReturnType<typeof openMemoryBackend>>();
  const requests: BackUpRequest[] = [];
  const state = { last: '' };
  const newcomer = (person: Partial<Person> = {}): Person => ({ subject: randomUUID(), roles: [], ...person });
  const revoked: string[] = [];
  const resources: Resources = {
    ...openProcessState({ clock, database, log: silentLog }),
    clock,
    config,
    database,
    log: silentLog,
    keyring: parseKeyring(config.keyring),
    queues: rememberingQueues(requests),
    issuer: agreeingIssuer({ clock, state, revoked, who: () => pages.atProvider }),
    store: (location) => {
      const backend = stores.get(location) ?? { ...openMemoryBackend(), location: "/store/alice's" };
      stores.set(location, backend);
      return backend;
    },
    places: async () => [...stores.keys()],
    scrypt: cheapScryptCosts,
    spool: openSpool('/nowhere'),
    holder: 'test',
  };
  const signIn = async (person: Person): Promise<SignedIn> => {
    const visitor = openVisitor(resources);
    pages.atProvider = person;
    const wayBack = () => `/callback?code=1&state=${state.last}`;
    const comeBack = () => visitor.send(wayBack());
    await visitor.send('/login?returnTo=/grant');
    await comeBack();
    const userId = async () =>
      (await database.user.findFirstOrThrow({ where: { subject: person.subject }, select: { id: true } })).id;
    return { ...visitor, person, comeBack, wayBack, userId };
  };
  const closing = opened.move();
  const pages: Pages = {
    resources,
    databaseUrl,
    clock,
    atProvider: newcomer(),
    revoked,
    newPerson: (person) => signIn(newcomer(person)),
    consented: async () => {
      const guest = await signIn(newcomer());
      await guest.post('/consent');
      await guest.comeBack();
      return guest;
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
  return pages;
}

const at = { folder: '/nowhere', publicUrl: new URL('http://localhost:3000'), filesUrl: 'https://cloud.example/' };
const provider = { issuer: 'https://id.example', clientId: 'nightkeep' };
const settings = {
  ...settingsFor({ ...at, ...provider }),
  OIDC_CLIENT_SECRET: 'a secret',
  OPERATOR_ROLE: 'operator',
  ZONE: 'UTC',
};

/** A provider that lets everybody in and gives every consent. */
function agreeingIssuer({
  clock,
  state,
  revoked,
  who,
}: {
  clock: ManualClock;
  state: { last: string };
  revoked: string[];
  who: () => Person;
}): Issuer {
  const unasked = () => Promise.reject(new Error('Nothing asks the provider this.'));
  return {
    clientId: provider.clientId,
    profile: async () => generic,
    introspect: async () => undefined,
    askAboutClient: async () => undefined,
    findRefusal: async () => undefined,
    beginAuthorization: async ({ purpose, scope, returnTo }) => {
      state.last = randomUUID();
      return {
        url: new URL(`${provider.issuer}/auth?scope=${encodeURIComponent(scope)}&state=${state.last}`),
        transaction: { purpose, scope, returnTo, state: state.last, nonce: 'n', verifier: 'v' },
      };
    },
    finishAuthorization: async (_, { scope }): Promise<Authorized> => ({
      issuer: provider.issuer,
      subject: who().subject,
      claims: { name: 'Somebody', roles: who().roles, auth_time: clock.now().getTime() / 1000, ...who().claims },
      scope,
      tokens: {
        accessToken: 'an access token',
        expiresIn: 300,
        ...(scope.includes('offline_access') && { refreshToken: `the token of ${who().subject}` }),
        sid: 'a session',
        ...who().tokens,
      },
      boundKey: undefined,
    }),
    publicKeys: async () => ({ keys: [{ kty: 'EC', kid: 'newest' }] }),
    revoke: async (token) => {
      revoked.push(token);
    },
    tokenEnding: async () => who().ending ?? { revocation: true },
    enroll: { device: unasked, password: unasked, service: unasked },
    exchange: unasked,
    readLogoutToken: unasked,
    prove: unasked,
  };
}

/** A run of the person that ended in part, and its id. */
export async function addRun({ resources: { database } }: Pages, guest: SignedIn): Promise<string> {
  const plan = await database.plan.findFirstOrThrow({ where: { userId: await guest.userId() } });
  const id = randomUUID();
  const night = '2026-05-04';
  await database.run.create({
    data: {
      id,
      planId: plan.id,
      night,
      trigger: 'schedule',
      state: 'partial',
      dueAt: new Date(`${night}T01:00:00Z`),
      queuedAt: new Date(`${night}T01:00:00Z`),
      startedAt: new Date(`${night}T01:00:01Z`),
      finishedAt: new Date(`${night}T01:02:00Z`),
      snapshotId: 'ab'.repeat(32),
      counts: { entries: 7, bytesRead: 2048 },
      problems: [{ path: '<script>alert(1)</script>', code: 'source/forbidden', message: 'Not allowed.' }],
      problemCount: 1,
    },
  });
  return id;
}

/** A repository of the person, whose passwords cost little to try; its recovery key was seen. */
export async function addRepository({ resources }: Pages, guest: SignedIn): Promise<Repository> {
  const { clock, database, store } = resources;
  const at = clock.now();
  const { id, password } = await addRepositoryRow(resources, await guest.userId(), at);
  await database.repository.update({ where: { id }, data: { recoverySeenAt: at } });
  return newRepository(store(id, null), password);
}
