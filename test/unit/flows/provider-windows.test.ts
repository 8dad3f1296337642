import { describe, expect, test } from 'vitest';
import { type ProfileName, profiles } from '../../../src/domain/providers/profiles.ts';
import { dayMs, minuteMs } from '../../../src/durations.ts';
import { deadlinesOfConsent, deadlinesOfExchange, windowsOf } from '../../../src/flows/custody/offline-token.ts';

const start = Date.parse('2026-06-01T20:00:00Z');
const at = (ms: number) => new Date(start + ms);
const config = { offlineIdleMs: 30 * dayMs };

describe('a consent given in the evening', () => {
  const given = (name: ProfileName, life = {}, settings: { offlineIdleMs: number; offlineMaxMs?: number } = config) =>
    deadlinesOfConsent(windowsOf(settings, profiles[name]), life, at(0));

  test.each([
    ['authelia', 22.5 * minuteMs],
    ['okta-custom', 1.75 * dayMs],
    ['keycloak', 7.5 * dayMs],
    ['entra', 7.5 * dayMs],
    ['generic', 7.5 * dayMs],
  ] as const)('at %s is exchanged within a quarter of the shorter window, before its night', (name, ms) => {
    expect(given(name).nextExchangeAt).toEqual(at(ms));
  });

  test('is exchanged as often as the answer wants where it says less', () => {
    const { nextExchangeAt } = given('entra', { issuedAt: at(0), endsAt: at(dayMs) });
    expect(nextExchangeAt).toEqual(at(dayMs / 4));
  });

  test('ends when the make ends it, unless a setting says when', () => {
    expect(given('okta-org').maxDeadline).toEqual(at(90 * dayMs));
    expect(given('oidc-provider').maxDeadline).toEqual(at(14 * dayMs));
    expect(given('zitadel', {}, { ...config, offlineMaxMs: 200 * dayMs }).maxDeadline).toEqual(at(200 * dayMs));
    expect(given('google').maxDeadline).toBeNull();
  });
});

describe('an answer without a refresh token', () => {
  const grant = {
    consentedAt: at(0),
    idleSeconds: null,
    maxDeadline: null,
    idleDeadline: at(30 * dayMs),
  };
  const exchanged = (name: ProfileName, sentEnds: Date | null, answer: { endsAt?: Date } = {}) =>
    deadlinesOfExchange(
      { config, profile: profiles[name] },
      // The lease has more, of which no deadline depends.
      { grant, token: { issuedAt: at(0), endsAt: sentEnds, receivedAt: at(0) } } as unknown as Parameters<
        typeof deadlinesOfExchange
      >[1],
      answer,
      at(10 * dayMs),
    );

  test('starts the idle window of the old token again', () => {
    expect(exchanged('google', null).idleDeadline).toEqual(at(40 * dayMs));
    expect(exchanged('generic', null).idleDeadline).toEqual(at(40 * dayMs));
  });

  test('leaves its end where only a new token moves it, and calls that no maximum of the grant', () => {
    const found = exchanged('authentik', null);
    expect(found).toMatchObject({ idleDeadline: at(30 * dayMs), maxDeadline: null });
    expect(found.nextExchangeAt.getTime()).toBeLessThan(at(30 * dayMs).getTime());
  });

  test('leaves the end that the old token itself names', () => {
    expect(exchanged('generic', at(20 * dayMs))).toMatchObject({ idleDeadline: at(20 * dayMs), maxDeadline: null });
  });

  test('that says when the grant ends, as before, teaches the maximum', () => {
    const found = exchanged('google', at(20 * dayMs), { endsAt: at(20 * dayMs) });
    expect(found.maxDeadline).toEqual(at(20 * dayMs));
  });
});
