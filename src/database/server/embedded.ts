import { join } from 'node:path';
import { type Clock, systemClock } from '../../clock.ts';
import { minuteMs } from '../../durations.ts';
import { AppError, codeIn } from '../../errors.ts';
import { prepareRoles, type Roles } from './embedded-roles.ts';
import {
  endingWithUs,
  findServer,
  hasData,
  hasProcess,
  keepPassword,
  launchServer,
  reasonOf,
  stopServer,
  superuser,
  superuserPassword,
  type UrlOf,
  wasAnotherRunning,
} from './embedded-server.ts';
import { openUse } from './server-use.ts';

/** An embedded PostgreSQL, for one machine. */
export interface EmbeddedDatabase extends AsyncDisposable {
  /** The address for the service, whose role may change rows but no tables. */
  url: string;
  /** The address for migrations, whose role owns the tables. */
  ownerUrl: string;
}

/** How long a server may take to start or to stop that another process starts or stops just now. */
const patienceMs = minuteMs;
const lookEveryMs = 200;

/**
 * The PostgreSQL that npm brought along, with its data below `folder`: the one that runs there already, beside a service or left by a
 * process that was killed, or else a new one on a free loopback port. It ends with the last process that uses it.
 */
export async function startEmbeddedDatabase(folder: string): Promise<EmbeddedDatabase> {
  const clock = systemClock();
  for (const begun = clock.elapsed(); ; await clock.sleep(lookEveryMs)) {
    const running = await useRunning(clock, folder);
    if (running !== undefined) return running;
    try {
      return await launchOne(clock, folder);
    } catch (error) {
      const isAnothers = wasAnotherRunning(error) || (await hasProcess(folder));
      if (!isAnothers || clock.elapsed() - begun > patienceMs) throw didNotStart(folder, error);
    }
  }
}

/** The same where there is one already, running or not; never a new one. */
export async function findEmbeddedDatabase(folder: string): Promise<EmbeddedDatabase | undefined> {
  return (await hasData(folder)) ? startEmbeddedDatabase(folder) : undefined;
}

/** Stops the one that runs there where no process uses it any more. */
export async function stopUnusedDatabase(folder: string): Promise<void> {
  const running = await useRunning(systemClock(), folder);
  await running?.[Symbol.asyncDispose]();
}

/** Whether there is one, running or not. */
export function hasEmbeddedDatabase(folder: string): Promise<boolean> {
  return hasData(folder);
}

async function useRunning(clock: Clock, folder: string): Promise<EmbeddedDatabase | undefined> {
  const urlOf = await findServer(folder);
  if (urlOf === undefined) return undefined;
  const roles = await rolesOf(folder);
  const urls = urlsOf(urlOf, roles);
  const open = () => openUse(clock, urls.url);
  // Whoever started it may have been killed before it had roles.
  const withRoles = async () => prepareRoles(urlOf(superuser, await superuserPassword(folder)), roles).then(open);
  const use = await open().catch(() => withRoles().catch(() => undefined));
  return use && { ...urls, ...endingWithUs(() => use.end(() => stopServer(folder))) };
}

async function launchOne(clock: Clock, folder: string): Promise<EmbeddedDatabase> {
  const urlOf = await launchServer(folder, { max_connections: '200' });
  let end = () => stopServer(folder);
  await using opened = new AsyncDisposableStack();
  opened.use(endingWithUs(() => end()));
  const roles = await rolesOf(folder);
  await prepareRoles(urlOf(superuser, await superuserPassword(folder)), roles);
  const urls = urlsOf(urlOf, roles);
  const use = await openUse(clock, urls.url);
  end = () => use.end(() => stopServer(folder));
  const closing = opened.move();
  return { ...urls, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

function didNotStart(folder: string, cause: unknown): AppError {
  const reason = reasonOf(cause);
  const why = reason === undefined ? codeIn(cause) : `PostgreSQL says: ${reason}`;
  return new AppError(
    'database/unavailable',
    `The embedded PostgreSQL did not start in ${folder}${why === undefined ? '' : ` (${why})`}. Check that this user may write there (for root it runs as the user postgres, who must be able to get there) and that the disk is not full, or set DATA_DIR or DATABASE_URL.`,
    { cause },
  );
}

/** The roles of the service and of migrations, with passwords that are made where there are none. */
async function rolesOf(folder: string): Promise<Roles> {
  const login = async (name: string) => ({
    role: `${superuser}_${name}`,
    password: await keepPassword(join(folder, `${name}.password`)),
  });
  return { owner: await login('owner'), service: await login('service') };
}

function urlsOf(urlOf: UrlOf, { owner, service }: Roles): { url: string; ownerUrl: string } {
  const url = ({ role, password }: Roles['owner']) => urlOf(role, password);
  return { url: url(service), ownerUrl: url(owner) };
}
