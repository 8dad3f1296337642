import { join } from 'node:path';
import { type Clock, within } from '../clock.ts';
import { surveySettings } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { openDatabase } from '../database/client.ts';
import { findEmbeddedDatabase } from '../database/server/embedded.ts';
import { requireMigrations } from '../database/server/migrate.ts';
import { parseStoreAddress } from '../domain/store-address.ts';
import { AppError } from '../errors.ts';
import { askDiscovery } from '../oidc/inspect-provider.ts';
import { openProviderHosts } from '../oidc/provider-hosts.ts';
import { openStores, type Stores } from '../store/stores.ts';
import { parseKeyring } from '../vault/keyring.ts';
import { checkDiscovery } from './checks/discovery.ts';
import { clientFacts } from './client-facts.ts';
import { custodyFacts } from './custody-facts.ts';
import type { Installation, Settings } from './installation.ts';
import { once } from './once.ts';

const partingMs = 10_000;

/** Opens the installation that the environment describes. Nothing is made or changed by that. */
export function openInstallation(environment: Environment, clock: Clock): Installation {
  const survey = surveySettings(environment);
  const known: Settings = { ...survey.settings, ...survey.settings.provider };
  const opened = new AsyncDisposableStack();
  const option: Installation['option'] = (key) => {
    if (!survey.faults.has(key)) return known[key];
    throw new AppError('config/invalid', 'The settings for it are wrong.');
  };
  const setting: Installation['setting'] = (key) => {
    const value = option(key);
    if (value == null) throw new AppError('config/invalid', 'The settings for it are wrong.');
    return value;
  };
  let stores: Stores | undefined;
  const store: Installation['store'] = (location, at) => {
    const access = { storeKeys: setting('storeKeys'), storeCa: option('storeCa') };
    stores ??= opened.use(openStores(access, clock, { attempts: 2 }));
    return stores.open(at === null ? setting('store') : parseStoreAddress(at), location);
  };
  const published = once(async () => {
    const issuer = setting('issuer');
    const hosts = openProviderHosts(issuer, { inside: option('networks') });
    return { ...(await askDiscovery({ clock, hosts }, issuer)), hosts };
  });
  /** What may still be opening when all checks have ended: a server that was started must be stopped again. */
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
  const records = once(async () => {
    const open = await database();
    await requireMigrations(open);
    return open;
  });
  const client = once(async () => {
    const found = await published();
    // A provider that Nightkeep itself would not talk to gets no secret of it here either.
    if (found.metadata === undefined || checkDiscovery(setting('issuer'), found).state === 'wrong')
      throw new AppError('provider/unavailable', 'Discovery failed.');
    return { clock, hosts: found.hosts, metadata: found.metadata, clientId: setting('clientId') };
  });
  const keyring = () => parseKeyring(setting('keyring'));
  return {
    clock,
    environment,
    survey,
    option,
    setting,
    published,
    client,
    ...clientFacts({ client, option, setting }),
    keyring,
    store,
    database,
    records,
    ...custodyFacts({ clock, keyring, records, setting }),
    [Symbol.asyncDispose]: async () => {
      await within(clock, partingMs, () => Promise.allSettled(opening)).catch(() => undefined);
      await within(clock, partingMs, () => opened.disposeAsync()).catch(() => undefined);
    },
  };
}

async function urlOfEmbedded(dataDir: string, opened: AsyncDisposableStack): Promise<string> {
  const embedded = await findEmbeddedDatabase(join(dataDir, 'postgres'));
  if (embedded !== undefined) return opened.use(embedded).url;
  throw new AppError('database/unavailable', 'There is no embedded PostgreSQL yet: the first start creates it.');
}
