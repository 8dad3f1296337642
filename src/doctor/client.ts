import type { AppError } from '../errors.ts';
import type { Introduction } from '../oidc/inspect-client.ts';
import type { Reply } from '../oidc/question.ts';
import { type Finding, ok, unknown, warn, wrong } from './finding.ts';
import { quoted } from './words.ts';

const name = 'client';

export interface ClientFacts {
  clientId: string;
  authentication: string;
  /** What the provider said to each secret or key. */
  introductions: readonly Introduction[];
  /** Whether the provider knows the client where no secret is asked for; undefined where that could not be seen. */
  known?: boolean | undefined;
}

type Belief = 'believed' | 'refused' | 'not allowed' | 'nobody is answered' | 'unclear';

/**
 * What the provider thinks of a client whose token was none: `invalid_grant` comes only after the client was believed.
 * Keycloak says `unauthorized_client` (401) of a wrong secret, and `invalid_client` where client is unknown or disabled;
 * 26.4 answers a proof of the wrong kind with 400, and only its words tell that from a client that may not refresh.
 */
function beliefOf({ reply: { status, body } }: Introduction): Belief {
  const { error } = body;
  if (error === 'invalid_grant') return 'believed';
  if (error === 'invalid_client') return 'refused';
  const unproven = status === 401 || /authenticating client/i.test(String(body.error_description));
  if (error === 'unauthorized_client' && unproven) return 'refused';
  if (error === 'unauthorized_client' || error === 'unsupported_grant_type') return 'not allowed';
  return status === 403 && error === 'access_denied' ? 'nobody is answered' : 'unclear';
}

export const isBelieved = (introduction: Introduction) => beliefOf(introduction) === 'believed';

/** Each secret by itself, so that whoever rolls one sees which of them the provider takes. */
export function judgeClient(facts: ClientFacts): Finding[] {
  const { introductions } = facts;
  if (introductions.length < 2) return introductions.map((introduction) => judgeOne(facts, introduction));
  const someWorks = introductions.some(isBelieved);
  return introductions.map((introduction, index) => {
    const known = someWorks || facts.known;
    const kind = facts.authentication === 'private_key_jwt' ? 'key' : 'secret';
    const finding = { ...judgeOne({ ...facts, known }, introduction), name: `${name}, ${kind} ${index + 1}` };
    if (!someWorks || finding.state !== 'wrong') return finding;
    const cure = 'Take it out of the settings once every process has the other one.';
    return warn(finding.name, `${finding.finding} Nightkeep goes on with another one.`, cure);
  });
}

function judgeOne({ clientId, authentication, known }: ClientFacts, introduction: Introduction): Finding {
  const said = evidence(introduction.reply);
  switch (beliefOf(introduction)) {
    case 'believed':
      return ok(name, `The provider believes ${clientId} (${authentication}).`);
    case 'refused':
      return judgeRefusal({ clientId, authentication, known }, introduction.reply);
    case 'not allowed':
      return wrong(
        name,
        `The provider believes ${clientId}, but does not let it refresh tokens ${said}.`,
        'Allow the grant type refresh_token for this client.',
      );
    case 'nobody is answered':
      return wrong(
        name,
        `The provider answers nobody ${said}.`,
        'Enable the realm (Keycloak: Realm settings, Enabled).',
      );
    case 'unclear':
      return wrong(
        name,
        `The token endpoint does not say whether it believes ${clientId} ${said}.`,
        'Look into the log of the provider, at what it demands of this client besides, and at the proxy before it.',
      );
  }
}

function judgeRefusal({ clientId, authentication, known }: Omit<ClientFacts, 'introductions'>, reply: Reply): Finding {
  const said = evidence(reply);
  if (authentication === 'none' && known !== false)
    return wrong(
      name,
      `The provider knows ${clientId}, but wants it to prove itself ${said}.`,
      'Set OIDC_CLIENT_AUTH and its secret or key; or make it a public client at the provider.',
    );
  const [proof, setting] =
    authentication === 'private_key_jwt' ? ['key', 'OIDC_PRIVATE_KEY'] : ['secret', 'OIDC_CLIENT_SECRET'];
  const compare = `Compare ${setting} and OIDC_CLIENT_AUTH with the client's credentials at the provider.`;
  if (known === true || reply.body.error === 'unauthorized_client')
    return wrong(
      name,
      `The provider knows ${clientId}, but not with this ${proof} (${authentication}) ${said}.`,
      compare,
    );
  if (known === false)
    return wrong(
      name,
      `The provider does not know the client ${clientId}, or it is disabled there ${said}.`,
      'Correct OIDC_CLIENT_ID, or enable the client (Keycloak: Clients, Enabled).',
    );
  return wrong(
    name,
    `The provider does not take ${clientId} for what it says it is ${said}.`,
    `Look whether the client is there and enabled. ${compare}`,
  );
}

/** A client that needs no proof although Nightkeep has one: whoever knows its id may act as Nightkeep. */
export function judgeClientType({ clientId, authentication }: ClientFacts, withoutProof: Introduction): Finding[] {
  if (authentication === 'none' || !isBelieved(withoutProof)) return [];
  return [
    warn(
      'client type',
      `The provider believes ${clientId} without any proof: it is a public client there, and ${authentication} protects nothing.`,
      'Make it confidential (Keycloak: Client authentication), then set its new secret here.',
    ),
  ];
}

/**
 * Whether tokens are bound to a key where they must be (RFC 9449). `sends`: whether Nightkeep binds them by its
 * settings, or why it cannot. Says nothing where nobody demands it.
 */
export function judgePossession({ clientId, introductions }: ClientFacts, sends: boolean | AppError): Finding[] {
  const about = 'bound tokens';
  if (typeof sends === 'object')
    return [wrong(about, sends.message, 'Set OIDC_DPOP=auto, or turn DPoP on at the provider.')];
  if (!introductions.some(({ possession }) => possession)) return [];
  if (sends)
    return [ok(about, `The provider demands a key for the tokens of ${clientId} (DPoP), and Nightkeep has one.`)];
  return [
    wrong(
      about,
      `The provider demands a key for the tokens of ${clientId} (DPoP), and Nightkeep has none.`,
      'Set OIDC_DPOP=required, or take the demand back for this client (Keycloak: Require DPoP bound tokens).',
    ),
  ];
}

/**
 * Whether people are asked before they give offline access. Keycloak tells only where the client may use passwords;
 * `reply` is its answer to a password request that names nobody.
 */
export function judgeConsentScreen(clientId: string, reply: Reply, isKeycloak: boolean): Finding {
  const about = 'consent screen';
  const { error } = reply.body;
  if (error === 'invalid_client') return ok(about, `The provider asks people before ${clientId} gets anything.`);
  if (isKeycloak && (error === 'invalid_request' || error === 'invalid_grant'))
    return warn(
      about,
      `Keycloak gives ${clientId} what it asks for without asking the person.`,
      'Turn Consent required on for this client.',
    );
  return unknown(about, 'Whether the provider asks people cannot be seen from here (Keycloak: Consent required).');
}

/** What the provider said, for people; nothing is decided by its words. */
export function evidence({ status, failure, body }: Reply): string {
  if (status === undefined) return `(${failure})`;
  const words = [quoted(body.error), quoted(body.error_description)].filter(Boolean).join(': ');
  return `(${[status, words].filter(Boolean).join(' ')})`;
}
