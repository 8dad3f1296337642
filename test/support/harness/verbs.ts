import { createHash, randomUUID } from 'node:crypto';
import * as audit from '../../../src/database/audit.ts';
import { type Database, inTransaction, type Transaction } from '../../../src/database/client.ts';
import * as consents from '../../../src/database/consent/consents.ts';
import * as generations from '../../../src/database/consent/generations.ts';
import * as grantViews from '../../../src/database/consent/grant-views.ts';
import * as grants from '../../../src/database/consent/grants.ts';
import * as moves from '../../../src/database/consent/provider-moves.ts';
import * as revocations from '../../../src/database/consent/revocations.ts';
import * as choices from '../../../src/database/consent/source-choices.ts';
import { withdrawGrant } from '../../../src/database/consent/withdrawals.ts';
import * as circuits from '../../../src/database/custody/circuits.ts';
import * as deadlines from '../../../src/database/custody/deadlines.ts';
import * as exchanges from '../../../src/database/custody/exchanges.ts';
import * as custody from '../../../src/database/custody/inspect-custody.ts';
import { claimLeases, type Lease } from '../../../src/database/custody/leases.ts';
import * as provenQuestions from '../../../src/database/custody/proven-questions.ts';
import { takeProviderTurn } from '../../../src/database/custody/provider-turns.ts';
import { saveRefused } from '../../../src/database/custody/refusals.ts';
import { type Exchanged, saveExchanged, saveOnceFree } from '../../../src/database/custody/rotations.ts';
import { saveEvent } from '../../../src/database/events.ts';
import { saveCheckpoint } from '../../../src/database/nights/checkpoints.ts';
import * as commands from '../../../src/database/nights/command-views.ts';
import * as filesMoves from '../../../src/database/nights/files-moves.ts';
import * as inspectRuns from '../../../src/database/nights/inspect-runs.ts';
import * as nightFacts from '../../../src/database/nights/night-facts.ts';
import * as nightViews from '../../../src/database/nights/night-views.ts';
import { findPlanWithPerson, readSources } from '../../../src/database/nights/plan-rows.ts';
import * as plans from '../../../src/database/nights/plans.ts';
import { findRefusedSources } from '../../../src/database/nights/refused-sources.ts';
import * as runCancellations from '../../../src/database/nights/run-cancellations.ts';
import * as runEnds from '../../../src/database/nights/run-ends.ts';
import * as runLeases from '../../../src/database/nights/run-leases.ts';
import * as progress from '../../../src/database/nights/run-progress.ts';
import * as runReturns from '../../../src/database/nights/run-returns.ts';
import { saveUnreliable } from '../../../src/database/nights/run-trust.ts';
import * as snapshotRuns from '../../../src/database/nights/snapshot-runs.ts';
import * as tonight from '../../../src/database/nights/tonight.ts';
import { claimNextRuns, nameHosts, openRunClaims } from '../../../src/database/nights/turns.ts';
import * as views from '../../../src/database/nights/views.ts';
import * as changedPeople from '../../../src/database/notices/changed-people.ts';
import * as notices from '../../../src/database/notices/notices.ts';
import * as protection from '../../../src/database/notices/protection.ts';
import * as logouts from '../../../src/database/people/logouts.ts';
import * as people from '../../../src/database/people/people.ts';
import { readPersonData } from '../../../src/database/people/person-data.ts';
import * as personErasures from '../../../src/database/people/person-erasures.ts';
import * as preferences from '../../../src/database/people/preferences.ts';
import { useRate } from '../../../src/database/people/rate-limits.ts';
import * as users from '../../../src/database/people/users.ts';
import * as webSessions from '../../../src/database/people/web-sessions.ts';
import { claimKeptFigure, dropKeptFigure } from '../../../src/database/records/kept-figures.ts';
import * as adoptions from '../../../src/database/repositories/adoptions.ts';
import * as cards from '../../../src/database/repositories/cards.ts';
import * as erasures from '../../../src/database/repositories/erasures.ts';
import * as goneRepositories from '../../../src/database/repositories/gone-repositories.ts';
import * as lostRepositories from '../../../src/database/repositories/lost-repositories.ts';
import { measureRepositories } from '../../../src/database/repositories/measure-repositories.ts';
import { isStillQuiet } from '../../../src/database/repositories/quiet-repositories.ts';
import * as repositories from '../../../src/database/repositories/repositories.ts';
import * as repositoryMoves from '../../../src/database/repositories/repository-moves.ts';
import * as restores from '../../../src/database/repositories/restores.ts';
import * as retention from '../../../src/database/repositories/retention.ts';
import * as verificationViews from '../../../src/database/repositories/verification-views.ts';
import * as verifications from '../../../src/database/repositories/verifications.ts';
import { bringBackFromAhead } from '../../../src/database/server/clock-ahead.ts';
import * as server from '../../../src/database/server/inspect-server.ts';
import * as canaries from '../../../src/database/state/canaries.ts';
import * as sealed from '../../../src/database/state/sealed-values.ts';
import * as stateExports from '../../../src/database/state/state-exports.ts';
import type { RowSealing } from '../../../src/domain/row-facts.ts';
import type { Resources } from '../../../src/resources.ts';
import type { StandingWork } from './standing-work.ts';

const issuer = 'https://idp.example';
const clientId = 'nightkeep';
const by = 'operator:somebody';
/** What is sealed says by which key: `one`. */
const bytes = new Uint8Array(Buffer.from('\u0001\u0003one'));
const day = 86_400_000;
const sealing: RowSealing<unknown> = { seal: () => bytes, reseal: () => bytes, require: () => 1 };

