import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readText } from '../../../src/config/environment.ts';

const folder = mkdtempSync(join(tmpdir(), 'nightkeep-environment-'));
afterAll(() => rmSync(folder, { recursive: true }));

const mark = '\ufeff';
const written = (name: string, bytes: string | Uint8Array) => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};

/** As `nightkeep settings --json` finds it in a folder with this `.env`. */
function issuerWith(dotEnv: string | Uint8Array) {
  written('.env', dotEnv);
  const { PATH } = process.env;
  const given = ['src/main.ts', 'settings', '--json'];
  const argv = [resolve(given[0] ?? ''), ...given.slice(1)];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
    cwd: folder,
    env: { PATH },
    encoding: 'utf8',
  });
  const rows: { name: string; value: string }[] = stdout === '' ? [] : JSON.parse(stdout);
  return { status, stderr, issuer: rows.find(({ name }) => name === 'OIDC_ISSUER')?.value };
}

describe('.env', () => {
  const line = 'OIDC_ISSUER=https://id.example/';
  test.each([
    ['as editors of other systems write it, with a mark in front', `${mark}${line}\n`],
    ['with their ends of lines', `${line}\r\nOIDC_CLIENT_ID=x\r\n`],
    ['with quotes and tabs', 'OIDC_ISSUER=\t"https://id.example/"\n'],
  ])('is read %s', (_, text) => expect(issuerWith(text).issuer).toBe('https://id.example/'));

  test.each([
    ['UTF-16', Buffer.from(`${mark}${line}`, 'utf16le')],
    ['Latin-1', Buffer.from(`${line}\nOIDC_CLIENT_SECRET=gr\u00fcn`, 'latin1')],
  ])('in %s is refused with the cure', (_, bytes) =>
    expect(issuerWith(bytes)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('.env is not UTF-8 text. Save it as UTF-8.'),
    }),
  );
});

test('a file that a setting names is read without such a mark, and refused in another encoding', () => {
  expect(readText('KEYRING_FILE', written('keyring', `${mark}k1:abc`))).toBe('k1:abc');
  expect(() => readText('KEYRING_FILE', written('latin', Buffer.from('gr\u00fcn', 'latin1')))).toThrow(
    expect.objectContaining({ code: 'config/invalid', message: expect.stringMatching(/latin is not UTF-8 text/) }),
  );
});
