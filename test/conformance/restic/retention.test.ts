import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyRule, type KeepReason } from '../../../src/domain/retention/apply-rule.ts';
import { countWords, type RetentionRule, type Span, spanText } from '../../../src/domain/retention/rule.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import type { Repository } from '../../../src/store/repository/repository.ts';
import { newRepository, writeSnapshot } from '../../support/fixtures/repository.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { restic, resticProgram } from '../../support/servers/restic.ts';

const now = new Date();
const password = 'pw';

const offsets = ['Z', '+01:00', '-03:30', '+05:45', '+14:00', '-11:00'];
const tagLists = [[], ['night'], ['pinned'], ['night', 'pinned']];

/** Seldom at the same moment, often on the same days, some in the future, around new years and leap days. */
const someTime = fc
  .record({
    minute: fc.oneof(fc.integer({ min: -3 * 525_960, max: 20_000 }), fc.integer({ min: -20_000, max: 20_000 })),
    nanosecond: fc.integer({ min: 0, max: 999_999_999 }),
    offset: fc.constantFrom(...offsets),
  })
  .map(({ minute, nanosecond, offset }) => {
    const local = new Date(now.getTime() + minute * 60_000).toISOString().slice(0, 19);
    const fraction = String(nanosecond).padStart(9, '0').replace(/0+$/, '');
    return `${local}${fraction === '' ? '' : `.${fraction}`}${offset}`;
  });

const someSnapshots = fc.uniqueArray(fc.record({ time: someTime, tags: fc.constantFrom(...tagLists) }), {
  minLength: 1,
  maxLength: 60,
  selector: ({ time }) => time,
});

const someCounts = fc.dictionary(
  fc.constantFrom(...countWords),
  fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(400)),
  { maxKeys: 3 },
);
const someSpan = fc.record<Span>({
  years: fc.integer({ min: 0, max: 2 }),
  months: fc.integer({ min: 0, max: 14 }),
  days: fc.integer({ min: 0, max: 40 }),
  hours: fc.integer({ min: 0, max: 50 }),
});
const someRule: fc.Arbitrary<RetentionRule> = fc
  .record({
    counts: someCounts,
    within: fc.option(someSpan.filter((span) => spanText(span) !== '')),
    tags: fc.option(fc.constant(['pinned'])),
  })
  .map(({ counts, within, tags }) => ({ ...counts, ...(within && { within }), ...(tags && { tags }) }));

/** The rule as arguments of `restic forget`. */
function argumentsOf(rule: RetentionRule): string[] {
  const counts = countWords.flatMap((word) => ((rule[word] ?? 0) > 0 ? [`--keep-${word}`, String(rule[word])] : []));
  const within = rule.within === undefined ? [] : ['--keep-within', spanText(rule.within)];
  return [...counts, ...within, ...(rule.tags ?? []).flatMap((tag) => ['--keep-tag', tag])];
}

describe.skipIf(resticProgram === undefined)('a retention rule', () => {
  let top: TemporaryFolder;
  let repository: Repository;
  beforeAll(async () => {
    top = await temporaryFolder('retention');
    repository = await newRepository(openLocalBackend(top.path), password);
  });
  afterAll(() => top[Symbol.asyncDispose]());

  test('keeps what stock forget keeps with the same numbers', async () => {
    const { tree, id: first } = await writeSnapshot(repository, { note: Buffer.from('kept') });
    await repository.forgetSnapshot(first);
    const stock = { repository: top.path, password };
    const keepsOldest = /restic 0\.(1[7-9]|[2-9]\d)|restic [1-9]/.test(await restic(stock, 'version'));
    const isKnown = (reason: KeepReason) => reason !== 'oldest' || keepsOldest;
    await fc.assert(
      fc.asyncProperty(someSnapshots, fc.array(someRule, { minLength: 4, maxLength: 4 }), async (made, rules) => {
        const saved = await Promise.all(
          made.map(async ({ time, tags }) => ({
            id: await repository.saveSnapshot({ time, tags, tree, paths: ['/files'], hostname: 'alice' }),
            time,
            tags,
          })),
        );
        await using forgotten = new AsyncDisposableStack();
        for (const { id } of saved) forgotten.defer(() => repository.forgetSnapshot(id));
        for (const rule of rules.filter((one) => argumentsOf(one).length > 0)) {
          const args = ['forget', '--dry-run', '--json', '--no-lock', ...argumentsOf(rule)];
          const [group] = JSON.parse((await restic(stock, ...args)).split('\n')[0] ?? '');
          const kept = ((group.keep ?? []) as { id: string }[]).map(({ id }) => id);
          const ours = applyRule(saved, rule, now).filter(({ reasons }) => reasons.some(isKnown));
          expect(ours.map(({ item }) => item.id).sort(), JSON.stringify(rule)).toEqual(kept.sort());
        }
      }),
      { numRuns: 25 },
    );
  });
});
