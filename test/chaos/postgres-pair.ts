import { execFile } from 'node:child_process';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Account, accountFor, programsFor } from '../../src/database/server/embedded-programs.ts';
import { administer, connected } from '../support/servers/postgres-server.ts';
import { type RunningServer, startServerProcess } from '../support/servers/server-process.ts';
import type { Machine } from './network.ts';

const run = promisify(execFile);
const port = 5432;
const role = 'nightkeep';

/** Whoever is on the switch is let in: it holds nobody else. */
const clientAuthentication = 'host all all samenet trust\nhost replication all samenet trust\n';

/** A restart loses nothing that was committed: it is the process that is killed, not the machine. */
const parameters = {
  fsync: 'off',
  wal_level: 'replica',
  wal_keep_size: '512MB',
  wal_retrieve_retry_interval: '500ms',
  max_connections: '100',
  unix_socket_directories: '',
};

/** PostgreSQL on two machines: one takes writes, the other has a copy of each commit before it is answered. */
export interface PostgresPair extends AsyncDisposable {
  /** With both hosts. */
  readonly url: string;
  readonly machines: readonly [Machine, Machine];
  /** Kills the one that takes writes, and starts it again. */
  restart(): Promise<void>;
  /** Kills the one that takes writes for good, and promotes the other; what was killed comes back as the new standby. */
  failOver(): Promise<void>;
}

interface Server {
  readonly machine: Machine;
  readonly data: string;
  running: RunningServer | undefined;
}

/** `folder` has room for both, and nothing in it. */
export async function openPostgresPair(folder: string, machines: readonly [Machine, Machine]): Promise<PostgresPair> {
  await using opened = new AsyncDisposableStack();
  const account = await accountFor(join(folder, 'data'));
  const programs = await programsFor(account, folder);
  const postgres = join(dirname(programs.pg_ctl), 'postgres');
  const serverOn = (machine: Machine): Server => ({ machine, data: join(folder, machine.name), running: undefined });
  const [one, two] = [serverOn(machines[0]), serverOn(machines[1])];
  const start = async (server: Server) => {
    const options = { ...parameters, port, listen_addresses: server.machine.host };
    const args = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const [command = postgres, ...rest] = [...asAccount(account), postgres, '-D', server.data, ...args];
    server.running = await startServerProcess(async () => ({ command, args: rest }), undefined, {
      startMs: 60_000,
      port,
      place: server.machine,
    });
    await untilItAnswers(urlOf(server));
  };
  const kill = async (server: Server) => server.running?.kill();
  opened.defer(async () => void (await Promise.all([kill(one), kill(two)])));

  async function follow(standby: Server, primary: Server): Promise<void> {
    await copy(primary, standby);
    const link = `host=${primary.machine.host} port=${port} user=${role} application_name=standby`;
    await writeAs(account, join(standby.data, 'postgresql.auto.conf'), `primary_conninfo = '${link}'\n`);
    await writeAs(account, join(standby.data, 'standby.signal'), '');
    await start(standby);
    await administer(urlOf(primary), `ALTER SYSTEM SET synchronous_standby_names = '*'`, 'SELECT pg_reload_conf()');
  }

  /** A base backup by the functions that pg_basebackup asks too, which npm's PostgreSQL lacks. */
  async function copy(from: Server, to: Server): Promise<void> {
    await rm(to.data, { recursive: true, force: true });
    await connected(urlOf(from), async (client) => {
      await client.query(`SELECT pg_backup_start('standby', true)`);
      // Files that go meanwhile are not missed: the log that the standby is sent makes up for them.
      await run('cp', ['-a', from.data, to.data]).catch(() => undefined);
      const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
      await writeAs(account, join(to.data, 'backup_label'), rows[0]?.labelfile ?? '');
    });
    await rm(join(to.data, 'postmaster.pid'), { force: true });
  }

  await makeData(one.data, programs.initdb, account);
  await start(one);
  await follow(two, one);
  let [primary, standby] = [one, two];
  const closing = opened.move();
  return {
    url: `postgres://${role}@${one.machine.host}:${port},${two.machine.host}:${port}/postgres?target_session_attrs=read-write`,
    machines,
    restart: async () => {
      await kill(primary);
      await start(primary);
    },
    failOver: async () => {
      await kill(primary);
      await administer(urlOf(standby), 'SELECT pg_promote()');
      [primary, standby] = [standby, primary];
      await follow(standby, primary);
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

const urlOf = ({ machine }: Server) => `postgres://${role}@${machine.host}:${port}/postgres`;

const asAccount = (account: Account | undefined) =>
  account === undefined ? [] : ['setpriv', `--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];

async function writeAs(account: Account | undefined, file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: 0o600 });
  if (account !== undefined) await chown(file, account.uid, account.gid);
}

async function makeData(data: string, initdb: string, account: Account | undefined): Promise<void> {
  await mkdir(data, { mode: 0o700 });
  if (account !== undefined) await chown(data, account.uid, account.gid);
  await run(initdb, [`--pgdata=${data}`, `--username=${role}`, '--auth=trust', '--encoding=UTF8', '--no-sync'], {
    ...account,
    cwd: '/',
    env: { LC_ALL: 'C' },
  });
  await writeAs(account, join(data, 'pg_hba.conf'), clientAuthentication);
}

/** It takes connections before it takes questions. */
async function untilItAnswers(url: string): Promise<void> {
  for (let left = 600; ; left -= 1) {
    const answer = await administer(url, 'SELECT 1').then(
      () => undefined,
      (error: Error) => error,
    );
    if (answer === undefined) return;
    if (left === 0) throw answer;
    await sleep(100);
  }
}
