import { AppError } from '../../errors.ts';
import type { AuthorizationTransaction, Authorized } from '../../oidc/authorization.ts';
import type { Resources } from '../../resources.ts';
import type { Access } from '../../sources/source.ts';
import { endUnkeptToken, type UnkeptNeeds } from '../consent/end-unkept-token.ts';
import { scopesOf } from '../consent/give-consent.ts';
import { requireSubject } from '../consent/keep-consent.ts';

type Needs = Pick<Resources, 'clock' | 'config'> & UnkeptNeeds;

/** Sends the person to the provider to let Nightkeep write to their files this once: without offline access. */
export async function beginRestoreAuthorization(
  { issuer, config }: Pick<Resources, 'issuer' | 'config'>,
  { returnTo, loginHint }: { returnTo: string; loginHint?: string | undefined },
): Promise<{ url: URL; transaction: AuthorizationTransaction }> {
  const { signIn } = scopesOf(config.provider, await issuer.profile());
  return issuer.beginAuthorization({
    purpose: 'restore',
    scope: [signIn, ...config.writeScopes].join(' '),
    prompt: 'consent',
    returnTo,
    ...(loginHint !== undefined && { loginHint }),
  });
}

/** Access for one restore. It is in memory only. */
export interface RestoreAccess {
  readonly access: Access;
  /** Ends at the provider what can be ended of it. */
  end(): Promise<void>;
}

/** Takes what the provider granted. Throws as `finishConsent` does, and refuses the access of somebody else. */
export async function finishRestoreAuthorization(
  resources: Needs,
  { callback, transaction, subject }: { callback: URL; transaction: AuthorizationTransaction; subject: string },
): Promise<RestoreAccess> {
  if (transaction.purpose !== 'restore')
    throw new AppError('consent/invalid-callback', 'This answer belongs to something else you began. Start again.');
  const authorized = await resources.issuer.finishAuthorization(callback, transaction, (tokens) =>
    endUnkeptToken(resources, tokens),
  );
  const granted = openAccess(resources, authorized);
  try {
    requireSubject(authorized, subject);
    return granted;
  } catch (error) {
    await granted.end();
    throw error;
  }
}

/** What an answer without `expires_in` is taken to live. */
const assumedSeconds = 60;

/** The access token, and as long as the restore runs others by the refresh token that came with it. */
function openAccess(resources: Needs, { issuer, subject, tokens, boundKey }: Authorized): RestoreAccess {
  const { clock } = resources;
  let held = { tokens, until: 0 };
  const hold = (answer: Authorized['tokens']) => {
    const seconds = answer.expiresIn ?? assumedSeconds;
    held = { tokens: { ...held.tokens, ...answer }, until: clock.now().getTime() + seconds * 1000 };
  };
  hold(tokens);
  const renew = async () => {
    const { refreshToken } = held.tokens;
    if (refreshToken === undefined) throw permissionEnded();
    const answer = await resources.issuer.exchange(refreshToken, boundKey);
    if (answer.kind !== 'answered' || (await answer.validate()) !== undefined) throw permissionEnded();
    hold(answer.tokens);
  };
  return {
    access: async ({ minimumSeconds, refused }) => {
      const isShort = held.until < clock.now().getTime() + minimumSeconds * 1000;
      if (isShort || held.tokens.accessToken === refused) await renew();
      const { accessToken, bound } = held.tokens;
      if (!bound || boundKey === undefined) return { token: accessToken };
      return { token: accessToken, prove: (request) => resources.issuer.prove(boundKey, { ...request, accessToken }) };
    },
    end: () => endUnkeptToken(resources, { issuer, subject, tokens: held.tokens }),
  };
}

function permissionEnded(): AppError {
  return new AppError(
    'restore/permission-ended',
    'The access that your provider gave for this restore has ended. Restore what is missing folder by folder: a new restore writes all that you choose into another new folder.',
  );
}
