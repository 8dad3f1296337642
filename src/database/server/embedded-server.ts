import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock, within } from '../../clock.ts';
import { minuteMs } from '../../durations.ts';
import { makeFolders } from '../../make-folders.ts';
import { placeOnce } from '../../place-once.ts';
import { type Account, accountFor, programsFor } from './embedded-programs.ts';
import { freePort, isFree } from './free-port.ts';
import { removeOtherPrograms } from './placed-programs.ts';

/** The address of a server for a role and its password. */
export type UrlOf = (role: string, password: string) => string;

/** A PostgreSQL server with its data below a folder. */
export interface EmbeddedServer extends AsyncDisposable {
  urlOf: UrlOf;
}

/** The role that initdb makes. Nothing but the making of other roles is done as it. */
export const superuser = 'nightkeep';

/** Connections by TCP prove that they know the password of their role; there is no other way in. */
const clientAuthentication = 'host all all 127.0.0.1/32 scram-sha-256\n';

const locale = ['--encoding=UTF8', '--no-locale', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];

/** As `launchServer`; it stops when disposed of, and when a signal ends this process. */
export async function startServer(folder: string, parameters: Record<string, string> = {}): Promise<EmbeddedServer> {
  const urlOf = await launchServer(folder, parameters);
  return { urlOf, ...endingWithUs(() => stopServer(folder)) };
}

/**
 * Starts the PostgreSQL that npm brought along on a free loopback port, that of last time where it is one, with its data in `folder/data`,
 * made where there are none. It outlives this process. `parameters` are of postgresql.conf.
 */
export async function launchServer(folder: string, parameters: Record<string, string>): Promise<UrlOf> {
  makeFolders(folder);
  const data = join(folder, 'data');
  const account = await accountFor(data);
  const programs = await programsFor(account, folder);
  if (!(await hasData(folder))) await makeData(folder, programs.initdb, account, parameters);
  await removeDrafts(folder);
  await allowPasswordsOnly(data);
  const port = await portFor(data);
  const all = { ...parameters, port, listen_addresses: '127.0.0.1', unix_socket_directories: "''" };
  const options = Object.entries(all).map(([name, value]) => `-c ${name}=${value}`);
  await control(programs.pg_ctl, ['start', '-D', data, '-w', '-t', '600', '-o', options.join(' ')], account);
  await removeOtherPrograms(folder, programs.pg_ctl);
  return (role, password) => urlOf(role, password, port);
}

/** Whoever used a server that has gone looks for it where it was. */
async function portFor(data: string): Promise<number> {
  const options = await readFile(join(data, 'postmaster.opts'), 'utf8').catch(() => '');
  const former = Number(/"port=(\d+)"/.exec(options)?.[1] ?? '0');
  return former > 0 && (await isFree(former)) ? former : freePort();
}

/** How long a server may take to write down what it has in memory. */
const stoppingMs = minuteMs;
const lookEveryMs = 100;

/** Stops the server, whoever started it, where there is one. What `pg_ctl stop` waits for does not end where another process starts a new one. */
export async function stopServer(folder: string): Promise<void> {
  const clock = systemClock();
  const account = await accountFor(join(folder, 'data'));
  const { pg_ctl } = await programsFor(account, folder);
  const pid = await pidOf(folder);
  if (pid === 0) return;
  await control(pg_ctl, ['kill', 'INT', String(pid)], account).catch(() => {}); // It may have gone by itself.
  for (const begun = clock.elapsed(); clock.elapsed() - begun < stoppingMs; await clock.sleep(lookEveryMs))
    if ((await pidOf(folder)) !== pid || !isAlive(pid)) return;
}

/** The address of the server whose pid file is in the data folder; whether it answers there is another question. */
export async function findServer(folder: string): Promise<UrlOf | undefined> {
  const port = Number((await readPidFile(folder))[3] ?? '');
  return port > 0 ? (role, password) => urlOf(role, password, port) : undefined;
}

/** Whether the process whose pid file is in the data folder lives: the server may be starting or stopping just now. */
export async function hasProcess(folder: string): Promise<boolean> {
  const pid = await pidOf(folder);
  return pid > 0 && isAlive(pid);
}

