import { describe, expect, test } from 'vitest';
import { chooseGeneration, type Link } from '../../../src/domain/generation.ts';

const link = (number: number, over: Partial<Link> = {}): Link => ({
  ...{ number, parent: number - 1, fence: number, issuedAt: null },
  ...over,
});
const issued = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const chosen = (current: Link, ...pending: Link[]) => chooseGeneration(current, pending).number;

describe('what is sent next', () => {
  test('is a token that was received for the current one, and else the current one', () => {
    expect(chosen(link(3), link(4))).toBe(4);
    expect(chosen(link(3))).toBe(3);
    expect(chosen(link(3), link(5, { parent: 4 }))).toBe(3);
  });

  test('is, of two for the same one, that which was issued last, whichever fence it came under', () => {
    const [early, late] = [
      { parent: 3, issuedAt: issued(1) },
      { parent: 3, issuedAt: issued(2) },
    ];
    expect(chosen(link(3), link(4, { ...late, fence: 8 }), link(5, { ...early, fence: 9 }))).toBe(4);
    expect(chosen(link(3), link(4, { ...early, fence: 9 }), link(5, { ...late, fence: 8 }))).toBe(5);
  });

  test('is, where they were issued in the same second or do not say when, that of the higher fence', () => {
    const same = { parent: 3, issuedAt: issued(1) };
    expect(chosen(link(3), link(4, { ...same, fence: 9 }), link(5, { ...same, fence: 8 }))).toBe(4);
    expect(chosen(link(3), link(4, { ...same, fence: 8 }), link(5, { ...same, fence: 9 }))).toBe(5);
    expect(chosen(link(3), link(4, { parent: 3, fence: 9 }), link(5, { ...same, fence: 8 }))).toBe(4);
  });

  test('is one that came for the same token as the current one only if it was issued after it', () => {
    expect(chosen(link(4, { issuedAt: issued(1) }), link(5, { parent: 3, issuedAt: issued(2) }))).toBe(5);
    expect(chosen(link(4, { issuedAt: issued(2) }), link(5, { parent: 3, issuedAt: issued(1) }))).toBe(4);
    const first = { parent: null };
    expect(chosen(link(4, first), link(5, { ...first, fence: 9 }))).toBe(4);
  });
});
