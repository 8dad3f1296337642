import { auth0 } from './auth0.ts';
import { authelia } from './authelia.ts';
import { authentik } from './authentik.ts';
import { dex } from './dex.ts';
import { entra } from './entra.ts';
import { generic } from './generic.ts';
import { google } from './google.ts';
import { hydra } from './hydra.ts';
import { keycloak } from './keycloak.ts';
import { oidcProvider } from './oidc-provider.ts';
import { oktaCustom, oktaOrg } from './okta.ts';
import type { EndpointName, ProviderProfile } from './profile.ts';
import { zitadel } from './zitadel.ts';

/** Every make of provider that is known, by the names that OIDC_PROFILE takes. The first that recognises a provider has it. */
export const profiles = {
  keycloak,
  auth0,
  'okta-org': oktaOrg,
  'okta-custom': oktaCustom,
  entra,
  google,
  zitadel,
  authentik,
  authelia,
  dex,
  hydra,
  'oidc-provider': oidcProvider,
  generic,
} as const satisfies Record<string, ProviderProfile>;

export type ProfileName = keyof typeof profiles;

/** The names that `OIDC_PROFILE` takes. */
export const profileNames = Object.keys(profiles).filter((name): name is ProfileName => Object.hasOwn(profiles, name));

/** The profile that the setting names, else the one that fits the issuer and what it publishes; generic where none does. */
export function profileOf(
  issuer: URL,
  { named, metadata }: { named?: ProfileName | undefined; metadata?: object | undefined },
): ProviderProfile {
  if (named !== undefined) return profiles[named];
  const published = {
    issuer,
    ...(metadata && { endpoints: endpointsIn(metadata), members: new Set(Object.keys(metadata)) }),
  };
  const all: readonly ProviderProfile[] = Object.values(profiles);
  return all.find(({ recognise }) => recognise?.(published)) ?? generic;
}

const endpointNames: readonly EndpointName[] = [
  'authorization_endpoint',
  'token_endpoint',
  'jwks_uri',
  'device_authorization_endpoint',
];

function endpointsIn(metadata: object): Partial<Record<EndpointName, URL>> {
  const found = Object.entries(metadata).flatMap(([member, value]) => {
    const name = endpointNames.find((one) => one === member);
    const url = typeof value === 'string' ? URL.parse(value) : null;
    return name === undefined || url === null ? [] : [[name, url]];
  });
  return Object.fromEntries(found);
}
