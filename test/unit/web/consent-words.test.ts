import { describe, expect, it } from 'vitest';
import { endWarning, explanation, troubleNotice } from '../../../src/web/pages/consent-words.ts';
import { texts } from '../../../src/web/texts.ts';

const day = 86_400_000;
const now = new Date('2026-05-04T12:00:00Z');
const t = texts.consentEnds;

const read = async (html: ReturnType<typeof explanation>) =>
  String(await html)
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

describe('a consent that is not well', () => {
  it.each(Object.entries(t.reasons))('is explained: %s', async (reason, { happened, act }) => {
    for (const state of ['needs_consent', 'withdrawn'])
      expect(await read(explanation({ state, reason }))).toBe(`<p>${happened}</p><p>${act}</p>`);
  });

  it('that is only suspected asks nothing of the person yet', async () => {
    expect(await read(explanation({ state: 'suspect', reason: 'ended_at_provider' }))).toContain(t.suspect);
    const mendedElsewhere = await read(explanation({ state: 'suspect', reason: 'account_disabled' }));
    expect(mendedElsewhere).toContain(t.reasons.account_disabled?.act);
  });

  it('for a reason that has no words of its own is told as ended', async () => {
    const told = { state: 'needs_consent', reason: 'of a later version' };
    expect(await read(explanation(told))).toContain(t.unknown.happened);
  });

  it('because the provider is in trouble says that the operator was told', async () => {
    expect(await read(troubleNotice({ troubled: true }))).toContain(t.troubled);
    expect(await read(troubleNotice({}))).toBe('');
  });

  it('is not explained where it is well', async () => {
    expect(await read(explanation({ state: 'active', reason: null }))).toBe('');
  });
});

describe('the end that no exchange puts off', () => {
  it.each([
    ['active', 15 * day, undefined],
    ['active', 14 * day, 'Your consent ends in 14 days'],
    ['suspect', 7 * day - 1, 'Your consent ends in 7 days'],
    ['active', day / 2, 'Your consent ends within a day'],
    ['active', -1, undefined],
    ['withdrawn', day, undefined],
  ])('of a consent that is %s, in %d ms: %s', async (state, left, words) => {
    const told = await read(endWarning({ state, maxDeadline: new Date(now.getTime() + left) }, now, 'UTC'));
    expect(told.includes('Your consent ends')).toBe(words !== undefined);
    if (words !== undefined) expect(told).toContain(words);
  });
});
