import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { openConsentFixture } from '../../support/harness/consent.ts';
import { signInAs } from '../../support/harness/guest.ts';
import { resticProgram } from '../../support/servers/restic.ts';

/** What somebody types into a shell in this folder, with the password that restic then asks for. */
async function type(command: string, { cwd, password }: { cwd: string; password: string }): Promise<string> {
  const child = spawn('bash', ['-e', '-c', command], { cwd, env: { PATH: process.env.PATH, HOME: cwd } });
  child.stdin.end(`${password}\n`);
  const [said, complaints] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (child.exitCode === 0) return said;
  throw new Error(`${command} ended with ${child.exitCode}: ${complaints}`);
}

test.skipIf(resticProgram === undefined)(
  'what the recovery sheet says brings everything back from a copy of the folder that it names, without Nightkeep',
  async () => {
    await using fixture = await openConsentFixture();
    await using elsewhere = await temporaryFolder('elsewhere');
    const guest = await signInAs(fixture, alice);
    await guest.consent();
    const plan = await fixture.resources.database.plan.findFirstOrThrow();
    await fixture.resources.database.run.updateMany({ data: { state: 'cancelled' } });
    await fixture.backUp(plan.id);
    const sheet = await (await guest.post('/recovery', {})).text();
    const [password = ''] = /[a-z2-9]{5}(-[a-z2-9]{5}){5}/.exec(sheet) ?? [];
    const [folder = ''] = await readdir(fixture.storeFolder);
    expect(sheet).toContain(`the folder ${folder}.`);
    await cp(join(fixture.storeFolder, folder), join(elsewhere.path, folder), { recursive: true });
    const [unix = '', windows = ''] = [...sheet.matchAll(/<pre[^>]*><code>([^<]*)<\/code>/g)].map(
      ([, code = '']) => code,
    );
    const lines = unix.split('\n');
    expect(lines).toHaveLength(2);
    expect(windows).toBe(unix.replaceAll('./', '.\\'));
    const [list = '', restore = ''] = lines;
    expect(await type(list, { cwd: elsewhere.path, password })).toContain('1 snapshots');
    await type(restore, { cwd: elsewhere.path, password });
    const files = join(elsewhere.path, 'restored', 'files');
    expect(await readFile(join(files, 'a.txt'), 'utf8')).toBe('one');
    expect(await readFile(join(files, 'sub', 'b.txt'), 'utf8')).toBe('two');
  },
);
