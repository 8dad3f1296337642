import { join } from 'node:path';
import { type Clock, systemClock } from '../../clock.ts';
import { minuteMs } from '../../durations.ts';
import { AppError, codeIn } from '../../errors.ts';
import { type Log, silentLog } from '../../log.ts';
import { faultWords, kindOfFault } from '../fault.ts';
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
 * process that was killed, or else a new one on a free loopback port. It ends with the last process that uses it. Where it ends before, whoever uses it
 * starts it again at the same address, and the log says so. Throws `database/unavailable`.
 */
export async function startEmbeddedDatabase(folder: string, log: Log = silentLog): Promise<EmbeddedDatabase> {
  const clock = systemClock();
  const needs = { clock, log };
  for (const begun = clock.elapsed(); ; await clock.sleep(lookEveryMs)) {
    const running = await useRunning(needs, folder);
    if (running !== undefined) return running;
    try {
      return await launchOne(needs, folder);
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
  const running = await useRunning({ clock: systemClock(), log: silentLog }, folder);
  await running?.[Symbol.asyncDispose]();
}

/** Whether there is one, running or not. */
export function hasEmbeddedDatabase(folder: string): Promise<boolean> {
  return hasData(folder);
}

interface Needs {
  readonly clock: Clock;
  readonly log: Log;
}

/** Undefined where none answers. Throws where one says that its disk is full: neither waiting nor another one would help. */
async function useRunning({ clock, log }: Needs, folder: string): Promise<EmbeddedDatabase | undefined> {
  const urlOf = await findServer(folder);
  if (urlOf === undefined) return undefined;
  const roles = await rolesOf(folder);
  const urls = urlsOf(urlOf, roles);
  const open = () => openUse(clock, urls.url, () => revive(folder, log));
  // Whoever started it may have been killed before it had roles.
  const withRoles = async () => prepareRoles(urlOf(superuser, await superuserPassword(folder)), roles).then(open);
  const use = await open().catch((error: unknown) => {
    if (kindOfFault(error) === 'DiskFull') throw full(folder, error);
    return withRoles().catch(() => undefined);
  });
  return use && { ...urls, ...endingWithUs(() => use.end(() => stopServer(folder))) };
}

const parameters = { max_connections: '200' };

async function launchOne({ clock, log }: Needs, folder: string): Promise<EmbeddedDatabase> {
  const urlOf = await launchServer(folder, parameters);
  let end = () => stopServer(folder);
  await using opened = new AsyncDisposableStack();
  opened.use(endingWithUs(() => end()));
  const roles = await rolesOf(folder);
  await prepareRoles(urlOf(superuser, await superuserPassword(folder)), roles);
  const urls = urlsOf(urlOf, roles);
  const use = await openUse(clock, urls.url, () => revive(folder, log));
  end = () => use.end(() => stopServer(folder));
  const closing = opened.move();
  return { ...urls, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** Starts the server again where it has gone: it ends where it can write nothing, and a system without memory kills it. */
async function revive(folder: string, log: Log): Promise<void> {
  try {
    // A folder whose disk is not mounted must not get another one.
    if (!(await hasData(folder)) || (await hasProcess(folder))) return;
    await launchServer(folder, parameters);
    log.warn('database.restarted', { folder });
  } catch (error) {
    if (!wasAnotherRunning(error)) log.error('database.restart-failed', { error: didNotStart(folder, error) });
  }
}

function full(folder: string, cause: unknown): AppError {
  const [what, cure] = faultWords.DiskFull;
  return new AppError('database/unavailable', `${what} ${cure} The embedded one is in ${folder}.`, { cause });
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
