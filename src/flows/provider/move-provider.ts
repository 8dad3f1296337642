import {
  listIssuers,
  listLatestGrants,
  listProviderKeys,
  type MoveView,
  sameKeys,
  saveMove,
  viewMove,
} from '../../database/consent/provider-moves.ts';
import { AppError, isAppError } from '../../errors.ts';
import { askPublishedKeys, type SigningKey } from '../../oidc/published-keys.ts';
import type { Resources } from '../../resources.ts';
import { personSealing } from '../../vault/row-seals.ts';
import type { Needs } from '../custody/needs.ts';
import { exchangeNow } from '../custody/obtain-access.ts';

export interface Move {
  /** The issuer as it was, and as OIDC_ISSUER is now. */
  from: string;
  to: URL;
  dryRun: boolean;
  /** Who does it, for events and the audit. */
  by: string;
}

/** What shows that both are one provider; `none yet` only where nothing was to be changed. */
export type Proof =
  | { by: 'keys'; kids: string[] }
  | { by: 'exchange'; subject: string }
  | { by: 'none yet'; compared: string };

export interface Moved extends MoveView {
  from: string;
  to: string;
  proof: Proof;
}

const mostTried = 2;

/**
 * Follows a provider to its new address: people keep plan, snapshots and record. Only with a proof that it is the same
 * provider: it signs with a key that the old address is known to have signed with, or it takes an offline token of the old
 * one and answers for the same person. Throws `provider/not-the-same` with what was compared, `request/…` otherwise.
 */
export async function moveProvider(resources: Needs, { from, to, dryRun, by }: Move): Promise<Moved> {
  const { clock, database } = resources;
  const named = await requireNew(resources, to);
  await requireOld(resources, { from, to: named.issuer });
  const issuers = { from, to: named.issuer };
  const { kids, compared } = await compareKeys(resources, from, named.keys);
  if (dryRun) {
    const proof: Proof = kids.length > 0 ? { by: 'keys', kids } : { by: 'none yet', compared };
    return { ...issuers, proof, ...(await viewMove(database, issuers)) };
  }
  const proof: Proof = kids.length > 0 ? { by: 'keys', kids } : await proveByExchange(resources, issuers, compared);
  const at = clock.now();
  const reason = proof.by === 'keys' ? `${sameKeys}: ${kids.join(' ')}` : 'took an offline token of the old address';
  return {
    ...issuers,
    proof,
    ...(await saveMove(database, { ...issuers, reason, sealing: personSealing(resources.keyring), at, by })),
  };
}

async function requireNew({ clock, config }: Pick<Resources, 'clock' | 'config'>, to: URL) {
  if (to.href !== config.provider.issuer.href)
    throw new AppError(
      'usage/invalid',
      `OIDC_ISSUER is ${config.provider.issuer.href}, not ${to.href}. Set it to the new address first, and stop the workers until people are moved.`,
    );
  const { issuer, failure, keys } = await askPublishedKeys({ clock, inside: config.provider.networks }, to);
  if (issuer !== undefined && URL.parse(issuer)?.href === to.href) return { issuer, keys };
  throw notTheSame(
    issuer === undefined
      ? `${to.href} gives no discovery document (${failure}).`
      : `${to.href} calls itself ${issuer}: set OIDC_ISSUER to exactly that.`,
  );
}

async function requireOld({ database }: Needs, { from, to }: { from: string; to: string }): Promise<void> {
  if (from === to) throw new AppError('usage/invalid', 'OLD and NEW are the same address, so there is nobody to move.');
  const known = (await listIssuers(database)).filter((issuer) => issuer !== to);
  if (known.includes(from)) return;
  const others = known.length === 0 ? `Everybody here belongs to ${to}.` : `People are of: ${known.join(', ')}.`;
  throw new AppError('request/not-found', `Nobody here belongs to the issuer ${from}. ${others}`);
}

/** Keys are the same where name and material are: every provider could call a key "1". */
async function compareKeys({ clock, config, database }: Needs, from: string, theirs: readonly SigningKey[]) {
  const url = URL.parse(from);
  const now = url === null ? undefined : await askPublishedKeys({ clock, inside: config.provider.networks }, url);
  const answered = now?.issuer === from ? now.keys : [];
  const ours = [...answered, ...(await listProviderKeys(database, from))];
  const names = (keys: readonly SigningKey[]) => [...new Set(keys.map(({ kid }) => kid))].join(', ') || 'none';
  const same = theirs.filter((one) =>
    ours.some((other) => one.kid === other.kid && one.thumbprint === other.thumbprint),
  );
  return {
    kids: same.map(({ kid }) => kid),
    compared: `Keys of the old address: ${names(ours)} (${answered.length} of them published there now, the others remembered). Keys of the new one: ${names(theirs)}. None of them has the same name and material.`,
  };
}

/** The tokens go to OIDC_ISSUER, as they would at night. One that is refused is doubted as on any other day. */
async function proveByExchange(resources: Needs, { from }: { from: string }, compared: string): Promise<Proof> {
  const tried: string[] = [];
  for (const { id, subject } of await listLatestGrants(resources.database, { issuer: from, limit: mostTried })) {
    try {
      await exchangeNow(resources, id, { waitMs: 5_000 });
      return { by: 'exchange', subject };
    } catch (error) {
      if (!isAppError(error)) throw error;
      tried.push(`${subject}: ${error.code}`);
    }
  }
  const outcome =
    tried.length === 0 ? 'There is no consent to try it with.' : `It accepted none of: ${tried.join('; ')}.`;
  throw notTheSame(`${compared} ${outcome}`);
}

function notTheSame(what: string): AppError {
  return new AppError(
    'provider/not-the-same',
    `Nobody was moved: it is not proven that both are one provider. ${what}`,
  );
}
