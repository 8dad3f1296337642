import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { between, exampleOf, readmeOf } from '../../../scripts/settings/written.ts';
import { readConfig, surveySettings } from '../../../src/config/config.ts';
import { names } from '../../../src/config/settings.ts';

test('README has a line for each setting', () => {
  const told = [...readmeOf().matchAll(/^\| `(\w+)` \| [^|]+ \| [^|]+ \|$/gm)].map(([, name]) => name);
  expect(told).toEqual(names);
});

test('.env.example can be read as it is, but for the keyring that a start would make', () => {
  const { faults, settings } = surveySettings({ ...parseEnv(exampleOf()), DATA_DIR: '/nowhere' });
  expect([...faults.values()]).toEqual([]);
  expect(settings.provider.clientId).toBe('nightkeep');
});

test('every line of .env.example that is taken in can be read, too', () => {
  const all = exampleOf().replaceAll(/^# (?=[A-Z_]+=)/gm, '');
  expect(readConfig(parseEnv(all))).toMatchObject({ redisUrl: 'redis://127.0.0.1:6379', port: 3000 });
});

test('text goes between its marks, and where they are missing nothing is written', () => {
  const marks = ['<begin>', '<end>'] as const;
  expect(between('a\n<begin>\nold\n<end>\nb', marks, 'new')).toBe('a\n<begin>\nnew\n<end>\nb');
  expect(between('a\n<begin>\n<end>\nb', marks, 'new')).toBe('a\n<begin>\nnew\n<end>\nb');
  for (const document of ['a', '<begin>\na', 'a<end>', '<begin>\n<end><begin>\n<end>'])
    expect(() => between(document, marks, 'new')).toThrow('must stand once');
});
