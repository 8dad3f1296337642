import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openCircuit, trustRefusals } from '../../../src/database/custody/circuits.ts';
import type { ExchangeAnswer } from '../../../src/domain/verdict.ts';
import { dayMs, hourMs, minuteMs } from '../../../src/durations.ts';
import { isAppError } from '../../../src/errors.ts';
import { keepAlive } from '../../../src/flows/custody/keep-alive.ts';
import { obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import { findProtection } from '../../../src/flows/nights/find-protection.ts';
import { outcomeOf } from '../../support/fixtures/outcomes.ts';
import { access, type Custody, type CustodyFixture, openCustodyFixture } from '../../support/harness/custody.ts';
import { saveGrants } from '../../support/harness/many-grants.ts';

let fixture: CustodyFixture;
beforeEach(async () => {
  fixture = await openCustodyFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const refused: ExchangeAnswer = { kind: 'refused', status: 400, errorCode: 'invalid_grant', hint: 'signed_out' };
const fine: ExchangeAnswer = {
  kind: 'answered',
  status: 200,
  tokens: { accessToken: 'access', expiresIn: 60 },
  validate: async () => undefined,
};

/** Nightkeep before a provider that answers as the test says, by the token that is sent. */
function answering(answer: (token: string) => ExchangeAnswer): { custody: Custody; sent: string[] } {
  const sent: string[] = [];
  const exchange = async (token: string) => {
    sent.push(token);
    return answer(token);
  };
  return { custody: { ...fixture.resources, issuer: { ...fixture.resources.issuer, exchange } }, sent };
}

const states = async () => {
  const rows = await fixture.resources.database.grant.groupBy({ by: ['state'], _count: true });
  return Object.fromEntries(rows.map(({ state, _count }) => [state, _count]));
};
const stateOf = async (id: string) => (await fixture.resources.database.grant.findUnique({ where: { id } }))?.state;
const circuit = () => fixture.resources.database.circuit.findFirst();
const eventsOf = async (subjectKind: string) =>
  (await fixture.resources.database.event.findMany({ where: { subjectKind }, orderBy: { id: 'asc' } })).map(
    ({ to }) => to,
  );

describe('the circuit of a provider', () => {
  test('opens at a refused client, tells once, lets one probe a minute through, and closes when one goes well', async () => {
    await saveGrants(fixture.resources, 5);
    let broken = true;
    const { custody, sent } = answering(() =>
      broken ? { kind: 'refused', status: 401, errorCode: 'unauthorized_client' } : fine,
    );
    fixture.pass(8 * dayMs);
    await keepAlive(custody);
    const first = sent.length;
    for (let passed = 0; passed < 10; passed += 1) {
      fixture.pass(minuteMs);
      await keepAlive(custody);
    }
    expect(sent.length - first).toBe(10);
    expect(await states()).toEqual({ active: 5 });
    expect(await eventsOf('circuit')).toEqual(['open']);
    broken = false;
    fixture.pass(minuteMs);
    expect((await keepAlive(custody)).exchanged).toBeGreaterThan(0);
    expect(await circuit()).toMatchObject({ open: false, reason: 'unauthorized_client' });
    expect(await eventsOf('circuit')).toEqual(['open', 'closed']);
    expect(await fixture.resources.database.grant.count({ where: { reason: { not: null } } })).toBe(0);
  });

  test('opens when many are refused at once: of ten grants none is condemned, however long the fault lasts', async () => {
    await saveGrants(fixture.resources, 10);
    let atFault = true;
    const { custody } = answering(() => (atFault ? refused : fine));
    fixture.pass(8 * dayMs);
    for (let tried = 0; tried < 48; tried += 1) {
      await keepAlive(custody);
      fixture.pass(hourMs);
    }
    expect(await circuit()).toMatchObject({ open: true, reason: 'refusals' });
    expect((await states()).needs_consent).toBeUndefined();
    atFault = false;
    for (let tried = 0; tried < 30; tried += 1) {
      await keepAlive(custody);
      fixture.pass(dayMs / 6);
    }
    expect(await states()).toEqual({ active: 10 });
    expect(await circuit()).toMatchObject({ open: false });
  });

  test('is not kept open by those who are truly gone: each due grant comes to be the probe, and one that lives closes it', async () => {
    const grants = await saveGrants(fixture.resources, 30);
    const living = grants.at(-1) ?? '';
    let atFault = true;
    const { custody, sent } = answering((token) => (atFault || token !== `token of ${living}` ? refused : fine));
    fixture.pass(8 * dayMs);
    const due = fixture.resources.clock.now().getTime();
    for (const [index, id] of grants.entries()) {
      const data = {
        idleDeadline: new Date(due + (20 + index) * dayMs),
        nextExchangeAt: new Date(due - 30_000 + index),
      };
      await fixture.resources.database.grant.update({ where: { id }, data });
    }
    await keepAlive(custody);
    expect(await circuit()).toMatchObject({ open: true, reason: 'refusals' });
    atFault = false;
    sent.splice(0);
    for (let minutes = 0; minutes < grants.length && !sent.includes(`token of ${living}`); minutes += 1) {
      fixture.pass(minuteMs);
      await keepAlive(custody);
    }
    expect(sent).toContain(`token of ${living}`);
    expect(await eventsOf('circuit')).toContain('closed');
  });

  test('is closed by an operator who says that the refusals are true, and then they are proof', async () => {
    await saveGrants(fixture.resources, 4);
    const { custody } = answering(() => refused);
    fixture.pass(8 * dayMs);
    await keepAlive(custody);
    const { issuer, clientId } = await fixture.resources.database.grant.findFirstOrThrow();
    const at = fixture.resources.clock.now();
    const trustedUntil = new Date(at.getTime() + 2 * dayMs);
    expect(await trustRefusals(custody.database, { issuer, clientId, trustedUntil, at, by: 'operator' })).toBe(true);
    for (let tried = 0; tried < 24; tried += 1) {
      fixture.pass(hourMs);
      await keepAlive(custody);
    }
    expect(await states()).toEqual({ needs_consent: 4 });
  });
});

describe("one person's trouble", () => {
  const only = (token: string, answer: ExchangeAnswer) =>
    answering((sent) => (sent === `token of ${token}` ? answer : fine));
  /** Sweeps each minute, with one grant due all the time, as when somebody tries it again and again. */
  async function sweepMinutes(custody: Custody, minutes: number) {
    for (let passed = 0; passed < minutes; passed += 1) {
      await keepAlive(custody);
      fixture.pass(minuteMs);
    }
  }
  const wordsOfThePerson: ExchangeAnswer[] = [
    { kind: 'refused', status: 403, errorCode: 'invalid_grant' },
    { kind: 'refused', status: 401, errorCode: 'invalid_grant' },
    { kind: 'refused', status: 400, errorCode: 'interaction_required' },
    { kind: 'refused', status: 403, errorCode: 'login_required' },
    { kind: 'refused', status: 400, errorCode: 'http-400' },
    { kind: 'refused', status: 400, errorCode: 'invalid_request' },
  ];
  test.each(wordsOfThePerson)("is nobody else's: %o", async (answer) => {
    const [bad = '', ...others] = await saveGrants(fixture.resources, 4);
    const { custody } = only(bad, answer);
    await outcomeOf(obtainAccess(custody, { grantId: bad, minimumSeconds: 30 }));
    expect(await circuit()).toBeNull();
    for (const grantId of others) expect(await access(custody, grantId)).toBe('went well');
    expect(await fixture.resources.database.grant.findUnique({ where: { id: bad } })).toMatchObject({
      state: 'suspect',
      reason: String('errorCode' in answer && answer.errorCode).endsWith('_required')
        ? 'interaction_required'
        : 'ended_at_provider',
    });
  });

  test('is theirs even where a word for the operator comes to them alone: after the first probe it stops nobody', async () => {
    const [bad = ''] = await saveGrants(fixture.resources, 5);
    const { custody } = only(bad, { kind: 'refused', status: 401, errorCode: 'invalid_client' });
    fixture.pass(8 * dayMs);
    await sweepMinutes(custody, 60);
    expect((await eventsOf('circuit')).length).toBeLessThanOrEqual(2);
    expect(await circuit()).toMatchObject({ open: false });
    expect(await fixture.resources.database.grant.findUnique({ where: { id: bad } })).toMatchObject({
      state: 'suspect',
    });
    expect(
      await fixture.resources.database.grant.count({
        where: { lastExchangedAt: { gt: new Date(fixture.resources.clock.now().getTime() - 2 * hourMs) } },
      }),
    ).toBe(4);
  });

  test('says nothing of the provider where two are past the ends that we know, beside one that lives', async () => {
    const [one = '', two = '', living = ''] = await saveGrants(fixture.resources, 3);
    const { database, clock } = fixture.resources;
    const { custody } = answering((token) => (token === `token of ${living}` ? fine : refused));
    fixture.pass(hourMs);
    const past = new Date(clock.now().getTime() - minuteMs);
    await database.grant.update({ where: { id: one }, data: { idleDeadline: past } });
    await database.grant.update({ where: { id: two }, data: { maxDeadline: past } });
    for (const grantId of [one, two]) await access(custody, grantId);
    expect(await circuit()).toBeNull();
    expect(await access(custody, living)).toBe('went well');
    const reasons = await database.grant.findMany({ where: { id: { in: [one, two] } }, select: { reason: true } });
    expect(reasons.map(({ reason }) => reason).sort()).toEqual(['expired_idle', 'expired_maximum']);
  });

  test('ends with a page that asks for consent where refusals without a reason come over nights, and others go well', async () => {
    const [bad = '', ...others] = await saveGrants(fixture.resources, 3);
    const { custody } = only(bad, { kind: 'refused', status: 400, errorCode: 'http-400' });
    for (let hours = 0; hours < 50; hours += 1) {
      if (hours < 30) expect(await stateOf(bad)).not.toBe('needs_consent');
      await access(custody, bad);
      if (hours % 24 === 23) for (const grantId of others) await access(custody, grantId);
      fixture.pass(hourMs);
      await keepAlive(custody);
    }
    expect(await stateOf(bad)).toBe('needs_consent');
    expect(await circuit()).toBeNull();
    expect(
      await fixture.resources.database.tokenGeneration.count({ where: { grantId: bad, sealed: { not: null } } }),
    ).toBe(1);
  });

  test("is the operator's where refusals without a reason come to everybody: nobody is condemned", async () => {
    await saveGrants(fixture.resources, 4);
    const { custody } = answering(() => ({ kind: 'refused', status: 400, errorCode: 'invalid_request' }));
    fixture.pass(8 * dayMs);
    for (let hours = 0; hours < 60; hours += 1) {
      await keepAlive(custody);
      fixture.pass(hourMs);
    }
    expect(await circuit()).toMatchObject({ open: true, reason: 'refusals' });
    expect((await states()).needs_consent).toBeUndefined();
  });
});

describe('an open circuit', () => {
  test('is probed with the grant that went well most recently, another each time, though dead ones press', async () => {
    const grants = await saveGrants(fixture.resources, 5);
    const { database, clock } = fixture.resources;
    for (const [index, id] of grants.entries())
      await database.grant.update({
        where: { id },
        data: { lastExchangedAt: new Date(clock.now().getTime() + index) },
      });
    const { custody, sent } = answering(() => ({ kind: 'refused', status: 401, errorCode: 'invalid_client' }));
    const [dead = ''] = grants;
    await access(custody, dead);
    sent.splice(0);
    for (let minutes = 0; minutes < 4; minutes += 1) {
      fixture.pass(minuteMs);
      await keepAlive(custody);
      await access(custody, dead);
    }
    expect(sent).toEqual(
      grants
        .slice(1)
        .reverse()
        .map((id) => `token of ${id}`),
    );
  });

  type Manner = NonNullable<NonNullable<Parameters<typeof openCustodyFixture>[0]>['manner']>;

  /** Somebody consented, and then the provider has another secret for Nightkeep. */
  async function withWrongSecret(manner: Manner) {
    const strict = await openCustodyFixture({ manner });
    const { grant } = await strict.consent();
    const { config } = strict.resources;
    const { clientId: id, secrets } = config.provider;
    const register = (secret: string) =>
      strict.provider.admin.register({
        id,
        secret,
        name: 'Nightkeep',
        authentication: 'client_secret_basic',
        redirectUris: [new URL('callback', config.publicUrl).href],
      });
    const sent = () =>
      strict.provider.log.requests().filter(({ sid, grantType }) => sid !== undefined && grantType === 'refresh_token')
        .length;
    const sweepFor = async (minutes: number) => {
      for (let index = 0; index < minutes; index += 1) {
        strict.pass(minuteMs);
        await keepAlive(strict.resources);
      }
    };
    register('another secret');
    strict.pass(8 * dayMs);
    return { strict, grant, sent, sweepFor, mend: () => register(secrets[0] ?? '') };
  }

  test.each<[Manner]>([[{}], [{ without: ['revocation'] }], [{ refusedClient: [400, ''], deadToken: [400, ''] }]])(
    'spends no token on a client that is refused, after the first one (a provider of this manner: %j)',
    async (manner) => {
      const { strict, grant, sent, sweepFor, mend } = await withWrongSecret(manner);
      await using _ = strict;
      const { database } = strict.resources;
      await sweepFor(20);
      expect(sent()).toBe(1);
      const probed = await database.exchange.findFirstOrThrow({ orderBy: { fence: 'desc' } });
      expect(probed).toMatchObject({ verdict: 'operator', status: 401, errorCode: 'unauthorized_client' });
      mend();
      await sweepFor(1);
      expect(sent()).toBe(2);
      expect(await database.grant.findUnique({ where: { id: grant.id } })).toMatchObject({
        state: 'active',
        reason: null,
      });
      expect(await database.circuit.findFirst()).toMatchObject({ open: false });
    },
  );

  test('is probed with tokens where the provider never told the client so that it is believed', async () => {
    const { strict, sent, sweepFor } = await withWrongSecret({});
    await using _ = strict;
    await strict.resources.database.provenQuestion.deleteMany();
    await sweepFor(5);
    expect(sent()).toBe(5);
  });

  test('is probed with a token at once where the provider has nothing else to ask', async () => {
    await using strict = await openCustodyFixture({ manner: { without: ['revocation', 'introspection'] } });
    const { grant } = await strict.consent();
    const { clientId, issuer } = { clientId: grant.clientId, issuer: grant.issuer };
    await openCircuit(strict.resources.database, { clientId, issuer, reason: 'invalid_client', at: new Date() });
    strict.pass(2 * minuteMs);
    expect(await access(strict.resources, grant.id)).toBe('went well');
  });

  test('gives a run whose grant had its turn no other one', async () => {
    const [dead = ''] = await saveGrants(fixture.resources, 3);
    const { custody, sent } = answering(() => ({ kind: 'refused', status: 401, errorCode: 'invalid_client' }));
    await access(custody, dead);
    fixture.pass(minuteMs);
    expect(await access(custody, dead)).toBe('provider/circuit-open');
    expect(sent).toHaveLength(1);
  });

  test('that a refused client opened closes with the word that a token has ended, and its person reads that at once', async () => {
    const { grant, user } = await fixture.consent();
    const verdict = async () => (await findProtection(fixture.resources, user.id)).reason;
    let mended = false;
    const { custody } = answering(() =>
      mended ? refused : { kind: 'refused', status: 401, errorCode: 'invalid_client' },
    );
    await access(custody, grant.id);
    expect([await stateOf(grant.id), await verdict()]).toEqual(['active', 'provider_trouble']);
    mended = true;
    fixture.pass(minuteMs);
    await keepAlive(custody);
    expect(await circuit()).toMatchObject({ open: false, reason: 'invalid_client' });
    expect([await stateOf(grant.id), await verdict()]).toEqual(['suspect', 'consent_refused']);
    expect(await eventsOf('circuit')).toEqual(['open', 'closed']);
  });

  test('of refusals is not closed by one more: the next verdict is that of the person when the circuit is closed', async () => {
    const [dead = '', ...others] = await saveGrants(fixture.resources, 4);
    let atFault = true;
    const { custody } = answering((token) => (atFault || token === `token of ${dead}` ? refused : fine));
    for (const id of others) await access(custody, id);
    fixture.pass(minuteMs);
    await access(custody, dead);
    expect([await circuit(), await stateOf(dead)]).toMatchObject([{ open: true, reason: 'refusals' }, 'active']);
    atFault = false;
    for (let minutes = 0; minutes < 5; minutes += 1) {
      fixture.pass(minuteMs);
      await keepAlive(custody);
    }
    expect(await circuit()).toMatchObject({ open: false });
    await access(custody, dead);
    expect(await stateOf(dead)).toBe('suspect');
  });

  test('closes when somebody consents or signs in: the provider gives tokens', async () => {
    await saveGrants(fixture.resources, 3);
    const { custody } = answering(() => refused);
    for (const { id } of await fixture.resources.database.grant.findMany()) await access(custody, id);
    expect(await circuit()).toMatchObject({ open: true, reason: 'refusals' });
    await fixture.consent();
    expect(await circuit()).toMatchObject({ open: false });
    expect(await eventsOf('circuit')).toEqual(['open', 'closed']);
  });
});

describe('proof that consent is gone', () => {
  test('wants a witness: another grant of the same client that went well since, and asks one where there is none', async () => {
    const [bad] = await saveGrants(fixture.resources, 6);
    const { custody, sent } = answering((token) => (token === `token of ${bad}` ? refused : fine));
    fixture.pass(8 * dayMs);
    await fixture.resources.database.grant.updateMany({
      where: { id: { not: bad ?? '' } },
      data: { nextExchangeAt: new Date(fixture.resources.clock.now().getTime() + 30 * dayMs) },
    });
    for (let tried = 0; tried < 12; tried += 1) {
      await keepAlive(custody);
      fixture.pass(hourMs);
    }
    expect(new Set(sent).size).toBe(2);
    expect(await states()).toEqual({ active: 5, needs_consent: 1 });
    expect(await fixture.resources.database.grant.findUnique({ where: { id: bad ?? '' } })).toMatchObject({
      reason: 'signed_out',
    });
    expect(await circuit()).toBeNull();
  });

  test('is not wanted of a grant that nobody can testify for, and its token is asked again until its window has passed', async () => {
    await saveGrants(fixture.resources, 1);
    const { custody, sent } = answering(() => refused);
    fixture.pass(8 * dayMs);
    for (let tried = 0; tried < 52 * 6; tried += 1) {
      fixture.pass(4 * hourMs);
      await keepAlive(custody);
    }
    expect(await states()).toEqual({ needs_consent: 1 });
    expect(sent.length).toBeGreaterThan(8);
    expect(sent.length).toBeLessThan(16);
    expect(await fixture.resources.database.grant.findFirst()).toMatchObject({ nextExchangeAt: null });
  });
});

test('somebody who asks for access while the circuit is open is told when to try again', async () => {
  const [id = ''] = await saveGrants(fixture.resources, 2);
  const { custody } = answering(() => ({ kind: 'refused', status: 400, errorCode: 'unauthorized_client' }));
  const ask = () => obtainAccess(custody, { grantId: id, minimumSeconds: 30 }).catch((error: unknown) => error);
  await ask();
  const error = await ask();
  expect(isAppError(error, 'provider/circuit-open') && error.retry?.afterMs).toBeGreaterThan(50_000);
});
