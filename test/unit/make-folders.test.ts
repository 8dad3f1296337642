import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { makeFolders } from '../../src/make-folders.ts';

const folder = mkdtempSync(join(tmpdir(), 'nightkeep-folders-'));
const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('makeFolders', () => {
  it('makes what is missing, with the mode that is asked for, and answers the first folder that it made', () => {
    const deepest = join(folder, 'one', 'two', 'three');
    expect(makeFolders(deepest, 0o700)).toBe(join(folder, 'one'));
    expect(statSync(deepest).mode & 0o777).toBe(0o700);
    expect(makeFolders(deepest, 0o700)).toBeUndefined();
  });

  it('makes none that others may write to, whatever the umask', () => {
    const made = join(folder, 'open', 'to', 'all');
    const module = new URL('../../src/make-folders.ts', import.meta.url).href;
    const script = `process.umask(0); (await import(${JSON.stringify(module)})).makeFolders(${JSON.stringify(made)})`;
    expect(spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).stderr).toBe('');
    expect(statSync(made).mode & 0o777).toBe(0o755);
    expect(statSync(join(folder, 'open')).mode & 0o777).toBe(0o755);
  });

  it('throws what the system says where a file or a link to nothing is in the way', () => {
    writeFileSync(join(folder, 'file'), '');
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
    expect(() => makeFolders(join(folder, 'file'))).toThrow('EEXIST');
    expect(() => makeFolders(join(folder, 'file', 'below'))).toThrow('ENOTDIR');
    expect(() => makeFolders(join(folder, 'link'))).toThrow('EEXIST');
  });

  // In a process of its own, with a limit: what never ends would hold up the test as well.
  it.skipIf(!existsSync('/proc/self'))(
    'ends a start whose DATA_DIR cannot be made, as in /proc',
    () => {
      const settings = { OIDC_ISSUER: 'https://id.example', OIDC_CLIENT_ID: 'nightkeep', OIDC_CLIENT_SECRET: 'secret' };
      const { status, stderr } = spawnSync(process.execPath, [program, 'users'], {
        env: { ...settings, FILES_URL: 'https://files.example/{sub}/', DATA_DIR: '/proc/nightkeep/data' },
        encoding: 'utf8',
        timeout: 20_000,
        killSignal: 'SIGKILL',
      });
      expect(stderr).toContain('/proc/nightkeep/data: ENOENT. Make DATA_DIR a folder that this user may write to.');
      expect(status).toBe(2);
    },
    30_000,
  );
});
