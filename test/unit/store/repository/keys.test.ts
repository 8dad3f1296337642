import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/clock.ts';
import { AppError } from '../../../../src/errors.ts';
import type { Backend } from '../../../../src/store/backend/backend.ts';
import { checkKeys } from '../../../../src/store/repository/check-keys.ts';
import { openRepository } from '../../../../src/store/repository/repository.ts';
import { type MemoryBackend, openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { cheapScrypt, newRepository } from '../../../support/fixtures/repository.ts';

async function withTwoKeys() {
  const backend = openMemoryBackend();
  const repository = await newRepository(backend);
  const other = await repository.addKey('of the person', { clock: systemClock(), scrypt: cheapScrypt });
  return { backend, own: repository.keyId, other };
}

function hurt(backend: MemoryBackend, path: string, change: (bytes: Buffer) => Buffer): void {
  const file = backend.files.get(path);
  if (file === undefined) throw new Error(`There is no ${path}.`);
  backend.files.set(path, { ...file, bytes: change(Buffer.from(file.bytes)) });
}

const flipAt = (at: number) => (bytes: Buffer) => {
  bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 1;
  return bytes;
};

const wounds: [string, (bytes: Buffer) => Buffer][] = [
  ['cut', (bytes) => bytes.subarray(0, bytes.length / 2)],
  ['empty', () => Buffer.of()],
  ['zeroed', (bytes) => bytes.fill(0)],
  ['no JSON', () => Buffer.from('<html>')],
  ['another JSON', () => Buffer.from('[1]')],
  ['with a longer end', (bytes) => Buffer.concat([bytes, Buffer.from('}')])],
];

describe('a key file', () => {
  test.each(wounds)('that is %s hides no other, whichever comes first', async (_, change) => {
    for (const password of ['pw', 'of the person']) {
      const { backend, own, other } = await withTwoKeys();
      hurt(backend, `keys/${password === 'pw' ? other : own}`, change);
      for (const keyHint of [own, other])
        expect((await openRepository(backend, password, { keyHint })).keyId).toBe(password === 'pw' ? own : other);
    }
  });

  test('that the store does not give hides no other, whichever comes first, and is named where no other opens', async () => {
    const { backend, own, other } = await withTwoKeys();
    const without = (name: string): Backend => ({
      ...backend,
      load: async (type, one, ...rest) => {
        if (one !== name) return backend.load(type, one, ...rest);
        const message = `The file keys/${name} of the store may not be used by this user.`;
        throw new AppError('store/unavailable', message, { detail: { file: `keys/${name}` } });
      },
    });
    for (const keyHint of [own, other]) {
      expect((await openRepository(without(other), 'pw', { keyHint })).keyId).toBe(own);
      await expect(openRepository(without(own), 'pw', { keyHint })).rejects.toMatchObject({
        code: 'store/unavailable',
        message: expect.stringContaining(own),
      });
    }
    expect(await checkKeys(without(other), [own])).toMatchObject([{ severity: 'hint', keyId: other }]);
  });

  test.each(wounds)('that is %s is named where no other opens, with the cure', async (_, change) => {
    const { backend, own } = await withTwoKeys();
    hurt(backend, `keys/${own}`, change);
    await expect(openRepository(backend, 'pw')).rejects.toMatchObject({
      code: 'repository/damaged',
      message: expect.stringMatching(new RegExp(`keys/${own} is not what the name says.*from a copy of the store`)),
    });
  });

  test('with any bit flipped either opens all the same or is named', async () => {
    const { backend, own } = await withTwoKeys();
    const whole = Buffer.from(backend.files.get(`keys/${own}`)?.bytes ?? []);
    let opened = 0;
    for (let at = 0; at < whole.length; at += 3) {
      hurt(backend, `keys/${own}`, () => flipAt(at)(Buffer.from(whole)));
      const result = await openRepository(backend, 'pw').then(
        () => 'opened',
        (error: Error) => error,
      );
      if (result === 'opened') opened += 1;
      else expect(result).toMatchObject({ code: 'repository/damaged', message: expect.stringContaining(own) });
    }
    expect(opened).toBeGreaterThan(0);
  });

  test.each([
    ['no JSON', 'x'],
    ['a list', '[]'],
    ['another function', { kdf: 'argon2' }],
    ['more memory than any program takes', { N: 2 ** 19 }],
    ['work for an hour', { p: 2 ** 19 }],
  ])('that somebody put there under its right name hides no other: %s', async (_, change) => {
    const { backend, own } = await withTwoKeys();
    const whole = backend.files.get(`keys/${own}`)?.bytes ?? Buffer.of();
    for (let left = 3, salt = 0; left > 0; salt++) {
      const text = typeof change === 'string' ? change : JSON.stringify({ ...JSON.parse(whole.toString()), ...change });
      const bytes = Buffer.from(text + ' '.repeat(salt));
      const name = createHash('sha256').update(bytes).digest('hex');
      if (name > own) continue;
      backend.files.set(`keys/${name}`, { type: 'key', name, bytes });
      left -= 1;
    }
    expect((await openRepository(backend, 'pw')).keyId).toBe(own);
    await expect(openRepository(backend, 'wrong')).rejects.toMatchObject({
      code: 'repository/wrong-password',
      message: expect.stringContaining(
        'its 2 key files are intact, but for other passwords, and 3 key files are not ones that any program makes.',
      ),
    });
  });

  test('that is one of very many is tried as long as that is no more than half a minute of work', async () => {
    const { backend, own, other } = await withTwoKeys();
    const whole = backend.files.get(`keys/${own}`)?.bytes ?? Buffer.of();
    for (let salt = 1; salt <= 300; salt++) {
      const bytes = Buffer.concat([whole, Buffer.alloc(salt, ' ')]);
      const name = createHash('sha256').update(bytes).digest('hex');
      backend.files.set(`keys/${name}`, { type: 'key', name, bytes });
    }
    await expect(openRepository(backend, 'wrong')).rejects.toMatchObject({
      message: expect.stringContaining(
        'its 256 key files are intact, but for other passwords, and 46 key files were not tried',
      ),
    });
    expect((await openRepository(backend, 'of the person', { keyHint: other })).keyId).toBe(other);
  });

  test('that is gone already is no trouble to remove', async () => {
    const { backend, other } = await withTwoKeys();
    const repository = await openRepository(backend, 'pw');
    backend.files.delete(`keys/${other}`);
    await repository.removeKey(other);
  });

  test.each(['removed', 'given another password'])('that was %s is told from one that is damaged', async (how) => {
    const { backend, own } = await withTwoKeys();
    const repository = await openRepository(backend, 'of the person');
    if (how !== 'removed') await repository.addKey('another', { clock: systemClock(), scrypt: cheapScrypt });
    await repository.removeKey(own);
    await expect(openRepository(backend, 'pw')).rejects.toMatchObject({
      code: 'repository/wrong-password',
      message: expect.stringMatching(
        /(1 key file is intact, but for another password|2 key files are intact, but for other passwords)\..*restic key/,
      ),
    });
    for (const path of backend.files.keys()) if (path.startsWith('keys/')) backend.files.delete(path);
    await expect(openRepository(backend, 'pw')).rejects.toMatchObject({
      code: 'repository/wrong-password',
      message: expect.stringContaining('no key file at all'),
    });
  });
});

test.each(wounds)('a config that is %s is named, with the cure, once a key has opened', async (_, change) => {
  const { backend } = await withTwoKeys();
  hurt(backend, 'config', change);
  const message = expect.stringMatching(/The file config .* is damaged.*from a copy of the store/);
  await expect(openRepository(backend, 'pw')).rejects.toMatchObject({ code: 'repository/damaged', message });
  await expect(openRepository(backend, 'wrong')).rejects.toMatchObject({ code: 'repository/wrong-password' });
});

test('a config with any bit flipped is named', async () => {
  const { backend } = await withTwoKeys();
  const whole = Buffer.from(backend.files.get('config')?.bytes ?? []);
  for (let at = 0; at < whole.length; at += 7) {
    hurt(backend, 'config', () => flipAt(at)(Buffer.from(whole)));
    await expect(openRepository(backend, 'pw')).rejects.toMatchObject({
      code: 'repository/damaged',
      message: expect.stringContaining('The file config'),
    });
  }
});
