import { type Config, readConfig } from '../../src/config/config.ts';
import type { ProviderProcess } from './provider-process.ts';

/** Nightkeep as a client of this provider. */
export function configOf(
  provider: Pick<ProviderProcess, 'issuer' | 'clientId' | 'secret' | 'redirectUri'>,
  keyring: string,
): Config {
  return readConfig({
    PUBLIC_URL: new URL('/', provider.redirectUri).href,
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: provider.clientId,
    OIDC_CLIENT_SECRET: provider.secret,
    FILES_URL: 'http://127.0.0.1/{sub}/',
    KEYRING: keyring,
  });
}
