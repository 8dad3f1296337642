import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { damageOf } from '../../../../src/flows/verification/damage-of.ts';
import { type KeyId, parseId } from '../../../../src/store/format/ids.ts';
import { openHistory } from '../../../../src/store/history/history.ts';
import { checkRepository } from '../../../../src/store/repository/check.ts';
import type { Finding, FindingKind } from '../../../../src/store/repository/finding.ts';
import { namedOfKind, openFindings } from '../../../../src/store/repository/findings.ts';
import { openRepository } from '../../../../src/store/repository/repository.ts';
import { type MemoryBackend, openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { newRepository, writeSnapshot } from '../../../support/fixtures/repository.ts';

const kinds = {
  'file-damaged': 'error',
  'pack-missing': 'error',
  'pack-size': 'error',
  'pack-damaged': 'error',
  'pack-mixed': 'hint',
  'blob-missing': 'error',
  'tree-damaged': 'error',
  'tree-not-canonical': 'hint',
  'snapshot-missing': 'error',
  'key-missing': 'error',
  'key-damaged': 'error',
} as const satisfies Record<FindingKind, Finding['severity']>;

const found = (kind: FindingKind, count: number) => {
  const findings = openFindings();
  const severity = kinds[kind];
  for (let number = 0; number < count; number++) findings.add({ kind, severity, message: `${number}` });
  return findings.all();
};

describe.each(Object.keys(kinds) as FindingKind[])('findings of the kind %s', (kind) => {
  test('are all named up to a thousand, and of one more it is said that there is one', () => {
    expect(found(kind, namedOfKind)).toHaveLength(1_000);
    const [first, ...rest] = found(kind, namedOfKind + 1);
    expect(first).toEqual({ kind, severity: kinds[kind], message: '0' });
    expect(rest).toHaveLength(1_000);
    expect(rest.at(-1)).toEqual({
      kind,
      severity: kinds[kind],
      more: 1,
      message: `And 1 finding more of this kind (${kind}).`,
    });
  });
});

test('the rest of a kind is an error where one of it is', () => {
  const findings = openFindings();
  for (let number = 0; number < 2_000; number++)
    findings.add({ kind: 'tree-damaged', severity: number === 1_500 ? 'error' : 'hint', message: `${number}` });
  expect(findings.all().at(-1)).toMatchObject({ more: 1_000, severity: 'error' });
});

test('packs that are not named are not taken for ones that no snapshot needs', () => {
  const left = found('pack-damaged', namedOfKind + 1);
  expect(damageOf(left, { recoveryKeyFile: null, mayDelete: false })?.isSuperseded).toBe(false);
  expect(damageOf(left.slice(0, -1), { recoveryKeyFile: null, mayDelete: false })?.isSuperseded).toBe(true);
});

/** A repository into which somebody put so many files that are none of that type, beside what belongs there. */
async function withJunk(type: 'snapshot' | 'index', count: number) {
  const backend = openMemoryBackend();
  await writeSnapshot(await newRepository(backend), { file: Buffer.from('content') });
  await putJunk(backend, type, count);
  return openRepository(backend, 'pw');
}

async function putJunk(backend: MemoryBackend, type: 'snapshot' | 'index' | 'key', count: number) {
  for (let number = 0; number < count; number++) {
    const name = createHash('sha256').update(`${number}`).digest('hex');
    await backend.save(type, name, Buffer.alloc(200, `junk ${number} `));
  }
}

describe('files that somebody put into a store', () => {
  test.each(['snapshot', 'index'] as const)(
    'are counted by a check, and the first thousand named: as an %s',
    async (type) => {
      const { findings, snapshots } = await checkRepository(await withJunk(type, 1_003));
      expect(findings).toHaveLength(1_001);
      expect(findings.at(-1)).toMatchObject({ kind: 'file-damaged', severity: 'error', more: 3 });
      expect(snapshots).toBe(1);
    },
  );

  test('are told of to whoever looks at snapshots a thousand times at most', async () => {
    const told: string[] = [];
    const history = openHistory(await withJunk('snapshot', 1_003), ({ message }) => told.push(message));
    await history.renew();
    expect(told).toHaveLength(1_000);
    expect(history.snapshots).toHaveLength(1);
  });

  test('are read by a check up to a thousand where they could be keys, and those that are known first', async () => {
    const backend = openMemoryBackend();
    const repository = await newRepository(backend);
    await putJunk(backend, 'key', 1_000);
    const all = (await checkRepository(repository, { keys: [] })).findings;
    expect(all).toHaveLength(1_000);
    const missing = parseId<KeyId>('ab'.repeat(32));
    for (const name of ['cd', 'ef']) await backend.save('key', name.repeat(32), Buffer.of());
    const more = (await checkRepository(repository, { keys: [missing] })).findings;
    expect(more[0]).toMatchObject({ kind: 'key-missing', keyId: missing });
    expect(more.slice(1, -1)).toEqual(all);
    expect(more.at(-1)).toMatchObject({ kind: 'key-damaged', more: 2 });
  });
});
