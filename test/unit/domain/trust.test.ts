import { describe, expect, test } from 'vitest';
import { type TrustedRun, trustOf } from '../../../src/domain/trust.ts';

const run = (night: string, rest: Partial<TrustedRun> = {}): TrustedRun => ({
  night,
  foldersPassedOver: 3,
  unreliable: [],
  ...rest,
});
const full = { foldersPassedOver: 0 };
const wrong = { unreliable: ['files'] };
const tonight = { night: '2026-03-30', nights: 7 };

describe('every folder is listed', () => {
  test.each<[string, TrustedRun[], boolean]>([
    ['in the first night', [], true],
    ['where no run is on record that listed all of them', [run('2026-03-29'), run('2026-03-28')], true],
    ['where older runs did not count', [run('2026-03-29', { foldersPassedOver: undefined })], true],
    ['in the seventh night after, also over a change of the clocks', [run('2026-03-23', full)], true],
    ['not in the sixth', [run('2026-03-24', full)], false],
    ['not in a second run of the same night', [run('2026-03-30', full)], false],
    ['where many nights were missed', [run('2026-01-01', full)], true],
  ])('%s', (_, runs, expected) => {
    expect(trustOf(runs, tonight).listAll).toBe(expected);
  });

  test('each night where that is wanted', () => {
    expect(trustOf([run('2026-03-29', full)], { ...tonight, nights: 1 }).listAll).toBe(true);
  });
});

describe('everything of a source is read', () => {
  const clean = Array.from({ length: 6 }, () => run('2026-03-29', full));
  test.each<[string, TrustedRun[], string[]]>([
    ['where nothing is on record: not', [], []],
    ['while fewer than seven runs in a row found nothing', [...clean, run('2026-03-01', wrong)], ['files']],
    ['not after seven', [...clean, run('2026-03-02'), run('2026-03-01', wrong)], []],
    ['by the last one that found something', [run('2026-03-29', wrong), ...clean], ['files']],
    ['each by itself', [run('2026-03-29', { unreliable: ['mail'] }), run('2026-03-28', wrong)], ['mail', 'files']],
  ])('%s', (_, runs, expected) => {
    expect(trustOf(runs, tonight).readAll).toEqual(expected);
  });
});
