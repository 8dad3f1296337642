import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Environment } from '../../../src/config/environment.ts';
import { type DoctorFixtureWithDatabase, openDoctorFixtureWithDatabase, secret } from '../../support/harness/doctor.ts';

const run = promisify(execFile);

let fixture: DoctorFixtureWithDatabase;
beforeEach(async () => {
  fixture = await openDoctorFixtureWithDatabase();
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** The command in a process of its own, with nothing in its environment but the settings. */
async function nightkeep(args: readonly string[], changes: Environment = {}) {
  const env = { PATH: process.env.PATH, ...fixture.environment, ...changes };
  return run(process.execPath, ['src/main.ts', ...args], { env, timeout: 90_000 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
  );
}

test('reports a sound installation line by line, with exit code 0', async () => {
  await fixture.consent();
  const { code, stdout, stderr } = await nightkeep(['doctor']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  expect(lines.filter((line) => !/^(ok|warn|wrong|unknown) +\S/.test(line) && !/^ +→ /.test(line))).toEqual([]);
  expect(lines).toContainEqual(expect.stringMatching(/^ok {7}client {2,}The provider accepts nightkeep/));
  expect(lines).toContainEqual(expect.stringMatching(/^warn {5}rotation {2,}A token can be used once/));
  expect(stdout).not.toContain('\u001b');
  const coloured = await nightkeep(['doctor'], { FORCE_COLOR: '1' });
  expect(coloured.stdout).toMatch(/\u001b\[32mok {5}\u001b\[39m {2}client/);
});

test('what is wrong makes the exit code 1, and one JSON object tells it to programs', async () => {
  const wrong = { OIDC_CLIENT_SECRET: 'some other secret', PUBLIC_URL: 'http://nightkeep.example' };
  const { code, stdout } = await nightkeep(['doctor', '--json'], wrong);
  expect(code).toBe(1);
  const report = JSON.parse(stdout);
  expect(Object.keys(report)).toEqual(['ok', 'checks']);
  expect(report.ok).toBe(false);
  const bad = report.checks.filter(({ state }: { state: string }) => state === 'wrong');
  expect(bad.map(({ name }: { name: string }) => name)).toEqual(['public address', 'client']);
  for (const check of report.checks) {
    expect(check).toEqual({
      name: expect.any(String),
      state: expect.any(String),
      finding: expect.any(String),
      ...(check.cure && { cure: expect.any(String) }),
    });
    if (check.state === 'warn' || check.state === 'wrong') expect(check.cure).toBeTruthy();
  }
});

test('every line is explained in docs/doctor.md', async () => {
  const { stdout } = await nightkeep(['doctor', '--json']);
  const page = await readFile('docs/doctor.md', 'utf8');
  for (const { name } of JSON.parse(stdout).checks) expect(page).toContain(`\`${name}\``);
});

test('shows no secret, whatever is wrong', async () => {
  await fixture.consent();
  const { stdout, stderr } = await nightkeep(['doctor', '--json'], {
    OIDC_SCOPES: 'strange',
    REDIS_URL: 'redis://:a-password@127.0.0.1:1',
  });
  const keyring = fixture.environment.KEYRING ?? '';
  const secrets = [secret, 'a-password', keyring.slice(keyring.indexOf(':') + 1), ...fixture.provider.log.secrets()];
  for (const each of secrets) expect(stdout + stderr).not.toContain(each);
});

test.each([['--jsn'], ['now']])('a command line that is wrong is refused with 2: %s', async (word) => {
  const { code, stdout, stderr } = await nightkeep(['doctor', word]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('Usage: nightkeep doctor [--json]');
});
