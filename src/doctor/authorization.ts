import type { Asked, Opened } from '../oidc/trial-authorization.ts';
import { evidence } from './client.ts';
import { type Finding, ok, unknown, warn, wrong } from './finding.ts';
import { quoted } from './words.ts';

/** What came of authorization requests that nobody goes on with. */
export interface AuthorizationFacts {
  redirectUri: string;
  scopes: { signIn: string; consent: string };
  /** As Nightkeep asks: pushed where the provider offers it and believes the client. */
  signIn: Asked;
  consent: Asked;
  /** The same without pushing, where Nightkeep pushes; it tells the reason where a provider hides it. */
  direct?: { signIn: Asked; consent: Asked } | undefined;
  /** Whether the client proved itself at the token endpoint. */
  believed: boolean;
}

/** Errors that only say that nobody is signed in or has agreed yet (OpenID Connect Core 1.0, section 3.1.2.6). */
const wantsAPerson = /^(login|interaction|consent|account_selection)_required$/;

/** Whether the provider would now ask a person. */
function isTaken({ opened }: Asked): boolean {
  if (opened === undefined) return false;
  if (opened.kind === 'asks') return true;
  return opened.kind === 'returned' && (opened.error === undefined || wantsAPerson.test(opened.error));
}

/** Whether the provider knows client and redirect address; undefined where that cannot be seen. */
export function isKnown({ opened }: Asked): boolean | undefined {
  if (opened === undefined || opened.kind === 'silent') return undefined;
  return opened.kind !== 'refuses';
}

/** Whether a person can begin to sign in: redirect address, flow and the scopes of signing in. */
export function judgeSignIn({ redirectUri, scopes, signIn, direct, believed }: AuthorizationFacts): Finding {
  const name = 'sign-in';
  if (isTaken(signIn)) return ok(name, `The provider takes authorization requests that come back to ${redirectUri}.`);
  const plain = direct?.signIn ?? signIn;
  const said = wordsOf(signIn, plain);
  if (plain.opened?.kind === 'refuses' && believed)
    return wrong(
      name,
      `The provider does not let people come back to ${redirectUri} ${said}.`,
      'Add exactly this address to the redirect URIs of the client, or correct PUBLIC_URL.',
    );
  switch (errorOf(signIn, plain)) {
    case undefined:
      return unknown(name, `It cannot be judged before the client is in order ${said}.`);
    case 'unauthorized_client':
      return wrong(
        name,
        `The client may not send people to sign in ${said}.`,
        'Turn the authorization code flow on for it (Keycloak: Standard flow).',
      );
    case 'invalid_scope':
      return wrong(
        name,
        `The client may not ask for one of the scopes ${scopes.signIn} ${said}.`,
        'Give the client these scopes, or correct OIDC_SCOPES.',
      );
    default:
      return wrong(
        name,
        `The provider refuses authorization requests ${said}.`,
        'Correct what it names in the settings of the client; its own log says more.',
      );
  }
}

/** Whether the client may ask for offline access: its request is refused where the same without it is taken. */
export function judgeOfflineScope(
  { signIn, consent, direct }: AuthorizationFacts,
  supported: readonly string[] | undefined,
): Finding {
  const name = 'offline scope';
  const plain = direct ?? { signIn, consent };
  const refused = plain.consent.opened?.error === 'invalid_scope' || (isTaken(signIn) && !isTaken(consent));
  if (refused)
    return wrong(
      name,
      `The client may not ask for offline_access ${wordsOf(consent, plain.consent)}.`,
      'Add offline_access to its scopes (Keycloak: Client scopes, as Optional).',
    );
  if (!isTaken(consent))
    return unknown(name, 'Whether the client may ask for offline_access shows once people can sign in.');
  if (supported !== undefined && !supported.includes('offline_access'))
    return warn(
      name,
      'The provider takes the request, but does not name offline_access among its scopes, so it may leave it out.',
      'Add the scope offline_access to the provider.',
    );
  return ok(name, 'The client may ask for offline_access.');
}

/** Whether requests are pushed, and whether that is demanded (RFC 9126). */
export function judgePushing(
  { signIn, direct, believed }: AuthorizationFacts,
  offered: boolean,
  demanded: boolean,
): Finding {
  const name = 'pushed requests';
  const only = demanded || (direct !== undefined && isTaken(signIn) && !isTaken(direct.signIn));
  if (!offered && only)
    return wrong(
      name,
      'The provider demands pushed requests, but names no address for them.',
      'Turn pushed authorization requests on at the provider, or take the demand back.',
    );
  if (!offered) return ok(name, 'The provider offers none, so requests go through the browser.');
  const { pushed } = signIn;
  if (!believed || pushed === undefined) return unknown(name, 'Not tried: the provider does not believe the client.');
  if (direct !== undefined && !isTaken(direct.signIn) && !isTaken(signIn))
    return unknown(name, 'They can only be judged once sign-in is in order.');
  if (typeof pushed.body.request_uri !== 'string')
    return wrong(
      name,
      `The provider takes requests from the browser, but not those that are pushed to it ${evidence(pushed)}.`,
      'Look into the log of the provider; it may demand more of this client.',
    );
  const how = only ? 'demands them' : 'takes them';
  return ok(name, `The provider ${how}, and Nightkeep pushes.`);
}

/** The error that tells most: of the request that shows its reason to the browser, else of the one that was pushed. */
function errorOf({ pushed, opened }: Asked, plain: Asked): string | undefined {
  const shown = plain.opened?.error;
  if (shown !== undefined && !wantsAPerson.test(shown)) return shown;
  if (opened?.error !== undefined) return opened.error;
  const { error } = pushed?.body ?? {};
  return typeof error === 'string' ? error : undefined;
}

function wordsOf({ pushed, opened }: Asked, plain: Asked): string {
  const shown = [plain.opened, opened].find((one) => one?.error !== undefined && !wantsAPerson.test(one.error));
  if (shown !== undefined) return `(${openedWords(shown)})`;
  if (pushed !== undefined && pushed.status !== 201) return evidence(pushed);
  return `(${openedWords(plain.opened ?? opened)})`;
}

function openedWords(opened: Opened | undefined): string {
  if (opened === undefined) return 'no answer';
  if (opened.error === undefined) return opened.kind === 'refuses' ? 'a page of its own' : 'no answer';
  return [quoted(opened.error), quoted(opened.description)].filter(Boolean).join(': ');
}
