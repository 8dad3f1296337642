import { type AppError, isAppError } from '../errors.ts';
import { scopesOf } from '../flows/consent/give-consent.ts';
import { bindsTokens } from '../oidc/bound-key.ts';
import {
  askWithoutPerson,
  type ClientAtProvider,
  type Credential,
  introduce,
  noCredential,
} from '../oidc/inspect-client.ts';
import { type Asked, askAuthorization } from '../oidc/trial-authorization.ts';
import { type AuthorizationFacts, isKnown, judgeOfflineScope, judgePushing, judgeSignIn } from './authorization.ts';
import { isBelieved, judgeClient, judgeClientType, judgeConsentScreen, judgePossession } from './client.ts';
import type { Finding } from './finding.ts';
import type { Patient } from './patient.ts';

/**
 * What the provider makes of Nightkeep as its client, by questions of which nothing can come: a token that is none, no
 * proof at all, authorization requests that nobody goes on with, and a password request that names nobody.
 */
export async function lookAtClient(patient: Patient): Promise<Finding[]> {
  const [client, credentials] = [await patient.client(), await patient.credentials()];
  const { clientId, metadata } = client;
  const introductions = await Promise.all(credentials.map((credential) => introduce(client, credential)));
  const believed = credentials.find((_, index) => introductions.slice(index, index + 1).some(isBelieved));
  const [requests, withoutProof, consentScreen] = await Promise.all([
    askForAuthorization(patient, client, believed),
    introduce(client, noCredential),
    lookAtConsentScreen(client, believed),
  ]);
  const facts = {
    clientId,
    authentication: patient.setting('authentication'),
    introductions,
    known: isKnown(requests.direct?.signIn ?? requests.signIn),
  };
  const { scopes_supported, pushed_authorization_request_endpoint, require_pushed_authorization_requests } = metadata;
  const offered = pushed_authorization_request_endpoint !== undefined;
  return [
    ...judgeClient(facts),
    ...judgeClientType(facts, withoutProof),
    ...judgePossession(facts, sendsProofs(patient, metadata)),
    judgeSignIn(requests),
    judgeOfflineScope(requests, scopes_supported),
    judgePushing(requests, offered, require_pushed_authorization_requests === true),
    ...consentScreen,
  ];
}

/** As Nightkeep does by its settings; or why it can do nothing at all. */
function sendsProofs(patient: Patient, metadata: ClientAtProvider['metadata']): boolean | AppError {
  const settings = { authentication: patient.setting('authentication'), dpop: patient.setting('dpop') };
  try {
    return bindsTokens(settings, metadata);
  } catch (error) {
    if (isAppError(error)) return error;
    throw error;
  }
}

/** As Nightkeep asks, and where it pushes also without pushing. */
async function askForAuthorization(
  patient: Patient,
  client: ClientAtProvider,
  believed: Credential | undefined,
): Promise<AuthorizationFacts> {
  const redirectUri = new URL('/callback', patient.setting('publicUrl')).href;
  const scopes = scopesOf({ extraScopes: patient.setting('extraScopes') });
  const both = async (pushWith?: Credential): Promise<{ signIn: Asked; consent: Asked }> => {
    const [signIn, consent] = await Promise.all([
      askAuthorization(client, { redirectUri, scope: scopes.signIn, prompt: 'none', pushWith }),
      askAuthorization(client, { redirectUri, scope: scopes.consent, prompt: 'consent', pushWith }),
    ]);
    return { signIn, consent };
  };
  const facts = { redirectUri, scopes, believed: believed !== undefined };
  const pushes = client.metadata.pushed_authorization_request_endpoint !== undefined;
  if (!pushes || believed === undefined) return { ...facts, ...(await both()) };
  const [asWeDo, direct] = await Promise.all([both(believed), both()]);
  return { ...facts, ...asWeDo, direct };
}

async function lookAtConsentScreen(client: ClientAtProvider, believed: Credential | undefined): Promise<Finding[]> {
  if (believed === undefined) return [];
  const isKeycloak = /\/realms\/[^/]+\/protocol\/openid-connect\/token$/.test(client.metadata.token_endpoint ?? '');
  return [judgeConsentScreen(client.clientId, await askWithoutPerson(client, believed), isKeycloak)];
}
