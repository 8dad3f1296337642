import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { damageKnownSince, damageStateOf, isAlarming, mostMarks } from '../../../src/domain/damage.ts';
import { cursorAfter, endOf, packsIn, places, type ReadSoFar, shareDue } from '../../../src/domain/verification.ts';
import { dayMs } from '../../../src/durations.ts';

const start = Date.parse('2026-03-01T02:00:00Z');
const idOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** Numbers from 0 to 1 that look random and are the same every time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

describe('the packs that are due', () => {
  test.each([1, 2, 3, 7, 30, 365])('are all that stayed after %i verifications, whatever comes and goes', (days) => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = numbers(seed * days);
      const stayed = Array.from({ length: 40 }, (_, n) => idOf(`stayed ${seed} ${n}`));
      const atEdges = ['0000000', 'fffffff'].map((edge) => edge.padEnd(64, seed % 2 === 0 ? '0' : 'f'));
      const read = new Set<string>();
      let so: ReadSoFar = { cursor: Math.floor(random() * places), readAt: new Date(start) };
      for (let night = 1; night <= days; night++) {
        const passing = Array.from({ length: 10 }, () => idOf(String(random())));
        // A night is never exactly a day after the one before.
        const now = new Date(start + (night - random() / 2) * dayMs);
        const share = shareDue(so, days, now);
        for (const id of packsIn([...passing, ...stayed, ...atEdges], share)) read.add(id);
        so = { cursor: endOf(share), readAt: now };
      }
      expect([...stayed, ...atEdges].filter((id) => !read.has(id))).toEqual([]);
    }
  });

  test('are a like part each night: no more than twice the share of many', () => {
    const ids = Array.from({ length: 3_000 }, (_, n) => idOf(`${n}`));
    let so: ReadSoFar = { cursor: 0, readAt: null };
    for (let night = 0; night < 30; night++) {
      const now = new Date(start + night * dayMs);
      const share = shareDue(so, 30, now);
      expect(packsIn(ids, share).length).toBeGreaterThan(50);
      expect(packsIn(ids, share).length).toBeLessThan(200);
      so = { cursor: endOf(share), readAt: now };
    }
  });

  test('are more after nights without a verification, and all of them once that was too long', () => {
    const shareAfter = (nights: number) =>
      shareDue({ cursor: 5, readAt: new Date(start) }, 30, new Date(start + nights * dayMs));
    expect(shareAfter(3).length).toBeGreaterThanOrEqual(3 * (places / 30));
    expect(shareAfter(3).length).toBeLessThan(3 * (places / 30) + 2);
    expect(shareAfter(0.5).length).toBe(Math.ceil(places / 30));
    expect(shareAfter(400)).toEqual({ from: 5, length: places });
  });

  test('go on after the pack that was read last, the first ones after the last', () => {
    const ids = ['f', '1', '8', '0', 'e'].map((digit) => digit.repeat(64));
    const [first = ''] = packsIn(ids, { from: 0xe000000, length: places });
    expect(first).toBe('e'.repeat(64));
    const rest = packsIn(ids, { from: cursorAfter(first), length: places });
    expect(rest.map((id) => id[0])).toEqual(['f', '0', '1', '8', 'e']);
    expect(cursorAfter('f'.repeat(64))).toBe(0);
  });
});

describe('damage', () => {
  const foundAt = new Date(start);
  const file = { path: '/a', snapshots: ['1'] };
  const damage = { marks: ['data 1', 'data 2'], files: [file], snapshots: [], recoveryKey: false };
  const facts = { damage, foundAt, readAgainAt: null, accepted: new Set<string>() };
  const later = new Date(start + 1);

  test('is healed by the next night, until a complete one has shown that the source does not have it', () => {
    expect(damageStateOf(facts)).toBe('healing');
    expect(damageStateOf({ ...facts, readAgainAt: foundAt })).toBe('healing');
    expect(damageStateOf({ ...facts, readAgainAt: later })).toBe('lost');
    expect(damageStateOf({ ...facts, readAgainAt: later, damage: { ...damage, files: [], snapshots: ['1'] } })).toBe(
      'lost',
    );
  });

  test('is no alarm once somebody has looked at all of it, and is again where there is more', () => {
    const accepted = new Set(damage.marks);
    expect(damageStateOf({ ...facts, readAgainAt: later, accepted })).toBe('accepted');
    expect(damageStateOf({ ...facts, accepted: new Set(['data 1']) })).toBe('healing');
    const tooMuch = { ...damage, marks: Array.from({ length: mostMarks }, () => 'data 1') };
    expect(damageStateOf({ ...facts, readAgainAt: later, accepted, damage: tooMuch })).toBe('lost');
  });

  test('that lost nothing is for the person where it is their key, else for the operator', () => {
    const nothingLost = { ...damage, files: [] };
    expect(damageStateOf({ ...facts, readAgainAt: later, damage: nothingLost })).toBe('mending');
    expect(damageStateOf({ ...facts, damage: { ...nothingLost, recoveryKey: true } })).toBe('key');
  });

  test('is for the person to look at where whole snapshots are gone, and none at all where no snapshot needs it', () => {
    const nothingLost = { ...damage, files: [] };
    const removed = { ...nothingLost, removed: ['1'], recoveryKey: true };
    expect(damageStateOf({ ...facts, readAgainAt: later, damage: removed })).toBe('removed');
    expect(damageStateOf({ ...facts, damage: { ...nothingLost, isSuperseded: true } })).toBe('superseded');
    expect(damageStateOf({ ...facts, damage: { ...damage, isSuperseded: true } })).toBe('healing');
    const states = ['healing', 'lost', 'removed', 'key', 'mending', 'superseded', 'accepted', null] as const;
    expect(states.filter(isAlarming)).toEqual(['healing', 'lost', 'removed', 'key', 'mending']);
  });

  test('is known since it was found, and anew where something else is damaged', () => {
    const before = { marks: ['data 1', 'data 2', 'data 3'], foundAt };
    expect(damageKnownSince(damage, before, later)).toBe(foundAt);
    expect(damageKnownSince({ marks: ['data 1', 'pack 4'] }, before, later)).toBe(later);
    expect(damageKnownSince(damage, null, later)).toBe(later);
  });
});
