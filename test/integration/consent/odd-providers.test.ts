import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { bob } from '../../../demo/people.ts';
import { beginConsent, beginSignIn, finishConsent, finishSignIn } from '../../../src/flows/consent/give-consent.ts';
import type { Authorized } from '../../../src/oidc/authorization.ts';
import { outcomeOf } from '../../support/fixtures/outcomes.ts';
import { access, type Custody, type CustodyFixture, openCustodyFixture } from '../../support/harness/custody.ts';

let fixture: CustodyFixture;
beforeEach(async () => {
  fixture = await openCustodyFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** Nightkeep where the provider's answer to a code is told otherwise, and the tokens that it ended there. */
function answered(change: (authorized: Authorized) => Authorized): { custody: Custody; ended: string[] } {
  const ended: string[] = [];
  const { issuer } = fixture.resources;
  const custody: Custody = {
    ...fixture.resources,
    issuer: {
      ...issuer,
      finishAuthorization: async (...asked) => change(await issuer.finishAuthorization(...asked)),
      revoke: async (token) => {
        ended.push(token);
        await issuer.revoke(token);
      },
    },
  };
  return { custody, ended };
}

async function consentAt(custody: Custody, subject?: string) {
  const { url, transaction } = await beginConsent(custody, { returnTo: '/', terms: {} });
  return finishConsent(custody, { callback: await fixture.visit(url), transaction, subject });
}

const opaque = (scope: string) => (authorized: Authorized) => {
  const { tokenType: _, sid: __, ...tokens } = authorized.tokens;
  return { ...authorized, scope, tokens: { ...tokens, scope } };
};

describe('a refresh token that came with offline access asked for', () => {
  test.each(['openid', 'openid profile email', ''])('is taken though the scope says only "%s"', async (scope) => {
    const { custody, ended } = answered(opaque(scope));
    const { grant } = await consentAt(custody);
    expect(grant).toMatchObject({ state: 'active', scope });
    expect(await access(custody, grant.id)).toBe('went well');
    expect(ended).toEqual([]);
  });

  test('is refused where it says itself that it ends with the session, and is left to that', async () => {
    const { custody, ended } = answered((authorized) => ({
      ...authorized,
      tokens: { ...authorized.tokens, tokenType: 'Refresh' },
    }));
    expect(await outcomeOf(consentAt(custody))).toBe('consent/not-offline');
    expect(ended).toEqual([]);
    expect(await fixture.resources.database.grant.count()).toBe(0);
  });

  test("is ended at the provider where it is refused: it is somebody else's", async () => {
    const { custody, ended } = answered((authorized) => authorized);
    expect(await outcomeOf(consentAt(custody, bob.subject))).toBe('grant/wrong-subject');
    expect(ended).toHaveLength(1);
    expect(fixture.provider.log.alive()).toEqual([]);
  });
});

test.each([
  ['it is there', 0],
  ['it is away', 1],
])('a token that the database does not take is ended, unless nobody can tell whether it did: %s', async (_, alive) => {
  const { custody, ended } = answered((authorized) => authorized);
  const count = vi.spyOn(custody.database.tokenGeneration, 'count');
  if (alive > 0) count.mockRejectedValue(new Error('Away.'));
  expect(await outcomeOf(consentAt({ ...custody, holder: 'no name\0' }))).toBeInstanceOf(Error);
  count.mockRestore();
  expect(ended).toHaveLength(1 - alive);
  expect(fixture.provider.log.alive()).toHaveLength(alive);
  expect(await fixture.resources.database.grant.count()).toBe(0);
});

test('a token that was kept although its transaction failed is not ended', async () => {
  const { custody, ended } = answered((authorized) => authorized);
  const { database } = custody;
  const { $transaction: transact } = database;
  const transaction = vi.spyOn(database, '$transaction').mockImplementation(async (...asked: unknown[]) => {
    await (transact as (...asked: unknown[]) => Promise<unknown>).apply(database, asked);
    throw new Error('The connection was lost.');
  });
  expect(await outcomeOf(consentAt(custody))).toBeInstanceOf(Error);
  transaction.mockRestore();
  expect(ended).toEqual([]);
  const { id } = await database.grant.findFirstOrThrow();
  expect(await access(custody, id)).toBe('went well');
});

describe('where userinfo could not be asked', () => {
  /** The ID token of this provider says nothing of the person but who they are. */
  const untold = (authorized: Authorized): Authorized => ({ ...authorized, claims: {}, claimsMissing: true });
  const signInAt = async (custody: Custody) => {
    const { url, transaction } = await beginSignIn(custody, { returnTo: '/' });
    return finishSignIn(custody, { callback: await fixture.visit(url), transaction });
  };

  test('at a sign-in or a renewal, a person keeps name, mail address and the address of their files', async () => {
    const { user } = await consentAt(fixture.resources);
    const { custody } = answered(untold);
    const { user: then } = await signInAt(custody);
    expect(then).toMatchObject({ id: user.id, username: 'alice', email: user.email, claims: user.claims });
    expect(user.email).not.toBeNull();
    const { user: last, grant } = await consentAt(custody);
    expect(last).toMatchObject({ id: user.id, username: 'alice', claims: user.claims });
    expect(await access(custody, grant.id)).toBe('went well');
  });

  test('what is told then prevails over what was known', async () => {
    await consentAt(fixture.resources);
    const { custody } = answered((authorized) => ({ ...untold(authorized), claims: { email_verified: false } }));
    const { user } = await signInAt(custody);
    expect(user).toMatchObject({ username: 'alice', email: null });
  });

  test('and nothing is known of somebody whose files it needs, they are told so, and the token is ended', async () => {
    const { custody, ended } = answered(untold);
    expect(await outcomeOf(consentAt(custody))).toBe('provider/unavailable');
    expect(ended).toHaveLength(1);
    expect(await fixture.resources.database.grant.count()).toBe(0);
    const { custody: complete } = answered((authorized) => ({ ...authorized, claims: {} }));
    expect(await outcomeOf(consentAt(complete))).toBe('source/missing-claim');
  });
});

test('a refresh token that comes unasked with a sign-in is ended at once, and the person is in', async () => {
  const { custody, ended } = answered((authorized) => ({
    ...authorized,
    tokens: { ...authorized.tokens, refreshToken: 'unasked' },
  }));
  const { url, transaction } = await beginSignIn(custody, { returnTo: '/' });
  const { user } = await finishSignIn(custody, { callback: await fixture.visit(url), transaction });
  expect(user.username).toBe('alice');
  expect(ended).toEqual(['unasked']);
});
