import { afterEach, beforeEach, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { profiles } from '../../../src/domain/providers/profiles.ts';
import type { ExchangeAnswer } from '../../../src/domain/verdict.ts';
import { hourMs } from '../../../src/durations.ts';
import { access, type Custody, type CustodyFixture, openCustodyFixture } from '../../support/harness/custody.ts';
import { saveGrants } from '../../support/harness/many-grants.ts';

let fixture: CustodyFixture;
beforeEach(async () => {
  fixture = await openCustodyFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const nothingSaid: ExchangeAnswer = { kind: 'refused', status: 400, errorCode: 'http-400' };

/** A provider that refuses this grant without a word, and says of tokens what the test says. */
async function judged(
  says: (own: boolean) => boolean | undefined,
  make: keyof typeof profiles = 'generic',
  others = 2,
) {
  const [id = ''] = await saveGrants(fixture.resources, others + 1);
  const custody: Custody = {
    ...fixture.resources,
    issuer: {
      ...fixture.resources.issuer,
      profile: async () => profiles[make],
      exchange: async () => nothingSaid,
      introspect: async (token) => {
        const active = says(token === `token of ${id}`);
        return active === undefined ? undefined : { active };
      },
    },
  };
  await access(custody, id);
  const { verdict } = await fixture.resources.database.exchange.findFirstOrThrow({ where: { grantId: id } });
  return verdict;
}

test('a token that is inactive beside one that is active has ended', async () => {
  expect(await judged((own) => !own)).toBe('person');
});

test('a provider that calls every refresh token inactive proves nothing by that', async () => {
  expect(await judged(() => false)).toBe('unclear');
});

test('nor does one without another token to compare with', async () => {
  expect(await judged((own) => !own, 'generic', 0)).toBe('unclear');
});

test('a make whose introspection is known to be true needs no comparison, one whose is not gets none', async () => {
  expect(await judged(() => false, 'okta-org', 0)).toBe('person');
  expect(await judged((own) => !own, 'keycloak')).toBe('unclear');
});

test('a token that is active was refused for a reason that passes', async () => {
  expect(await judged(() => true)).toBe('transient');
});

test('no answer leaves it unclear', async () => {
  expect(await judged(() => undefined)).toBe('unclear');
});

test('the only person there is, whose token ended, is asked to consent after hours where introspection told the truth when they consented', async () => {
  const manner = { opaque: true as const, deadToken: [400, ''] as const };
  await using sole = await openCustodyFixture({ manner });
  const { grant } = await sole.consent();
  const { database } = sole.resources;
  const state = async () => (await database.grant.findUniqueOrThrow({ where: { id: grant.id } })).state;
  sole.provider.admin.revokeConsents(alice.username);
  const states: string[] = [];
  for (let hours = 0; hours < 6; hours += 1) {
    await access(sole.resources, grant.id);
    states.push(await state());
    sole.pass(hourMs);
  }
  expect(states[0]).toBe('suspect');
  expect(states.at(-1)).toBe('needs_consent');
  expect(await database.circuit.count()).toBe(0);
});