/** Whose pid file is in the data folder; 0 where there is none. */
async function pidOf(folder: string): Promise<number> {
  return Number((await readPidFile(folder))[0] ?? '');
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function readPidFile(folder: string): Promise<string[]> {
  return (await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
}

/** Whether there is a cluster, running or not. */
export function hasData(folder: string): Promise<boolean> {
  return stat(join(folder, 'data', 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}

/** The superuser's password, made where there is none. */
export async function superuserPassword(folder: string): Promise<string> {
  return keepPassword(join(folder, 'password'));
}

/** The password in that file, which this user alone may read; made where there is none. */
export async function keepPassword(file: string): Promise<string> {
  placeOnce(file, randomBytes(24).toString('base64url'));
  return (await readFile(file, 'utf8')).trim();
}

/** Written where it is not so already: a server that another process starts just now may be reading it. */
async function allowPasswordsOnly(data: string): Promise<void> {
  const file = join(data, 'pg_hba.conf');
  if ((await readFile(file, 'utf8')) !== clientAuthentication) await writeFile(file, clientAuthentication);
}

const draftName = 'data.new';

/**
 * Made beside its place and moved there when it is whole, so that a start that is cut off leaves nothing half made. Of several first
 * starts at once each makes its own, and the one that is whole first stays.
 */
async function makeData(
  folder: string,
  initdb: string,
  account: Account | undefined,
  { fsync }: Record<string, string>,
): Promise<void> {
  const draft = await mkdtemp(join(folder, `${draftName}-`));
  try {
    await superuserPassword(folder);
    const passwordFile = join(folder, 'password');
    if (account !== undefined) for (const path of [draft, passwordFile]) await chown(path, account.uid, account.gid);
    const access = ['--auth=scram-sha-256', `--username=${superuser}`, `--pwfile=${passwordFile}`];
    await promisify(execFile)(
      initdb,
      [`--pgdata=${draft}`, ...access, ...locale, ...(fsync === 'off' ? ['--no-sync'] : [])],
      { ...surroundings, ...account },
    );
    await allowPasswordsOnly(draft);
    await rename(draft, join(folder, 'data'));
  } catch (error) {
    if (!(await hasData(folder))) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Where there are data, nobody needs those that were cut off, or that another process is still making. */
async function removeDrafts(folder: string): Promise<void> {
  const drafts = (await readdir(folder)).filter((name) => name.startsWith(draftName));
  for (const name of drafts) await rm(join(folder, name), { recursive: true, force: true, maxRetries: 5 });
}

/**
 * Starts or stops the server. pg_ctl gives it a session of its own: Ctrl-C, which all processes of a terminal get, does
 * not take the database away from a service that still has work.
 */
async function control(program: string, args: string[], account: Account | undefined): Promise<void> {
  const child = spawn(program, args, { ...surroundings, stdio: ['ignore', 'pipe', 'ignore'], ...account });
  let said = '';
  child.stdout.on('data', (words) => {
    said += words;
  });
  const closed = once(child, 'close');
  const [code] = await once(child, 'exit');
  if (code !== 0) await within(systemClock(), partingMs, () => closed).catch(() => {});
  // A server that was started writes its log there; it goes on where nobody reads it.
  child.stdout.destroy();
  if (code !== 0) throw new Error(`pg_ctl ${args[0]} ended with ${code}.\n${said}`);
}

/** Whether it did not start since another server had these data then, which may have stopped meanwhile. */
export function wasAnotherRunning(error: unknown): boolean {
  return /lock file "postmaster\.pid" already exists/.test(reasonOf(error) ?? '');
}

/** What PostgreSQL's programs gave as their reason, in their words; undefined where they gave none. */
export function reasonOf(error: unknown): string | undefined {
  const words = error instanceof Error ? error.message : '';
  return words.match(/(?<=(?:FATAL|PANIC|DETAIL|HINT|error): +)\S.*(?<!\.)/g)?.join('; ');
}

/** How long the last words of a program are waited for; a server that has not gone yet may keep its standard output open. */
const partingMs = 5_000;

/** PostgreSQL's programs get nothing of this process's environment, which may hold secrets. */
const surroundings = { cwd: '/', env: { LC_ALL: 'C' } };

/** Stops when it is disposed of. A process that does not hear these signals itself ends by them, and stops before. */
export function endingWithUs(stop: () => Promise<void>): AsyncDisposable {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const deafen = () => {
    for (const signal of signals) process.off(signal, hear);
  };
  const hear = async (signal: NodeJS.Signals) => {
    if (process.listenerCount(signal) > 1) return;
    await stop();
    deafen();
    process.kill(process.pid, signal);
  };
  // In front, since whoever listens once is gone when its turn is over.
  for (const signal of signals) process.prependListener(signal, hear);
  return {
    [Symbol.asyncDispose]: async () => {
      deafen();
      await stop();
    },
  };
}

function urlOf(role: string, password: string, port: number): string {
  return `postgres://${role}:${password}@127.0.0.1:${port}/postgres`;
}
