import { randomUUID } from 'node:crypto';
import { inTransaction, type Transaction } from '../../database/client.ts';
import {
  type ConsentRows,
  findPlanOf,
  hasAgreedSince,
  lockGrantOf,
  saveFirstToken,
  saveGrant,
  savePlan,
  saveTerms,
  type Terms,
  takePlanOver,
} from '../../database/consent/consents.ts';
import { isTokenKept, nextNumber } from '../../database/consent/generations.ts';
import { closeCircuit } from '../../database/custody/circuits.ts';
import { saveAgreedSources } from '../../database/nights/files-moves.ts';
import { readSources } from '../../database/nights/plan-rows.ts';
import { saveUser } from '../../database/people/users.ts';
import { clearFormerPlan, findFormerPlan, saveFormerAlarm } from '../../database/repositories/adoptions.ts';
import { saveAgreedRule } from '../../database/repositories/retention.ts';
import { nextNight } from '../../domain/nights.ts';
import { asRule } from '../../domain/retention/rule.ts';
import { namedSources, plannedSources, type SourceName } from '../../domain/source-names.ts';
import type { OfflineToken } from '../../domain/tokens.ts';
import { urlOfPerson } from '../../domain/url-template.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Authorized } from '../../oidc/authorization.ts';
import type { Resources } from '../../resources.ts';
import { agreedRuleSealing, erasureSealing, personSealing, planSealing } from '../../vault/row-seals.ts';
import { fingerprint } from '../../vault/seal.ts';
import { sealBoundKey } from '../custody/bound-key.ts';
import { learnEnd } from '../custody/learn-end.ts';
import { deadlinesOfConsent, sealToken, windowsOf } from '../custody/offline-token.ts';
import { proveQuestions } from '../custody/proven-questions.ts';
import { markErasure, markPlan } from '../keys/marks.ts';
import { withProof } from './agreed-proof.ts';
import { agreedRule, namesAgreed, recordOf, sourcesAgreed } from './agreement.ts';
import { endUnkeptToken } from './end-unkept-token.ts';
import { personOf, withKnownClaims, zoneIn } from './person.ts';

export type KeepNeeds = Pick<
  Resources,
  'issuer' | 'config' | 'database' | 'clock' | 'keyring' | 'holder' | 'log' | 'marks' | 'store'
>;

/** A consent as the provider gave it, and what belongs to it here. */
export interface GivenConsent extends Terms {
  authorized: Authorized;
  /** The subject that is signed in; somebody else's consent is then refused. */
  subject?: string | undefined;
}

/**
 * Takes the offline token of a consent into custody: sealed, and saved with everything that belongs to it in one transaction. Throws `consent/not-
 * offline`, `source/missing-claim` or `grant/wrong-subject` with the likely cause and who can fix it, and what the database throws; nothing is kept then, and the token is
 * revoked at the provider.
 */
export async function keepConsent(resources: KeepNeeds, asGiven: GivenConsent): Promise<ConsentRows> {
  const given = { ...asGiven, authorized: await withKnownClaims(resources, asGiven.authorized) };
  const token = await acceptToken(resources, given);
  const rows = await takeIntoCustody(resources, given, token).catch(async (error: unknown) => {
    await endUnlessKept(resources, given, token);
    throw error;
  });
  if (rows.renewed) {
    await markPlan(resources, rows.plan);
    await markErasure(resources, rows.user.id);
  }
  if (token.endsAt === undefined)
    await learnEnd(resources, {
      grantId: rows.grant.id,
      refreshToken: token.refreshToken,
      deadlines: (life, at, profile) => deadlinesOfConsent(windowsOf(resources.config, profile), life, at),
    });
  await proveQuestions(resources, rows.grant, token.refreshToken);
  return rows;
}

async function acceptToken(
  resources: KeepNeeds,
  { authorized, subject, method, terms }: GivenConsent,
): Promise<OfflineToken> {
  try {
    requireSubject(authorized, subject);
    const agreed = namesAgreed(terms);
    for (const { name, url } of namedSources(resources.config)) if (agreed.has(name)) urlOfPerson(url, authorized);
    return requireOffline(authorized, method);
  } catch (error) {
    await endUnkeptToken(resources, authorized);
    throw authorized.claimsMissing && isAppError(error, 'source/missing-claim') ? untold(error) : error;
  }
}

/** A transaction that failed may have been carried out all the same: where the database cannot tell, the token is left to a consent that may need it. */
async function endUnlessKept(
  resources: KeepNeeds,
  { authorized }: GivenConsent,
  { refreshToken }: OfflineToken,
): Promise<void> {
  const { database, issuer, keyring, log } = resources;
  const { subject } = authorized;
  const whose = { issuer: authorized.issuer, subject, clientId: issuer.clientId };
  try {
    if (!(await isTokenKept(database, { ...whose, fingerprint: fingerprint(keyring, refreshToken) })))
      await endUnkeptToken(resources, authorized);
  } catch (error) {
    log.warn('token.left-alive', { why: 'it may be kept', error });
  }
}

function untold(cause: AppError): AppError {
  return new AppError(
    'provider/unavailable',
    'The provider let you in, but did not say who you are: its userinfo endpoint could not be asked. Nothing was changed. Try again soon.',
    { cause, retry: { afterMs: 5_000 } },
  );
}

