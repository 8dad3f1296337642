import type { Clock } from '../../../src/clock.ts';
import type { Person } from '../../people.ts';
import type { ClientRow, DemoClient } from './client.ts';
import type { RealmSettings } from './settings.ts';
import type { Table, Tables } from './tables.ts';

export interface UserRow extends Person {
  readonly enabled: boolean;
  /** The realm role `offline_access`. */
  readonly offlineRole: boolean;
  /** Tokens issued before this moment (seconds since the epoch) are stale; 0 for none. */
  readonly notBefore: number;
  /** The client whose service account it is; absent for people. */
  readonly serviceAccountOf?: string;
}

/** Settings, people, clients and time of the realm. Times are seconds since the epoch, by the clock that was passed in. */
export interface Realm {
  readonly issuer: string;
  readonly users: Table<UserRow>;
  readonly clients: Table<ClientRow>;
  settings(): RealmSettings;
  change(changes: Partial<RealmSettings>): void;
  now(): number;
  /** The time, but strictly rising, so that a token is always older or newer than a not-before policy. */
  moment(): number;
  userNamed(username: string): UserRow;
  client(id: string): ClientRow;
  /** Adds a client, or replaces the one with its id. */
  register(client: DemoClient): void;
  /** All accounts but service accounts. */
  people(): UserRow[];
  /** The account with this user name and password, disabled or not. */
  userWithPassword(username: string | null, password: string | null): UserRow | undefined;
}

const shortestMoment = 1e-6;

export function openRealm(options: {
  issuer: string;
  clock: Clock;
  tables: Tables;
  settings: RealmSettings;
  people: readonly Person[];
  clients: readonly DemoClient[];
}): Realm {
  const { issuer, clock, tables } = options;
  const users = tables.open<UserRow>('users');
  const clients = tables.open<ClientRow>('clients');
  const kept = tables.open<RealmSettings>('settings');
  const now = () => clock.now().getTime() / 1000;
  let last = 0;

  const userNamed = (username: string) => {
    const user = users.rows().find((row) => row.username === username);
    if (!user) throw new Error(`The demo has nobody called ${username}.`);
    return user;
  };
  const people = () => [...users.rows()].filter(({ serviceAccountOf }) => serviceAccountOf === undefined);
  const register = (client: DemoClient) => {
    clients.put(client.id, { enabled: true, offlineScope: true, notBefore: 0, ...client });
    const account = serviceAccountOf(client);
    if (client.serviceAccount && !users.get(account.subject)) users.put(account.subject, account);
  };
  if (!kept.get('realm')) kept.put('realm', options.settings);
  for (const person of options.people)
    if (!users.get(person.subject)) users.put(person.subject, { ...person, ...freshUser });
  for (const client of options.clients) if (!clients.get(client.id)) register(client);

  const settings = () => kept.get('realm') ?? options.settings;
  return {
    issuer,
    users,
    clients,
    settings,
    change: (changes) => kept.put('realm', { ...settings(), ...changes }),
    now,
    moment: () => {
      last = Math.max(now(), last + shortestMoment);
      return last;
    },
    userNamed,
    client: (id) => {
      const client = clients.get(id);
      if (!client) throw new Error(`The provider has no client ${id}.`);
      return client;
    },
    register,
    people,
    userWithPassword: (username, password) =>
      people().find((row) => row.username === username?.trim() && row.password === password),
  };
}

const freshUser = { enabled: true, offlineRole: true, notBefore: 0 };

function serviceAccountOf({ id, name }: DemoClient): UserRow {
  return {
    ...freshUser,
    serviceAccountOf: id,
    username: `service-account-${id}`,
    password: '',
    subject: `service-account-${id}`,
    name: `Service account of ${name}`,
    email: '',
    zone: 'UTC',
    roles: [],
  };
}
