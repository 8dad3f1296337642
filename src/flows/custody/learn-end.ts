import { saveTokenEnd } from '../../database/consent/generations.ts';
import type { Deadlines } from '../../domain/deadlines.ts';
import type { ProviderProfile } from '../../domain/providers/profile.ts';
import type { Resources } from '../../resources.ts';
import { fingerprint } from '../../vault/seal.ts';

type Needs = Pick<Resources, 'clock' | 'config' | 'database' | 'issuer' | 'keyring' | 'log'>;

/** A current token that came with an answer which did not say when it ends. */
interface Unknown {
  grantId: string;
  refreshToken: string;
  /** What follows from its end for the grant. */
  deadlines: (life: { issuedAt: Date | undefined; endsAt: Date }, at: Date, profile: ProviderProfile) => Deadlines;
}

/**
 * Asks the provider when the token ends (`exp`, RFC 7662, section 2.2), if this make tells the truth about refresh tokens, and saves it. The token
 * is safe by now and can be used without: failures are logged, and nothing is thrown.
 */
export async function learnEnd(resources: Needs, { grantId, refreshToken, deadlines }: Unknown): Promise<void> {
  const { clock, database, issuer, keyring, log } = resources;
  try {
    const profile = await issuer.profile();
    if (profile.introspection !== 'true') return;
    const told = await issuer.introspect(refreshToken);
    if (told?.active !== true || told.endsAt === undefined) return;
    const { issuedAt, endsAt } = told;
    await saveTokenEnd(database, {
      grantId,
      fingerprint: fingerprint(keyring, refreshToken),
      issuedAt,
      endsAt,
      deadlines: deadlines({ issuedAt, endsAt }, clock.now(), profile),
    });
  } catch (error) {
    log.warn('grant.end.not-learned', { grantId, error });
  }
}
