import { randomUUID } from 'node:crypto';
import { profileOf } from '../domain/providers/profiles.ts';
import { scopesOf } from '../flows/consent/give-consent.ts';
import {
  type ClientAtProvider,
  type Credential,
  type Introduction,
  introduce,
  introspectNothing,
  listCredentials,
} from '../oidc/inspect-client.ts';
import { type Asked, askAuthorization } from '../oidc/trial-authorization.ts';
import type { AuthorizationFacts, Installation } from './installation.ts';
import { once } from './once.ts';

type Facts = Pick<
  Installation,
  'introductions' | 'introductionsByPost' | 'introductionOfStranger' | 'profile' | 'believed' | 'authorization'
>;

/**
 * Asks what the provider makes of Nightkeep as its client, by requests that have no effect: a token that is none,
 * and authorization requests that nobody goes on with.
 */
export function clientFacts({ client, option, setting }: Pick<Installation, 'client' | 'option' | 'setting'>): Facts {
  const credentials = once(() => {
    const known = { authentication: setting('authentication'), secrets: setting('secrets') };
    const privateKeyPem = option('privateKeyPem');
    return listCredentials({ ...known, ...(privateKeyPem !== undefined && { privateKeyPem }) });
  });
  const introductions = once(async () => {
    const [at, each] = [await client(), await credentials()];
    return Promise.all(each.map((credential) => makeKnown(at, credential)));
  });
  const introductionsByPost = once(async () => {
    const { metadata } = await client();
    const offered = metadata.token_endpoint_auth_methods_supported?.includes('client_secret_post');
    const isBasic = setting('authentication') === 'client_secret_basic';
    if (!isBasic || !offered || (await introductions()).some(isBelieved)) return [];
    const inForm = await listCredentials({ authentication: 'client_secret_post', secrets: setting('secrets') });
    return Promise.all(inForm.map(async (credential) => makeKnown(await client(), credential)));
  });
  const introductionOfStranger = once(async () => {
    const authentication = setting('authentication');
    const unclear = (await introductions()).some((one) => beliefOf(one) === 'unclear');
    if (!unclear || !authentication.startsWith('client_secret')) return undefined;
    const [stranger] = await listCredentials({ authentication, secrets: [randomUUID()] });
    return stranger && introduce(await client(), stranger);
  });
  const profile = once(async () => {
    const { metadata } = await client();
    return profileOf(setting('issuer'), { named: option('profile'), metadata });
  });
  const believed = once(async () => {
    const answers = await introductions();
    return (await credentials()).find((_, index) => answers.slice(index, index + 1).some(isBelieved));
  });
  const authorization = once(async () => {
    const redirectUri = new URL('/callback', setting('publicUrl')).href;
    const scopes = scopesOf({ extraScopes: setting('extraScopes') }, await profile());
    const asked = await askForAuthorization(await client(), { redirectUri, scopes }, await believed());
    return { redirectUri, scopes, ...asked };
  });
  return { introductions, introductionsByPost, introductionOfStranger, profile, believed, authorization };
}

/** As Nightkeep asks, and where it pushes also without pushing. */
async function askForAuthorization(
  client: ClientAtProvider,
  { redirectUri, scopes }: Pick<AuthorizationFacts, 'redirectUri' | 'scopes'>,
  believed: Credential | undefined,
): Promise<Omit<AuthorizationFacts, 'redirectUri' | 'scopes'>> {
  const both = async (pushWith?: Credential): Promise<{ signIn: Asked; consent: Asked }> => {
    const [signIn, consent] = await Promise.all([
      askAuthorization(client, { redirectUri, scope: scopes.signIn, prompt: 'none', pushWith }),
      askAuthorization(client, { redirectUri, scope: scopes.consent, prompt: 'consent', pushWith }),
    ]);
    return { signIn, consent };
  };
  const pushes = client.metadata.pushed_authorization_request_endpoint !== undefined;
  if (!pushes || believed === undefined) return { believed: believed !== undefined, ...(await both()) };
  const [pushed, direct] = await Promise.all([both(believed), both()]);
  return { believed: true, ...pushed, direct };
}

/** Some providers say the same of a wrong token as of a wrong client: their introspection tells these apart. */
async function makeKnown(client: ClientAtProvider, credential: Credential): Promise<Introduction> {
  const introduction = await introduce(client, credential);
  if (beliefOf(introduction) !== 'unclear') return introduction;
  return { ...introduction, introspection: await introspectNothing(client, credential) };
}

type Belief = 'believed' | 'refused' | 'refused by introspection' | 'not allowed' | 'nobody is answered' | 'unclear';

/**
 * What the provider thinks of a client whose token was none: `invalid_grant` comes only after the client was believed.
 * Keycloak says `unauthorized_client` (401) of a wrong secret, and `invalid_client` where client is unknown or disabled;
 * 26.4 answers a proof of the wrong kind with 400, and only its words tell that from a client that may not refresh.
 */
export function beliefOf({ reply: { status, body }, introspection }: Introduction): Belief {
  const { error } = body;
  if (error === 'invalid_grant') return 'believed';
  if (error === 'invalid_client') return 'refused';
  const unproven = status === 401 || /authenticating client/i.test(String(body.error_description));
  if (error === 'unauthorized_client' && unproven) return 'refused';
  if (error === 'unauthorized_client' || error === 'unsupported_grant_type') return 'not allowed';
  if (status === 403 && error === 'access_denied') return 'nobody is answered';
  if (introspection?.status === 200 && introspection.body.active === false) return 'believed';
  return introspection?.status === 401 ? 'refused by introspection' : 'unclear';
}

/** Whether the provider believes that it is asked by this client. */
export const isBelieved = (introduction: Introduction) => beliefOf(introduction) === 'believed';