/** Somebody of those that `fillWithPlans` filled an empty database with, whose night is over, and the ids of what is theirs. */
interface Someone {
  readonly subject: string;
  readonly userId: string;
  readonly grantId: string;
  readonly planId: string;
  readonly repositoryId: string;
  /** Their runs of this night and of the one before. */
  readonly runId: string;
  readonly formerRunId: string;
  readonly exchangeId: string;
  /** The snapshot of the night before, where it has one. */
  readonly snapshotId: string;
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const uuid = (digits: string) => digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
const idOf = (kind: string, of: string) => uuid(md5(`${kind}${of}`));

function planIdOf(n: number): string {
  const digits = md5(`plan${n}`);
  const place = Math.floor(((n % 240) * 2 ** 32 + Number.parseInt(digits.slice(0, 8), 16)) / 240);
  return uuid(place.toString(16).padStart(8, '0') + digits.slice(8));
}

function someone(n: number): Someone {
  const own = (kind: string) => idOf(kind, `${n}`);
  return {
    subject: `${n}`,
    userId: own('user'),
    grantId: own('grant'),
    planId: planIdOf(n),
    repositoryId: own('repository'),
    runId: idOf('run', `${n}/0`),
    formerRunId: idOf('run', `${n}/1`),
    exchangeId: idOf('exchange', `${n}/0`),
    snapshotId: md5(`a${n}/1`) + md5(`b${n}/1`),
  };
}

/** Another transaction holds all runs that wait, until the claim waits for it. */
async function whereAllAreTaken(database: Database, at: Date): Promise<void> {
  const claiming = await inTransaction(database, async (transaction) => {
    await transaction.$queryRaw`SELECT id FROM runs WHERE state = 'queued' FOR UPDATE`;
    const claimed = claimNextRuns(database, {
      ...{ holder: 'another', at, concurrency: 9, heavyRuns: 9, turnMs: 60_000, wanted: 1 },
    });
    for (let waits = false; !waits; ) {
      const [row] = await transaction.$queryRaw<{ waits: boolean }[]>`
        SELECT count(*) > 0 AS waits FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      waits = row?.waits ?? false;
    }
    return { claimed };
  });
  await claiming.claimed;
}

async function drain(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of rows);
}

/**
 * What the service does now and then, a verb of `src/database` each, of which neither its duties nor pages send all statements. Each is
 * done for somebody else, `at` the moment of the night that the tables were filled for.
 */
export function verbs({ clock, database, holder }: Resources): readonly StandingWork[] {
  const at = clock.now();
  const later = (ms: number) => new Date(at.getTime() + ms);
  const ago = (ms: number) => later(-ms);
  const client = { issuer, clientId };
  const inOne = (work: (transaction: Transaction) => Promise<unknown>) => inTransaction(database, work);
  const token = (number: number) => ({
    number,
    sealed: bytes,
    keyId: 'one',
    fingerprint: new Uint8Array([2, number]),
    issuedAt: at,
    endsAt: later(30 * day),
    sid: null,
  });
  const ends = { idleDeadline: later(20 * day), maxDeadline: null, idleSeconds: null, nextExchangeAt: later(5 * day) };
  const claim = async ({ grantId }: Someone): Promise<Lease> => {
    const [lease] = await claimLeases(database, [{ grantId, holder, purpose: 'run', at, leaseMs: 60_000 }]);
    if (lease === undefined) throw new Error('The lease was not to be had.');
    return lease;
  };
  const addressOf = async ({ planId }: Someone) => {
    const { sources } = await database.plan.findUniqueOrThrow({ where: { id: planId } });
    return { planId, from: readSources(sources)[0]?.url ?? '' };
  };
  const exchanged = async (one: Someone): Promise<Exchanged> => {
    const { exchangeId, fence, nextNumber, token: sent } = await claim(one);
    const rest = { exchangeId, grantId: one.grantId, sent: sent.number, fence, at, verdict: 'ok' };
    return { ...rest, token: token(nextNumber), deadlines: ends };
  };
  const takenRun = async ({ planId }: Someone): Promise<runLeases.ClaimedRun> => {
    const asked = { planId, night: '2000-01-01', trigger: 'person', at, by };
    const made = await plans.saveRequestedRun(database, asked);
    const run = made && (await runLeases.claimRun(database, { runId: made.id, holder, at }));
    if (run === null) throw new Error('The run was not to be had.');
    return run;
  };
  const toErase = async ({ userId, repositoryId: id }: Someone): Promise<erasures.RepositoryToErase> => {
    const eraseAt = ago(day);
    await database.repository.update({ where: { id }, data: { eraseAt } });
    const rest = {
      eraseAt,
      eraseSeal: bytes,
      location: '',
      store: null,
      movingTo: null,
      formerStore: null,
      sealedPassword: bytes,
    };
    return { id, userId, ...rest };
  };
  const rowOf = async ({ repositoryId }: Someone) => {
    const row = await cards.findCardRow(database, repositoryId);
    if (row === null) throw new Error('There is no such repository.');
    return row;
  };
  const damage = { marks: ['one'], files: [], snapshots: [], recoveryKey: false };
  const verified = { at, nextAt: later(day), cursor: 1, packsRead: 1, filesRead: 1, damagedPacks: [] };
  const restored = { folder: null, files: 0, bytes: 0 };

  const all: Readonly<Record<string, (one: Someone) => Promise<unknown>>> = {
    // Repositories that are taken over, and cards.
    isKnownPlace: () => adoptions.isKnownPlace(database, 'r5'),
    findRowOfPlace: () => adoptions.findRowOfPlace(database, 'r5'),
    listKnownPlaces: () => adoptions.listKnownPlaces(database),
    hasRepository: ({ userId, subject }) =>
      adoptions.hasRepository(database, { userId, issuer, subject, username: null }),
    getOwnerId: ({ subject }) => adoptions.getOwnerId(database, { issuer, subject }),
    getOwner: ({ userId }) => adoptions.getOwner(database, userId),
    saveAdopted: ({ userId }) =>
      adoptions.saveAdopted(database, {
        row: {
          ...{ id: randomUUID(), location: 'adopted', store: null, recoveryKeyFile: null, recoveryKeptAt: null },
          ...{ eraseAt: null, createdAt: at, formerPlan: null },
        },
        owner: { userId, issuer, subject: 'adopted', username: null },
        seals: { person: sealing, erasure: sealing, password: () => ({ sealed: bytes, keyId: 'one' }) },
        ...{ at, by },
      }),
    findFormerPlan: ({ userId }) => adoptions.findFormerPlan(database, userId),
    saveFormerAlarm: ({ planId, snapshotId }) =>
      adoptions.saveFormerAlarm(database, planId, {
        ...{ kind: 'loss', night: '2000-01-01', endedAt: at.toISOString(), state: 'partial' },
        ...{ snapshotId, heldSnapshotId: null },
      }),
    clearFormerPlan: ({ userId }) => adoptions.clearFormerPlan(database, userId),
    saveFoundElsewhere: async (one) => {
      const row = await rowOf(one);
      const place = { store: row.store, formerStore: null, password: { sealed: bytes, keyId: row.keyId } };
      await adoptions.saveFoundElsewhere(database, { row, ...place, about: 'file:///elsewhere', at, by });
    },
    saveFromCard: async (one) => {
      const row = await rowOf(one);
      const alarm = { kind: 'loss', night: '2000-01-02', endedAt: at.toISOString(), state: 'partial' } as const;
      const said = {
        recovery: { keyFile: null, keptAt: null },
        alarm: { ...alarm, snapshotId: one.snapshotId, heldSnapshotId: null },
      };
      await adoptions.saveFromCard(database, { row, eraseAt: later(day), ...said, sealing, at, by });
      await adoptions.saveFromCard(database, { row: await rowOf(one), eraseAt: null, sealing, at, by });
    },
    saveCardWritten: async (one) =>
      cards.saveCardWritten(database, { row: await rowOf(one), dueAt: at, cardKeyId: 'one', cardDigest: bytes }),
    saveCardSeen: async (one) => cards.saveCardSeen(database, { row: await rowOf(one), dueAt: later(day) }),
    countCards: () => cards.countCards(database),

    // The audit, and keys.
    hasOperatorSignedIn: () => audit.hasOperatorSignedIn(database),
    'listAudit of somebody': ({ userId }) => audit.listAudit(database, { filter: { userId }, limit: 50 }),
    'listAudit of an act, the next page': () =>
      audit.listAudit(database, { filter: { act: 'consent-given' }, before: '99', limit: 50 }),
    'listAudit of a kind and an act': () =>
      audit.listAudit(database, { filter: { kind: 'operator', act: 'consent-given' }, limit: 50 }),
    'listAudit of an act and a time': () =>
      audit.listAudit(database, { filter: { act: 'consent-given', since: ago(day) }, limit: 50 }),
    findNightSwitch: () => audit.inSwitchesTurn(database, () => audit.findNightSwitch(database)),
    'allAudit of a time': () => drain(audit.allAudit(database, { since: ago(2 * day), until: ago(day) })),
    'allAudit of a kind': () => drain(audit.allAudit(database, { kind: 'operator' })),
    lockCanaries: () => inOne((transaction) => canaries.lockCanaries(transaction)),
    saveCanary: () => inOne((transaction) => canaries.saveCanary(transaction, { keyId: 'two', sealed: bytes, at })),
    findFrontKey: () => canaries.findFrontKey(database),
    listCanaries: () => canaries.listCanaries(database),
    readCanaries: () => canaries.readCanaries(database),
    saveFrontKey: () => canaries.saveFrontKey(database, { keyId: 'two', at }),
    removeCanary: () => canaries.removeCanary(database, { keyId: 'two', at, by }),
    countSealed: () => sealed.countSealed(database),
    ...Object.fromEntries(
      sealed.sealedKinds.map((kind) => [
        `listSealed, ${kind}`,
        () => sealed.listSealed(database, kind, { keyIds: ['another'], after: sealed.beforeAll, limit: 100 }),
      ]),
    ),
    ...Object.fromEntries(
      (['repository passwords', 'people', 'plans'] as const).flatMap((kind) =>
        [false, true].map((isOwn) => [
          `listBound, ${kind}${isOwn ? ' of somebody' : ''}`,
          ({ userId }: Someone) =>
            sealed.listBound(database, kind, { after: sealed.beforeAll.id, limit: 100, of: isOwn ? userId : null }),
        ]),
      ),
    ),
    listRowsOfPeople: ({ userId }) =>
      sealed.listRowsOfPeople(database, { userIds: [userId], after: sealed.beforeAll.id, limit: 100 }),
    'listRowsOfPeople, whoever they are': () =>
      sealed.listRowsOfPeople(database, { userIds: null, after: sealed.beforeAll.id, limit: 100 }),
    ...Object.fromEntries(
      sealed.sealedKinds.map((kind) => [
        `replaceSealed, ${kind}`,
        ({ repositoryId: id }: Someone) =>
          sealed.replaceSealed(database, kind, {
            keyId: 'one',
            values: [{ seen: { id, number: 0, sealed: bytes }, sealed: bytes }],
          }),
      ]),
    ),

    // Consents, and what becomes of them.
    consent: ({ userId, grantId }) =>
      inOne(async (transaction) => {
        const user = await users.getUser(database, userId);
        const earlier = await consents.lockGrantOf(transaction, { user, clientId });
        const given = { ...ends, id: grantId, clientId, scope: '', sid: null, generation: 9 };
        const unbound = { sealedDpopKey: null, dpopKeyId: null };
        const grant = await consents.saveGrant(transaction, {
          user,
          earlier,
          given: { ...given, ...unbound },
          sealing,
          at,
        });
        await consents.saveFirstToken(transaction, { grant, token: token(9), holder, at });
        await consents.saveTerms(transaction, grant, { method: 'browser', terms: {}, agreedAt: at, renewed: true, at });
        await consents.findPlanOf(transaction, { grantId, resume: true });
        await consents.hasAgreedSince(transaction, { grantId, agreedAt: ago(day), at });
      }),
    savePlan: ({ userId }) =>
      inOne(async (transaction) => {
        const user = await users.getUser(database, userId);
        const given = { ...ends, id: randomUUID(), clientId: 'another', scope: '', sid: null, generation: 1 };
        const unbound = { sealedDpopKey: null, dpopKeyId: null };
        const grant = await consents.saveGrant(transaction, {
          user,
          earlier: null,
          given: { ...given, ...unbound },
          sealing,
          at,
        });
        const window = {
          zone: 'UTC',
          windowStart: '01:00',
          windowEnd: '05:00',
          nextNight: '2100-01-01',
          nextDueAt: at,
        };
        const plan = { id: randomUUID(), sources: [], retention: { daily: 7 }, seal: bytes, ...window };
        await consents.savePlan(transaction, grant, { plan, at });
        await retention.saveAgreedRule(transaction, { planId: plan.id, rule: { daily: 7 }, sealing, at });
      }),
    findKnownClaims: ({ subject }) => users.findKnownClaims(database, { issuer, subject }),
    'findKnownClaims, of nobody': () => users.findKnownClaims(database, { issuer, subject: 'nobody' }),
    'saveUser, new': () => users.saveUser(database, { issuer, subject: 'new', claims: {}, at }, sealing),
    'saveUser, known': ({ subject }) => users.saveUser(database, { issuer, subject, claims: {}, at }, sealing),
    takePlanOver: ({ userId }) =>
      inOne(async (transaction) => {
        const user = await users.getUser(database, userId);
        const given = { ...ends, id: randomUUID(), clientId: 'a third', scope: '', sid: null, generation: 1 };
        const grant = await consents.saveGrant(transaction, {
          ...{ user, earlier: null, sealing, at },
          given: { ...given, sealedDpopKey: null, dpopKeyId: null },
        });
        await consents.takePlanOver(transaction, { grant, sealing, at });
      }),
    languageOf: ({ userId }) => users.languageOf(database, userId),
    languageAgreed: ({ userId }) => users.languageAgreed(database, userId),
    'eachGrant that ends': () => drain(deadlines.eachGrant(database, { endingBefore: later(day) })),
    eachGrant: () => drain(deadlines.eachGrant(database, {})),
    'eachGrant of a state': () => drain(deadlines.eachGrant(database, { state: 'needs_consent' })),
    forecastUnusedEnds: () => deadlines.forecastUnusedEnds(database, { at, days: 7 }),
    saveWarnings: async ({ grantId: id }) => {
      const { maxDeadline } = await database.grant.update({ where: { id }, data: { maxDeadline: later(day) } });
      const warned = [{ id, maxDeadline: maxDeadline ?? at, warnedDays: null, days: 2 }];
      await deadlines.saveWarnings(database, { warned, at });
    },
    askGrantAgain: async ({ grantId }) => {
      await database.grant.update({ where: { id: grantId }, data: { state: 'suspect' } });
      for (let press = 0; press < 2; press++) await deadlines.askGrantAgain(database, { grantId, at, by });
    },
    withdrawGrant: ({ grantId }) =>
      withdrawGrant(database, { grantId, at, by, reason: 'withdrawn', eraseAt: later(day), sealing }),
    listWithdrawnTokens: () => revocations.listWithdrawnTokens(database, { at, limit: 100 }),
    'listWithdrawnTokens of one': ({ grantId }) =>
      revocations.listWithdrawnTokens(database, { grantId, at, limit: 100 }),
    listReplacedTokens: ({ grantId }) => revocations.listReplacedTokens(database, grantId),
    saveRevoked: async ({ grantId, userId }) => {
      await database.tokenGeneration.updateMany({ where: { grantId, number: 2 }, data: { state: 'dead' } });
      const rest = { userId, number: 2, sealed: null, endsAt: null };
      await revocations.saveRevoked(database, { token: { grantId, ...rest }, end: 'revoked', reason: '', at });
    },
    findGrantOfPerson: async ({ userId, grantId }) => {
      await database.grant.update({ where: { id: grantId }, data: { endedAt: ago(day) } });
      await database.tokenGeneration.updateMany({ where: { grantId }, data: { sealed: null } });
      const revoked = { from: 'withdrawn', to: 'revoked', reason: 'withdrawn', by, at };
      await inOne((transaction) => saveEvent(transaction, 'grant', grantId, revoked));
      await grantViews.findGrantOfPerson(database, { userId });
    },
    listExchangesOfPerson: ({ userId }) => grantViews.listExchangesOfPerson(database, { userId, limit: 50 }),
    'listExchangesOfPerson, the next page': ({ userId, exchangeId }) =>
      grantViews.listExchangesOfPerson(database, { userId, before: exchangeId, limit: 50 }),
    listSessionsOfGrant: ({ subject }) => grants.listSessionsOfGrant(database, { ...client, subject }),
    isLogoutTaken: () =>
      logouts.isLogoutTaken(database, { issuer, subject: '5', sid: undefined, jti: 'one', expiresAt: at }),
    'saveLogout of a session': () =>
      logouts.saveLogout(database, { issuer, subject: '5', sid: 'a session', jti: 'one', expiresAt: at }, at),
    'saveLogout of a person': () =>
      logouts.saveLogout(database, { issuer, subject: '5', sid: undefined, jti: 'two', expiresAt: at }, at),
    'listGrantsToExchange, whoever is at work': () => grants.listGrantsToExchange(database, { at, limit: 20 }),
    'listGrantsToExchange among some': ({ grantId }) =>
      grants.listGrantsToExchange(database, { at, limit: 20, among: [{ id: grantId, idleDeadline: at }] }),
    'listGrantsOfSession of a session': () =>
      logouts.listGrantsOfSession(database, {
        issuer,
        subject: undefined,
        sid: 'a session',
        jti: 'one',
        expiresAt: at,
      }),
    'listGrantsOfSession of a person and a session': () =>
      logouts.listGrantsOfSession(database, { issuer, subject: '5', sid: 'a session', jti: 'one', expiresAt: at }),
    'listGrantsOfSession of a person': () =>
      logouts.listGrantsOfSession(database, { issuer, subject: '5', sid: undefined, jti: 'one', expiresAt: at }),

    // Exchanges.
    'claimLeases, and an exchange without an answer': async (one) => {
      const { fence, exchangeId, token: sent } = await claim(one);
      const { grantId } = one;
      await exchanges.findUnansweredExchange(database, { grantId, fence });
      await exchanges.countLostAnswers(database, { grantId, generation: sent.number, besides: exchangeId });
      await exchanges.wasUsedWell(database, { grantId, generation: sent.number });
      await exchanges.findAnswerBefore(database, { grantId, fence });
      await exchanges.wasReceivedWith(database, { grantId, number: sent.number, errorCode: 'wrong-subject' });
      await exchanges.endExchange(database, { exchangeId, at, verdict: 'ambiguous' });
    },
    saveExchanged: async (one) => saveExchanged(database, [await exchanged(one)]),
    saveOnceFree: async (one) => saveOnceFree(database, await exchanged(one)),
    saveRefused: async (one) => {
      const change = { state: 'suspect' as const, reason: null, refusals: 1, suspectSince: at, nextExchangeAt: at };
      const lease = await claim(one);
      await saveRefused(database, { lease, at, errorCode: 'invalid_grant', change, notBefore: at, free: true });
    },
    'saveRefused, of one that was due, and nothing changes': async (one) => {
      await database.grant.update({ where: { id: one.grantId }, data: { nextExchangeAt: ago(day) } });
      const lease = await claim(one);
      await saveRefused(database, { lease, at, errorCode: 'x', notBefore: at, free: false });
    },
    promotePending: async (one) => {
      const lease = await claim(one);
      const { grantId } = one;
      const { sid: _, ...rest } = { ...token(lease.nextNumber), state: 'pending' as const, fence: lease.fence };
      await database.tokenGeneration.create({ data: { ...rest, grantId, receivedAt: at, parent: lease.token.number } });
      await generations.promotePending(database, lease, at);
    },
    nextNumber: ({ grantId }) => generations.nextNumber(database, grantId),
    isTokenKept: ({ subject }) =>
      generations.isTokenKept(database, { issuer, subject, clientId, fingerprint: new Uint8Array(1) }),
    saveTokenEnd: async ({ grantId }) => {
      const where = { grantId, number: 2 };
      const { fingerprint } = await database.tokenGeneration.findFirstOrThrow({ where });
      const end = { grantId, fingerprint, endsAt: later(day), deadlines: ends };
      await generations.saveTokenEnd(database, { ...end, issuedAt: undefined });
      await database.tokenGeneration.updateMany({ where, data: { endsAt: null } });
      await generations.saveTokenEnd(database, { ...end, issuedAt: at });
    },
    findLivingToken: ({ grantId }) => generations.findLivingToken(database, { ...client, besides: grantId }),
    listLatestAnswers: ({ grantId }) => exchanges.listLatestAnswers(database, { ...client, at, besides: grantId }),
    'findWitness, where there is none': ({ grantId }) =>
      exchanges.findWitness(database, { ...client, grantId, since: later(day) }),
    hastenWitness: ({ grantId }) => exchanges.hastenWitness(database, { ...client, grantId, at }),
    openCircuit: () => circuits.openCircuit(database, { ...client, reason: 'refusals', at: ago(3_600_000) }),
    findCircuit: () => circuits.findCircuit(database, client),
    listProbes: () => circuits.listProbes(database, at),
    'claimLeases, where the circuit is open': ({ grantId }) =>
      claimLeases(database, [{ grantId, holder, purpose: 'run', at, leaseMs: 60_000 }]),
    trustRefusals: () => circuits.trustRefusals(database, { ...client, trustedUntil: later(day), at, by }),
    closeCircuit: async () => {
      await circuits.openCircuit(database, { ...client, reason: 'refusals', at });
      await circuits.closeCircuit(database, { ...client, at, by });
    },
    listCircuits: () => circuits.listCircuits(database),
    listToldGone: () => notices.listToldGone(database, ago(day)),
    findLastDelivered: async () => {
      await notices.findLastDelivered(database, { channel: 'mail-operator', kind: 'forecast' });
      await notices.findLastDelivered(database, { channel: 'mail-operator', kind: 'repositories', are: ['gone'] });
    },
    isStillOpen: () => notices.isStillOpen(database, issuer, at),
    isProven: () => provenQuestions.isProven(database, { ...client, question: 'client' }),
    saveProven: () => provenQuestions.saveProven(database, { ...client, question: 'client', provenAt: at }),
    takeProviderTurn: () => takeProviderTurn(database, { issuer, rate: { count: 1, spanMs: 1 } }),
    useRate: async () => {
      const limit = { key: 'one', rate: { count: 1, spanMs: 60_000 }, at };
      await useRate(database, limit);
      await useRate(database, limit);
      await useRate(database, { ...limit, at: ago(day) });
    },

    // What the doctor asks.
    inspectEndings: () => custody.inspectEndings(database, { before: at }),
    inspectRotation: () => custody.inspectRotation(database, { since: ago(30 * day) }),
    inspectWindows: () => custody.inspectWindows(database, { since: ago(60 * day) }),
    inspectIssuing: () => custody.inspectIssuing(database, { since: ago(7 * day), latest: 50 }),
    listLatestTokens: () => custody.listLatestTokens(database, 20),
    listMadeRepositories: () => inspectRuns.listMadeRepositories(database, at),
    listReplayedOnRecord: () => inspectRuns.listReplayedOnRecord(database, { since: ago(7 * day), most: 1_000 }),
    inspectServer: () => server.inspectServer(database),
    hasQueueTables: () => server.hasQueueTables(database, 'nightkeep'),
    inspectNotices: () => notices.inspectNotices(database, { since: ago(day), waitingBefore: ago(3_600_000) }),
    measureRepositories: () => measureRepositories(database),

    // A move to another provider.
    countGrantsOfOtherClients: () => moves.countGrantsOfOtherClients(database, { issuer, clientId }),
    countGrantsByIssuer: () => moves.countGrantsByIssuer(database),
    listIssuers: () => moves.listIssuers(database),
    findFormerIssuer: ({ userId }) => moves.findFormerIssuer(database, { userId }),
    saveProviderKeys: () => moves.saveProviderKeys(database, { issuer, keys: [{ kid: 'one', thumbprint: 'one' }], at }),
    hasProviderKeys: () => moves.hasProviderKeys(database, [issuer]),
    listProviderKeys: () => moves.listProviderKeys(database, issuer),
    listLatestGrants: () => moves.listLatestGrants(database, { issuer, limit: 20 }),
    wasMovedByKeys: () => moves.wasMovedByKeys(database, { issuer, since: ago(day) }),
    saveMove: async () => {
      await users.saveUser(database, { issuer: 'https://old.example', subject: 'old', claims: {}, at }, sealing);
      const issuers = { from: 'https://old.example', to: 'https://new.example' };
      await moves.saveMove(database, { ...issuers, reason: 'same keys', sealing, at, by });
    },

    // A store that is lost.
    'mustHaveFiles, saveLost and findLoss': async ({ repositoryId: id, userId }) => {
      await lostRepositories.mustHaveFiles(database, id);
      const lost = { id, userId, location: 'there', at, by, telling: [] };
      await lostRepositories.saveLost(database, lost);
      await lostRepositories.saveLost(database, lost);
      await lostRepositories.findLoss(database, userId);
    },

    // A move of files to another address.
    countPlansByAddress: () => filesMoves.countPlansByAddress(database, { living: true }),
    'countPlansByAddress of all, withdrawn or not': () => filesMoves.countPlansByAddress(database, { living: false }),
    listPlansAt: () =>
      filesMoves.listPlansAt(database, {
        address: 'https://cloud5.example/5/',
        after: '00000000-0000-0000-0000-000000000000',
        limit: 500,
      }),
    'saveMovedFiles and listStatedMoves': async (one) => {
      const move = { ...(await addressOf(one)), names: ['files'], to: 'https://new.example/', sealing, at, by };
      await filesMoves.saveMovedFiles(database, { ...move, telling: [] });
      await filesMoves.saveMovedFiles(database, { ...move, telling: [] });
      await filesMoves.listStatedMoves(database, one.planId);
      await database.consent.updateMany({ where: { grantId: one.grantId }, data: { agreedAt: later(day) } });
      await filesMoves.listStatedMoves(database, one.planId);
    },
    saveAgreedSources: ({ planId }) =>
      inOne(async (transaction) => {
        const sources = [{ kind: 'webdav', name: 'files', url: 'https://agreed.example/' }];
        const agreed = { planId, sources, sealing, at, by };
        await filesMoves.saveAgreedSources(transaction, agreed);
        await filesMoves.saveAgreedSources(transaction, agreed);
      }),
    'saveChosenSources and listLeftOut': ({ userId, planId }) =>
      inOne(async (transaction) => {
        const rows = await choices.findChoiceRows(transaction, userId);
        if (rows === null) throw new Error('There is no plan.');
        const sources = [{ kind: 'webdav', name: 'files', url: 'https://chosen.example/' }];
        await choices.saveChosenSources(transaction, { plan: rows.plan, sources, sealing, at, by });
        await choices.listLeftOut(database, { planId, names: ['mail'], since: ago(day) });
      }),

    // Nights.
    getPlanZone: ({ planId }) => plans.getPlanZone(database, planId),
    findTriedUntil: ({ grantId }) => plans.findTriedUntil(database, grantId),
    'saveRequestedRun by an operator, twice': async ({ planId }) => {
      const asked = { planId, night: '2000-01-01', trigger: 'operator', at, by };
      const made = await plans.saveRequestedRun(database, asked);
      await database.run.updateMany({ where: { id: made?.id ?? '' }, data: { dueAt: later(day) } });
      await plans.saveRequestedRun(database, asked);
      await plans.saveRequestedRun(database, asked);
    },
    hastenRun: ({ grantId }) => plans.hastenRun(database, { grantId, at, by }),
    'savePause, twice': async ({ userId }) => {
      for (let time = 0; time < 2; time++) await plans.savePause(database, { userId, until: later(day), at, by });
    },
    'saveResumed, twice': async ({ userId }) => {
      await plans.savePause(database, { userId, until: ago(day), at, by });
      for (let time = 0; time < 2; time++) await plans.saveResumed(database, { userId, own: true, at, by });
    },
    'savePause and saveResumed by an operator': async ({ userId }) => {
      await plans.savePause(database, { userId, until: null, at, by });
      await plans.saveResumed(database, { userId, own: false, at, by });
    },
    resumeDuePlans: async ({ userId }) => {
      await plans.savePause(database, { userId, until: ago(day), at, by });
      await plans.resumeDuePlans(database, { at, by });
    },
    bringBackFromAhead: async ({ planId: id }) => {
      // PostgreSQL's own clock is asked too.
      const queuedAt = later(99 * 365 * day);
      await database.plan.update({ where: { id }, data: { nextDueAt: queuedAt } });
      const run = { id: randomUUID(), planId: id, night: '2125-01-01', trigger: 'schedule', dueAt: at, queuedAt };
      await database.run.create({ data: { ...run, state: 'succeeded' } });
      await bringBackFromAhead(database, { at, by });
    },
    saveHours: ({ userId }) =>
      plans.saveHours(database, { userId, hours: { zone: 'UTC', windowStart: '02:00', windowEnd: '03:00' }, at, by }),
    'claimRun and finishRun': async (one) => {
      const run = await takenRun(one);
      const told = { ...run, progress: { ...notBegun, step: 'reading' as const } };
      await progress.saveRunProgress(database, [told], at);
      await progress.listRunProgress(database, [run.id]);
      await progress.findLiveRun(database, { userId: one.userId, runId: run.id });
      await runLeases.renewRun(database, { run, at });
      await runLeases.listLostRuns(database, [run]);
      await saveUnreliable(database, { runId: run.id, roots: [] });
      const checkpoint = { runId: run.id, readAll: [], journals: [] };
      await saveCheckpoint(database, { userId: one.userId, checkpoint });
      await runEnds.finishRun(database, { run, end: { state: 'failed', errorCode: 'x' }, holder, at });
    },
    'finishRun with a snapshot': async (one) => {
      const end = { state: 'succeeded' as const, snapshotId: 'c'.repeat(64) };
      await runEnds.finishRun(database, { run: await takenRun(one), end, holder, at });
    },
    returnRun: async (one) =>
      runReturns.returnRun(database, { run: await takenRun(one), dueAt: at, spent: true, yields: true, holder, at }),
    'returnRun that lets nobody go first': async (one) =>
      runReturns.returnRun(database, { run: await takenRun(one), dueAt: at, spent: false, yields: false, holder, at }),
    'cancelRun and releaseRun': async (one) => {
      const run = await takenRun(one);
      await runCancellations.cancelRun(database, { userId: one.userId, runId: run.id, at, by, reason: 'asked' });
      await runLeases.releaseRun(database, run);
    },
    returnLapsedRuns: async (one) => {
      const { id } = await takenRun(one);
      for (const triedUntil of [later(day), at]) {
        await database.run.update({ where: { id }, data: { state: 'running', leaseUntil: ago(1), triedUntil } });
        await runReturns.returnLapsedRuns(database, { at, by });
      }
    },
    'the next run, of several places': async () => {
      const claims = openRunClaims(database);
      const place = { holder: 'another', at, concurrency: 2, heavyRuns: 2, turnMs: 60_000 };
      await Promise.all([claims.next(place), claims.next(place)]);
    },
    'the next run, where others are about to take all': () => whereAllAreTaken(database, at),
    skipWaitingNights: () => runCancellations.skipWaitingNights(database, { at, by }),
    nameHosts: () => nameHosts(database),
    getNightFacts: ({ runId }) => nightFacts.getNightFacts(database, runId),
    'getNightFacts, without a repository': async ({ userId, runId }) => {
      await database.repository.delete({ where: { userId } });
      await nightFacts.getNightFacts(database, runId);
    },
    'findNightsBefore, where there are none': ({ userId }) =>
      nightFacts.findNightsBefore(database, { userId, snapshotIds: ['none'], nights: 10 }),
    findNightsBefore: ({ userId, snapshotId }) =>
      nightFacts.findNightsBefore(database, { userId, snapshotIds: [snapshotId], nights: 10 }),
    findPlanWithPerson: ({ userId }) => findPlanWithPerson(database, userId),
    confirmAlarms: async ({ userId, formerRunId }) => {
      await database.run.update({ where: { id: formerRunId }, data: { alarm: 'loss' } });
      await protection.findProtectionFacts(database, userId);
      await protection.confirmAlarms(database, { userId, until: at, at, by });
    },
    'listProtectionFactsByName, the first': () =>
      protection.listProtectionFactsByName(database, { after: null, limit: 100 }),
    listProtectionFactsOf: ({ userId }) => protection.listProtectionFactsOf(database, [userId]),
    'of somebody without a consent': async () => {
      const { id: userId } = await users.saveUser(database, { issuer, subject: 'none', claims: {}, at }, sealing);
      await protection.findProtectionFacts(database, userId);
      await views.findPlanOfPerson(database, { userId });
    },
    findProtectionFacts: ({ userId }) => protection.findProtectionFacts(database, userId),
    listPlansInTrouble: () =>
      tonight.listPlansInTrouble(database, { at, state: 'failed', errorCode: 'source/unavailable', limit: 50 }),

    // Repositories.
    saveRepository: ({ userId }) =>
      repositories.saveRepository(database, {
        ...{ id: randomUUID(), userId, location: 'another', sealedPassword: bytes, keyId: 'one', at },
      }),
    findRepository: ({ userId }) => repositories.findRepository(database, userId),
    findStoreOfRepository: ({ userId }) => repositories.findStoreOfRepository(database, userId),
    saveRecoveryKeyFile: ({ repositoryId: id }) =>
      repositories.saveRecoveryKeyFile(database, { id, store: null, from: '{}', to: '[]' }),
    'recovery key': ({ repositoryId: id, userId }) =>
      repositories.inKeysTurn(database, userId, async () => {
        const key = { recoveryKeyFile: '[]', sealedRecoveryKey: bytes };
        await repositories.saveRecoveryKey(database, { id, store: null, ...key, reissued: { by, at } });
        for (let press = 0; press < 2; press++) await repositories.markRecoveryKeySeen(database, { id, at });
        await repositories.markRecoveryKeyKept(database, { id, recoveryKeyFile: '[]', at });
      }),
    eachRepositoryPlace: () => Array.fromAsync(repositoryMoves.eachRepositoryPlace(database)),
    listRepositoryPlaces: () => repositoryMoves.listRepositoryPlaces(database, { limit: 10 }),
    listRepositoryPlacesOf: ({ userId }) => repositoryMoves.listRepositoryPlacesOf(database, userId),
    'repository moved': async ({ repositoryId: id }) => {
      const [to, formerStore] = ['file:///to', 'file:///from'];
      await repositoryMoves.saveMovingTo(database, id, to);
      const key = { recoveryKeyFile: '{}', sealedPassword: bytes, keyId: 'one' };
      await repositoryMoves.switchStore(database, { id, from: null, to, formerStore, ...key, at, by });
      await repositoryMoves.saveFormerDeleted(database, { id, formerStore, at, by });
    },
    findRetention: ({ userId }) => retention.findRetention(database, userId),
    saveForgotten: ({ userId }) => retention.saveForgotten(database, { userId, stayed: [], count: 1, at, by }),
    'saveForgotten, where none went': ({ userId }) =>
      retention.saveForgotten(database, { userId, stayed: [], count: 0, at, by }),
    saveReplaced: ({ userId, snapshotId }) =>
      retention.saveReplaced(database, { userId, replaced: [{ from: snapshotId, to: 'another' }], at, by }),
    'saveReplaced by none': ({ userId, snapshotId }) =>
      retention.saveReplaced(database, { userId, replaced: [{ from: snapshotId, to: null }], at, by }),
    isStillQuiet: ({ userId }) => isStillQuiet(database, { userId, until: later(day) }),
    listSnapshotsOnRecord: ({ userId }) => retention.listSnapshotsOnRecord(database, userId),
    saveRetentionHold: ({ userId }) => retention.saveRetentionHold(database, { userId, hold: 'why' }),
    savePruned: ({ userId }) => retention.savePruned(database, { userId, at, by }),
    saveNotPruned: ({ userId }) => retention.saveNotPruned(database, { userId, reason: 'repository/locked', at }),
    saveRetention: ({ userId, planId }) =>
      retention.saveRetention(database, { userId, planId, rule: { daily: 3 }, sealing, at, by }),
    'saveRetention of all': ({ userId, planId }) =>
      retention.saveRetention(database, { userId, planId, rule: null, sealing, at, by }),
    'verification, whole': async ({ userId }) => {
      await verifications.claimVerification(database, { userId, at: later(2 * day), leaseUntil: later(3 * day) });
      await verifications.saveVerifying(database, { userId, nextAt: later(day), damagedPacks: [] });
      await snapshotRuns.findLastCompleteStart(database, userId);
      await verifications.saveNotVerified(database, { userId, errorCode: 'x', errorFiles: [], nextAt: at });
      await verifications.saveNotVerified(database, { userId, errorCode: null, errorFiles: [], nextAt: at });
      await verifications.saveVerified(database, { ...verified, userId, found: null });
    },
    'verification, losses': async ({ userId, snapshotId }) => {
      const found = { damage: { ...damage, removed: [snapshotId] }, state: 'removed' as const, foundAt: at };
      await verifications.saveVerified(database, { ...verified, userId, found });
      await verifications.hastenVerification(database, { userId, at });
      await verificationViews.listVerifications(database, [userId]);
      await verifications.acceptLosses(database, { userId, foundAt: at, at, by });
    },
    'verification, healed': async ({ userId }) => {
      const found = { damage, state: 'healing' as const, foundAt: at };
      await verifications.saveVerified(database, { ...verified, userId, found });
      await verifications.saveVerified(database, { ...verified, userId, found: null });
    },
    'verification, back': async ({ userId }) => {
      await database.verification.updateMany({ where: { userId }, data: { damageState: 'gone', goneAt: at } });
      await verifications.saveVerified(database, { ...verified, userId, found: null });
    },
    saveGone: ({ userId, repositoryId: id }) =>
      goneRepositories.saveGone(database, { userId, id, store: null, at, by }),
    eachGoneRepository: () => Array.fromAsync(verificationViews.eachGoneRepository(database)),
    saveBack: async ({ userId, repositoryId: id }) => {
      for (const state of ['healing', null] as const) {
        await database.verification.updateMany({ where: { userId }, data: { damageState: 'gone', goneAt: at } });
        const known = await verifications.findVerification(database, userId);
        if (known !== null) await goneRepositories.saveBack(database, { known, id, store: null, state, at });
      }
    },
    saveDoubted: ({ userId }) => verifications.saveDoubted(database, { userId, packs: ['one'], at }),
    findCompared: ({ userId }) => snapshotRuns.findCompared(database, { userId }),
    findVerification: ({ userId }) => verifications.findVerification(database, userId),
    listNightsOf: ({ userId, snapshotId }) =>
      snapshotRuns.listNightsOf(database, { userId, snapshotIds: [snapshotId] }),
    restore: async ({ userId, snapshotId }) => {
      const id = randomUUID();
      await restores.askForRestore(database, { id, userId, snapshotId, path: '', expected: undefined, at });
      await restores.startRestore(database, { id, userId, at });
      const another = randomUUID();
      await restores.askForRestore(database, { id: another, userId, snapshotId, path: '', expected: undefined, at });
      await restores.startRestore(database, { id: another, userId, at });
      await restores.tellRestore(database, id, { ...restored, at });
      await restores.findRestore(database, { id, userId, now: at });
      await restores.findRunningRestore(database, { userId, now: at });
      await restores.cancelRestore(database, { id, userId, at });
      const end = { ...restored, problemCount: 0, problems: [], message: null, errorCode: null };
      await restores.endRestore(database, id, { ...end, state: 'cancelled', at });
    },
    'askForRestore of so much': ({ userId, snapshotId }) =>
      restores.askForRestore(database, {
        ...{ id: randomUUID(), userId, snapshotId, path: '', expected: { files: 1, bytes: 1 }, at },
      }),

    // Erasing.
    changeEraseAt: async ({ userId, grantId }) => {
      await database.grant.update({ where: { id: grantId }, data: { state: 'withdrawn' } });
      await erasures.changeEraseAt(database, { userId, eraseAt: later(day), sealing, at, by });
      await inOne((transaction) => erasures.clearEraseAt(transaction, { userId, sealing, at, by }));
    },
    'snapshots erased': async (one) => {
      const repository = await toErase(one);
      for (const id of [one.userId, randomUUID()]) await erasures.findErasureFacts(database, id);
      const contents = { snapshots: 1, files: 1, bytes: 1 };
      await erasures.beginErasing(database, { repository, contents, at });
      await erasures.findHalfErased(database, one.userId);
      await erasures.finishErasing(database, { repository, at });
      await erasures.findErasure(database, one.userId);
    },
    'person erased': async (one) => {
      const { userId, grantId } = one;
      await personErasures.listGrantsToEnd(database, userId);
      await withdrawGrant(database, { grantId, at, by, reason: 'withdrawn', sealing });
      const receipt = await personErasures.beginErasingPerson(database, {
        userId,
        receipt: randomUUID(),
        seals: { person: sealing, plan: sealing, erasure: sealing },
        at,
      });
      await database.tokenGeneration.deleteMany({ where: { grantId } });
      await personErasures.findErasureReceipt(database, receipt ?? '');
      const repository = await toErase(one);
      await erasures.beginErasing(database, { repository, contents: { snapshots: 0, files: 0, bytes: 0 }, at });
      await erasures.finishErasing(database, { repository, at });
      await personErasures.mayFinishErasing(database, { userId, at });
      await personErasures.finishErasingPerson(database, { userId, at });
      await personErasures.findErasureReceipt(database, receipt ?? '');
    },

    // Pages of people, and what is told.
    'data of a person': async ({ userId }) => {
      for (const { rows } of readPersonData(database, userId)) await drain(rows);
    },
    findHome: ({ userId }) => views.findHome(database, { userId }),
    findRefusedSources: ({ runId }) => findRefusedSources(database, runId),
    findRunOfPerson: ({ userId, runId }) => views.findRunOfPerson(database, { userId, runId }),
    getPerson: ({ userId }) => views.getPerson(database, { userId }),
    findHolding: ({ userId }) => nightViews.findHolding(database, { userId }),
    'listRuns of a night': ({ userId }) => nightViews.listRuns(database, { userId, night: '2000-01-01', limit: 20 }),
    getPreferences: ({ userId }) => preferences.getPreferences(database, userId),
    savePreferences: ({ userId }) => preferences.savePreferences(database, { userId, change: { language: 'de' }, at }),
    'savePreferences, of mails': ({ userId }) =>
      preferences.savePreferences(database, { userId, change: { mutedMails: ['trouble'] }, at }),
    'a notice, delivered and not': async ({ userId }) => {
      const facts = { kind: 'circuit' as const, issuer, reason: 'refusals', since: at.toISOString() };
      const delivery = { key: 'one', channel: 'mail-person' as const, userId, facts };
      await notices.saveDeliveries(database, [delivery as unknown as notices.Delivery], at);
      const [claimed] = await notices.claimDeliveries(database, { at, limit: 1 });
      const id = claimed?.id ?? '';
      await notices.saveNotDelivered(database, { id, errorCode: 'x', nextAttemptAt: at });
      await notices.saveNotNeeded(database, id);
      await notices.saveDelivered(database, { id, at });
      await notices.findEmail(database, userId);
    },
    listChangedPeople: () => changedPeople.listChangedPeople(database, ago(600_000)),
    isErasureDue: ({ userId }) => erasures.isErasureDue(database, { userId, at }),
    listHours: () => changedPeople.listHours(database),
    listPeopleOfMoments: () => changedPeople.listPeopleOfMoments(database, { from: ago(600_000), to: at }),
    listMissedPeople: () =>
      changedPeople.listMissedPeople(database, {
        zone: 'UTC',
        windowStart: '02:00',
        windowEnd: '03:00',
        begunAt: ago(day),
      }),
    claimKeptFigure: () => claimKeptFigure(database, { name: 'one', countedAt: at, at, until: at }),
    dropKeptFigure: () => dropKeptFigure(database, 'one'),
    'listOnRecord and listWhoMayBeMailed': async ({ userId }) => {
      const delivery = { key: 'one', channel: 'mail-person' as const, userId, facts: {} };
      await notices.listOnRecord(database, [delivery as unknown as notices.Delivery]);
      await notices.listWhoMayBeMailed(database, { userIds: [userId], at });
    },
    findOperatorsTold: () => notices.findOperatorsTold(database, { reason: 'provider_trouble', since: ago(day) }),
    'findOperatorsTold of what is no circuit, ever': () =>
      notices.findOperatorsTold(database, { reason: 'no_run', since: null }),
    listCircuitsTold: () => notices.listCircuitsTold(database),

    // Sessions.
    'web session': async ({ userId }) => {
      const session = { id: 'one', userId, sid: 'a session', operator: false, authenticatedAt: null, agent: '' };
      const times = { at, endsAt: later(day) };
      const { sid: _, ...others } = { ...session, createdAt: at, lastSeenAt: at, endsAt: later(day) };
      await database.webSession.createMany({
        data: Array.from({ length: 101 }, (_, n) => ({ ...others, id: `${n}` })),
      });
      await webSessions.saveWebSession(database, { ...session, ...times, replaced: 'another' });
      const idle = { at, idleMs: day };
      await webSessions.findWebSession(database, { id: 'one', ...idle });
      await webSessions.saveSeen(database, { id: 'one', at: later(1) });
      await webSessions.listWebSessions(database, { userId, ...idle });
      await webSessions.listSignedIn(database, { userIds: [userId], ...idle });
      await webSessions.endWebSession(database, { id: 'one', userId });
      await webSessions.endWebSessionsOf(database, { userId, at, by });
    },
    eachPlanForCommand: () => drain(commands.eachPlanForCommand(database, undefined)),
    'eachPlanForCommand of somebody': ({ userId }) => drain(commands.eachPlanForCommand(database, userId)),
    listRunsForCommand: ({ runId }) => commands.listRunsForCommand(database, [runId]),
    listOwnersOfRuns: ({ runId }) => commands.listOwnersOfRuns(database, [runId]),
    'endWebSessionsOf but one': ({ userId }) =>
      webSessions.endWebSessionsOf(database, { userId, at, by, except: 'one' }),

    // Commands.
    'findUsersByName, an id': ({ userId }) => commands.findUsersByName(database, userId),
    findUsersByName: () => commands.findUsersByName(database, 'person1999'),
    'listRunsForOperators, the latest': () => people.listRunsForOperators(database, { limit: 100 }),
    'listRunsForOperators of a time': () => people.listRunsForOperators(database, { since: ago(day), limit: 100 }),
    'listRunsForOperators of a state': () => people.listRunsForOperators(database, { state: 'skipped', limit: 100 }),
    'listRunsForOperators of somebody and a state': ({ userId }) =>
      people.listRunsForOperators(database, { userId, state: 'succeeded', limit: 100 }),
    'listRunsForOperators of a state and a time': () =>
      people.listRunsForOperators(database, { state: 'failed', since: ago(day), limit: 100 }),
    'listPeople of a state that nobody has': () => people.listPeople(database, { state: 'none', limit: 51 }),
    'listPeople, somebody with a plan': ({ userId }) =>
      people.listPeople(database, { userId, hasPlan: true, state: 'active', after: userId, limit: 51 }),
    'listPeople, somebody with a plan who is searched for': ({ userId }) =>
      people.listPeople(database, {
        ...{ search: 'person1', userId, hasPlan: true, state: 'active', after: userId, limit: 51 },
      }),
    claimDueStateExport: () =>
      stateExports.claimDueStateExport(database, {
        ...{ at, leaseUntil: at, since: ago(day), keyId: 'one', triedBefore: ago(day) },
      }),
    claimStateExport: () => stateExports.claimStateExport(database, { at, leaseUntil: at }),
    saveStateExport: async () => {
      await stateExports.saveStateExport(database, { errorCode: null });
      await stateExports.findStateExport(database);
    },
    findLastErasure: () => stateExports.findLastErasure(database),
    hasRepositoriesInStore: () => stateExports.hasRepositoriesInStore(database),
    saveCardsOfOtherKeysDue: async ({ repositoryId: id }) => {
      await database.repository.update({ where: { id }, data: { cardKeyId: 'older' } });
      await cards.saveCardsOfOtherKeysDue(database, 'one');
    },
  };
  return Object.entries(all).map(([name, work], place) => ({ name, work: () => work(nth(place)) }));
}

const notBegun = { entries: 0, expected: null, problems: 0, bytesRead: 0, requests: 0, ms: 0, folder: null };

/** Whether the run of the n-th person was complete, as `fillWithPlans` has it, so many nights before this one. */
const wasComplete = (n: number, nightsBefore: number) => (n + 7 * nightsBefore) % 100 > 2;

/** People whose night is over, whose consent lives, and whose runs were all complete, so that no verb depends on its place here. */
const someones = Array.from({ length: 2_400 }, (_, n) => n).filter(
  (n) => n > 9 && n % 240 < 117 && n % 100 !== 7 && [0, 1, 2].every((nightsBefore) => wasComplete(n, nightsBefore)),
);

function nth(place: number): Someone {
  const n = someones[place];
  if (n === undefined) throw new Error('There are more verbs than people.');
  return someone(n);
}