async function takeIntoCustody(
  { clock, config, database, holder, issuer, keyring }: KeepNeeds,
  { authorized, terms, method, agreedAt }: GivenConsent,
  token: OfflineToken,
): Promise<ConsentRows> {
  const { clientId } = issuer;
  const profile = await issuer.profile();
  const at = clock.now();
  return inTransaction(database, async (transaction) => {
    const user = await saveUser(transaction, personOf(authorized, at), personSealing(keyring));
    const earlier = await lockGrantOf(transaction, { user, clientId });
    const owner = { userId: user.id, grantId: earlier?.id ?? randomUUID() };
    const number = await nextNumber(transaction, owner.grantId);
    const given = {
      id: owner.grantId,
      clientId,
      scope: authorized.scope,
      sid: token.sid ?? null,
      generation: number,
      ...sealBoundKey(keyring, owner, authorized.boundKey),
      ...deadlinesOfConsent(windowsOf(config, profile), token, at),
    };
    const grant = await saveGrant(transaction, { user, earlier, given, sealing: erasureSealing(keyring), at });
    await saveFirstToken(transaction, { grant, token: sealToken(keyring, owner, number, token), holder, at });
    await closeCircuit(transaction, { issuer: user.issuer, clientId, at, by: `user:${user.id}` });
    const known = await findPlanOf(transaction, { grantId: grant.id, resume: earlier?.state === 'withdrawn' });
    const former = known ?? (await takePlanOver(transaction, { grant, sealing: planSealing(keyring), at }));
    const agreed = namesAgreed(terms);
    const usual = firstPlan(config, authorized, agreed);
    const plan = former ?? (await beginPlan(transaction, keyring, { grant, usual, at }));
    const said = withProof(keyring, { userId: user.id, grantId: grant.id }, recordOf(terms, plan));
    const record = { terms: said, method, agreedAt };
    // Of two tabs the provider may answer the one first in which the button was pressed last: that is what the person wants.
    const isOutdated = await hasAgreedSince(transaction, { grantId: grant.id, agreedAt, at });
    await saveTerms(transaction, grant, { ...record, renewed: earlier !== null, at });
    if (isOutdated) return { user, grant, plan, renewed: earlier !== null };
    const sources = sourcesAgreed(config, { method, plan: readSources(plan.sources) });
    const agreedPlan = await saveAgreedSources(transaction, {
      ...{ planId: plan.id, sources: plannedSources(sources.filter(({ name }) => agreed.has(name))) },
      ...{ sealing: planSealing(keyring), at, by: `user:${user.id}` },
    });
    const rule = agreedRule(terms);
    if (rule !== undefined)
      await saveAgreedRule(transaction, { planId: plan.id, rule, sealing: agreedRuleSealing(keyring), at });
    return { user, grant, plan: agreedPlan, renewed: earlier !== null };
  });
}

/** Of somebody who comes from a lost installation the plan goes on as it was there. */
async function beginPlan(
  transaction: Transaction,
  keyring: KeepNeeds['keyring'],
  { grant, usual, at }: { grant: ConsentRows['grant']; usual: UsualPlan; at: Date },
): Promise<ConsentRows['plan']> {
  const former = await findFormerPlan(transaction, grant.userId);
  const { zone, windowStart, windowEnd, sources } = { ...usual, ...former };
  const retention = former === null ? usual.retention : asRule(former.retention);
  const hours = { id: randomUUID(), zone, windowStart, windowEnd };
  const { night, dueAt } = nextNight(hours, at);
  if (former !== null) await clearFormerPlan(transaction, grant.userId);
  const seal = planSealing(keyring).seal({ userId: grant.userId, grantId: grant.id, sources });
  const plan = { ...hours, sources, retention, nextNight: night, nextDueAt: dueAt, seal };
  const saved = await savePlan(transaction, grant, { plan, at });
  if (former?.alarm !== undefined) await saveFormerAlarm(transaction, saved.id, former.alarm);
  return saved;
}

type UsualPlan = ReturnType<typeof firstPlan>;

/** What the settings say, in the zone where the person lives as far as the provider knows it. */
function firstPlan(config: Resources['config'], { claims }: Authorized, agreed: ReadonlySet<SourceName>) {
  const { window, retention } = config;
  const sources = plannedSources(namedSources(config).filter(({ name }) => agreed.has(name)));
  return { zone: zoneIn(claims) ?? window.zone, windowStart: window.start, windowEnd: window.end, sources, retention };
}

/** Throws if the sign-in was by another person than `subject`. */
export function requireSubject(authorized: Authorized, subject: string | undefined): void {
  if (subject === undefined || authorized.subject === subject) return;
  throw new AppError(
    'grant/wrong-subject',
    'The person who consented at the provider is not the one who is signed in here. Sign out at the provider, then start again.',
  );
}

/**
 * A refresh token that comes when offline access was requested is an offline token, whatever the scope in the answer lists: some providers omit
 * what they granted. Keycloak's own word in the token prevails: `Refresh` ends with the session of the browser.
 */
function requireOffline({ scope, tokens }: Authorized, method: Terms['method']): OfflineToken {
  const { refreshToken, tokenType } = tokens;
  if (refreshToken !== undefined && tokenType !== 'Refresh') return { ...tokens, refreshToken };
  throw new AppError('consent/not-offline', notOffline[method], {
    detail: { scope, tokenType, refreshed: refreshToken !== undefined },
  });
}

const forPeople =
  'The provider let you in, but gave no offline token. Either your account lacks the role for offline access, or the client of Nightkeep lacks the scope offline_access. An administrator of the provider can add what is missing; then start again.';
const notOffline: Record<Terms['method'], string> = {
  browser: forPeople,
  device: forPeople,
  password: forPeople,
  service:
    'The provider let the client in, but gave no offline token. In Keycloak switch on "Use refresh tokens for client credentials grant" of the client (Advanced), give its service account the role offline_access, and add offline_access to its optional client scopes.',
};
