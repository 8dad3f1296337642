import { type AppError, isAppError } from '../../errors.ts';
import { bindsTokens } from '../../oidc/bound-key.ts';
import type { ClientAtProvider, Introduction } from '../../oidc/inspect-client.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, wrong } from '../finding.ts';
import type { Installation } from '../installation.ts';

const name = 'bound tokens';

export const boundTokens: Check = {
  name,
  run: async (installation) => {
    const { clientId, metadata } = await installation.client();
    const introductions = await installation.introductions();
    return checkBoundTokens({ clientId, introductions }, sendsProofs(installation, metadata));
  },
};

/** As Nightkeep does by its settings; or why it can do nothing at all. */
function sendsProofs({ setting }: Installation, metadata: ClientAtProvider['metadata']): boolean | AppError {
  try {
    return bindsTokens({ authentication: setting('authentication'), dpop: setting('dpop') }, metadata);
  } catch (error) {
    if (isAppError(error)) return error;
    throw error;
  }
}

/**
 * Whether tokens are bound to a key where they must be (RFC 9449). `sends`: whether Nightkeep binds them by its
 * settings, or why it cannot. Says nothing where nobody demands it.
 */
export function checkBoundTokens(
  { clientId, introductions }: { clientId: string; introductions: readonly Introduction[] },
  sends: boolean | AppError,
): Finding[] {
  if (typeof sends === 'object')
    return [wrong(name, sends.message, 'Set OIDC_DPOP=auto, or turn DPoP on at the provider.')];
  if (!introductions.some(({ possession }) => possession)) return [];
  if (sends)
    return [ok(name, `The provider requires a key for the tokens of ${clientId} (DPoP), and Nightkeep has one.`)];
  return [
    wrong(
      name,
      `The provider requires a key for the tokens of ${clientId} (DPoP), and Nightkeep has none.`,
      'Set OIDC_DPOP=required, or turn the requirement off for this client (Keycloak: Require DPoP bound tokens).',
    ),
  ];
}
