import { join } from 'node:path';
import { type Clock, within } from '../clock.ts';
import { type Config, type Survey, surveySettings } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { type Database, openDatabase } from '../database/client.ts';
import { findEmbeddedDatabase } from '../database/embedded.ts';
import { requireMigrations } from '../database/migrate.ts';
import { AppError } from '../errors.ts';
import { type ClientAtProvider, type Credential, listCredentials } from '../oidc/inspect-client.ts';
import { askDiscovery, type Published } from '../oidc/inspect-provider.ts';
import { type Keyring, parseKeyring } from '../vault/keyring.ts';
import { judgeDiscovery } from './discovery.ts';

/**
 * A house that may be in any state, to be looked at. Each part is opened when it is first asked for, by itself, and once;
 * one that cannot be had rejects with a AppError, which is another check's finding.
 */
export interface Patient extends AsyncDisposable {
  readonly clock: Clock;
  readonly environment: Environment;
  readonly survey: Survey;
  /** Throws `config/invalid` where the setting is wrong. */
  setting<Key extends keyof Plain>(key: Key): NonNullable<Plain[Key]>;
  /** The same for one that may be absent. */
  option<Key extends keyof Plain>(key: Key): Plain[Key];
  published(): Promise<Published>;
  /** Rejects with `provider/unavailable` where discovery failed. */
  client(): Promise<ClientAtProvider>;
  credentials(): Promise<readonly Credential[]>;
  keyring(): Keyring;
  /** Rejects with `database/unavailable`; it may lack migrations. */
  database(): Promise<Database>;
  /** Rejects with `database/not-migrated` too. */
  records(): Promise<Database>;
}

const partingMs = 10_000;

type Plain = Survey['settings'] & Partial<Config['provider']>;

/** Begins to look at the house that the environment describes. Nothing is made or changed by looking. */
export function openPatient(environment: Environment, clock: Clock): Patient {
  const survey = surveySettings(environment);
  const known: Plain = { ...survey.settings, ...survey.settings.provider };
  const opened = new AsyncDisposableStack();
  const option: Patient['option'] = (key) => {
    if (!survey.faults.has(key)) return known[key];
    throw new AppError('config/invalid', 'The settings for it are wrong.');
  };
  const setting: Patient['setting'] = (key) => {
    const value = option(key);
    if (value == null) throw new AppError('config/invalid', 'The settings for it are wrong.');
    return value;
  };
  const published = once(() => askDiscovery(clock, setting('issuer')));
  /** What is still on its way when everybody else has gone: a server that was started must be stopped again. */
  const opening: Promise<unknown>[] = [];
  const openPool = async () => {
    const url = option('databaseUrl') ?? (await urlOfEmbedded(setting('dataDir'), opened));
    return opened.adopt(await openDatabase(url, 3), (open) => open.$disconnect());
  };
  const database = once(() => {
    const pool = openPool();
    opening.push(pool);
    return pool;
  });
  return {
    clock,
    environment,
    survey,
    option,
    setting,
    published,
    client: once(async () => {
      const found = await published();
      // A provider that Nightkeep itself would not talk to gets no secret of it here either.
      if (found.metadata === undefined || judgeDiscovery(setting('issuer'), found).state === 'wrong')
        throw new AppError('provider/unavailable', 'Discovery failed.');
      return { clock, metadata: found.metadata, clientId: setting('clientId') };
    }),
    credentials: once(() => {
      const known = { authentication: setting('authentication'), secrets: setting('secrets') };
      const privateKeyPem = option('privateKeyPem');
      return listCredentials({ ...known, ...(privateKeyPem !== undefined && { privateKeyPem }) });
    }),
    keyring: () => parseKeyring(setting('keyring')),
    database,
    records: once(async () => {
      const open = await database();
      await requireMigrations(open);
      return open;
    }),
    [Symbol.asyncDispose]: async () => {
      await within(clock, partingMs, () => Promise.allSettled(opening)).catch(() => undefined);
      await within(clock, partingMs, () => opened.disposeAsync()).catch(() => undefined);
    },
  };
}

async function urlOfEmbedded(dataDir: string, opened: AsyncDisposableStack): Promise<string> {
  const embedded = await findEmbeddedDatabase(join(dataDir, 'postgres'));
  if (embedded !== undefined) return opened.use(embedded).url;
  throw new AppError('database/unavailable', 'There is no embedded PostgreSQL yet: the first start makes it.');
}

function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opening: Promise<T> | undefined;
  return () => {
    opening ??= Promise.resolve().then(open);
    return opening;
  };
}
