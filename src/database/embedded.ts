import { join } from 'node:path';
import pg from 'pg';
import { AppError } from '../errors.ts';
import { prepareRoles, type Roles } from './embedded-roles.ts';
import {
  type EmbeddedServer,
  findServer,
  hasData,
  keepPassword,
  startServer,
  superuser,
  superuserPassword,
} from './embedded-server.ts';

/** A PostgreSQL of our own, for one machine. */
export interface EmbeddedDatabase extends AsyncDisposable {
  /** The address for the service, whose role may change rows but no tables. */
  url: string;
  /** The address for migrations, whose role owns the tables. */
  ownerUrl: string;
}

/**
 * The PostgreSQL that npm brought along, with its data below `folder`: the one that runs there already, for a command
 * beside a service, or else a new one on a free loopback port, which ends with whoever started it.
 */
export async function startEmbeddedDatabase(folder: string): Promise<EmbeddedDatabase> {
  return (await findRunning(folder)) ?? startOne(folder);
}

/** The same where there is one already, running or not; never a new one. */
export async function findEmbeddedDatabase(folder: string): Promise<EmbeddedDatabase | undefined> {
  return (await hasData(folder)) ? startEmbeddedDatabase(folder) : undefined;
}

/** Whether there is one, running or not. */
export function hasEmbeddedDatabase(folder: string): Promise<boolean> {
  return hasData(folder);
}

async function findRunning(folder: string): Promise<EmbeddedDatabase | undefined> {
  const urlOf = await findServer(folder);
  if (urlOf === undefined) return undefined;
  const urls = urlsOf(urlOf, await rolesOf(folder));
  return (await letsIn(urls.url)) ? { ...urls, [Symbol.asyncDispose]: async () => {} } : undefined;
}

async function letsIn(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  return client
    .connect()
    .then(() => client.end())
    .then(
      () => true,
      () => false,
    );
}

async function startOne(folder: string): Promise<EmbeddedDatabase> {
  try {
    await using opened = new AsyncDisposableStack();
    const { urlOf } = opened.use(await startServer(folder, { max_connections: '200' }));
    const roles = await rolesOf(folder);
    await prepareRoles(urlOf(superuser, await superuserPassword(folder)), roles);
    const closing = opened.move();
    return { ...urlsOf(urlOf, roles), [Symbol.asyncDispose]: () => closing.disposeAsync() };
  } catch (cause) {
    throw new AppError(
      'database/unavailable',
      `The embedded PostgreSQL did not start in ${folder}. Check that this user may write there (for root it runs as the user postgres, who must be able to get there) and that the disk is not full, or set DATA_DIR or DATABASE_URL.`,
      { cause },
    );
  }
}

/** The roles of the service and of migrations, with passwords that are made where there are none. */
async function rolesOf(folder: string): Promise<Roles> {
  const login = async (name: string) => ({
    role: `${superuser}_${name}`,
    password: await keepPassword(join(folder, `${name}.password`)),
  });
  return { owner: await login('owner'), service: await login('service') };
}

function urlsOf(urlOf: EmbeddedServer['urlOf'], { owner, service }: Roles): { url: string; ownerUrl: string } {
  const url = ({ role, password }: Roles['owner']) => urlOf(role, password);
  return { url: url(service), ownerUrl: url(owner) };
}
