import { countWords } from '../count-words.ts';

/**
 * What our own checks object to in an answer that arrived, and who mends it: the signature, the issuer, the audience or the
 * time of an ID token, or the issuer in discovery (OpenID Connect Core, section 3.1.3.7; Discovery, section 4.3). Undefined
 * for any other failure, and for an answer to something else than was asked.
 */
export function objectionTo(error: unknown): string | undefined {
  const { message = '', facts } = innermost(error);
  return objections.find(([words]) => words.test(message))?.[1](facts);
}

type Facts = Readonly<Record<string, unknown>>;

/**
 * What is wrong with an answer in the address that the browser came back with, where its issuer is not the provider's (RFC 9207, section
 * 2.4). Anybody can write an address, so that nobody is blamed for what it says. Undefined for any other failure.
 */
export function foreignIssuerIn(error: unknown): string | undefined {
  const { message = '', facts } = innermost(error);
  const again = 'Nothing was changed. Start again; if it happens again, show this to the operator.';
  if (/"iss" \(issuer\) response/.test(message)) {
    const [named, expected] = [issOf(facts.parameters), facts.expected];
    return `Your browser came back with an answer from the issuer ${shown(named)}, not from ${shown(expected)}, where this was begun${slash(named, expected)}. ${again}`;
  }
  return /parameter "iss" \(issuer\) missing/.test(message)
    ? `Your browser came back with an answer that does not name its issuer, as your provider's answers do (RFC 9207). ${again}`
    : undefined;
}

/** The library tells its checks apart by message only, and hands over what it compared. */
const objections: readonly (readonly [RegExp, (facts: Facts) => string])[] = [
  [/"alg" header/, ({ header, expected }) => wrongAlgorithm(memberOf(header, 'alg'), expected)],
  [/"iss" \(issuer\) claim value/, ({ claims, expected }) => otherIssuer(memberOf(claims, 'iss'), expected)],
  [/discovered metadata issuer/, ({ body, expected }) => otherName(memberOf(body, 'issuer'), expected)],
  [/additional untrusted audiences/, ({ claims }) => furtherAudiences(memberOf(claims, 'aud'))],
  [/"azp"/, ({ claims }) => otherParty(memberOf(claims, 'azp'))],
  [/"aud" \(audience\)/, ({ claims }) => otherAudience(memberOf(claims, 'aud'))],
  [/expiration is past|not before|too far in the past/, clocksDiffer],
  [/"id_token" property/, () => noIdToken],
  [/"token_type" property|unsupported `token_type`/, ({ body }) => otherKind(memberOf(body, 'token_type'))],
  [/^An answer has more than/, () => tooLarge],
  [/^An answer has too many members/, () => tooManifold],
];

const noIdToken =
  'The provider gave no ID token. The operator must allow the client the scope openid at the provider (OpenID Connect, not OAuth alone).';

function otherKind(kind: unknown): string {
  const what = typeof kind === 'string' && kind !== '' ? `is of the kind ${shown(kind)}` : 'has no kind';
  return `The access token that the provider gave ${what} (token_type). The operator must have the provider, or what stands in front of it, say Bearer, or DPoP for a token that is bound to the key of Nightkeep (RFC 6749, section 5.1).`;
}

const tooLarge =
  'An answer of the provider is longer than allowed, and was not read to its end. The operator must look at what the provider sends, or raise PROVIDER_ANSWER_BYTES if it is right.';

const tooManifold =
  'An answer of the provider has more members or items than allowed (3,000 and 50,000), and was not accepted. The operator must look at what the provider sends about a person, such as thousands of roles.';

function wrongAlgorithm(alg: unknown, expected: unknown): string {
  const wanted = Array.isArray(expected) ? expected.map(shown).join(', ') : shown(expected);
  const how = /^HS/.test(shown(alg)) ? `${shown(alg)}, that is with the client secret instead of a key` : shown(alg);
  return `The provider signs its ID tokens with ${how}; what it publishes promises ${wanted}. The operator must give the client a signing key at the provider, and an algorithm such as RS256 or ES256.`;
}

function otherIssuer(named: unknown, expected: unknown): string {
  return `The provider calls itself ${shown(expected)}, but its ID token is from the issuer ${shown(named)}${slash(named, expected)}. The operator must make them agree, letter by letter, at the provider; OIDC_ISSUER is the name that it publishes.`;
}

function otherName(named: unknown, expected: unknown): string {
  return `OIDC_ISSUER is ${shown(expected)}, but the provider there calls itself ${shown(named)}${slash(named, expected)}. The operator must set OIDC_ISSUER to exactly what the provider calls itself.`;
}

function slash(one: unknown, other: unknown): string {
  const bare = (name: unknown) => shown(name).replace(/\/$/, '');
  return one !== other && bare(one) === bare(other) ? ' (they differ by the final slash alone)' : '';
}

function otherAudience(aud: unknown): string {
  return `The ID token of the provider is for another client than Nightkeep: ${namesIn(aud)}. The operator must compare OIDC_CLIENT_ID with the client at the provider.`;
}

function otherParty(azp: unknown): string {
  return `The ID token of the provider was requested by a client other than Nightkeep (azp): ${shown(azp)}. The operator must compare OIDC_CLIENT_ID with the client at the provider.`;
}

function furtherAudiences(aud: unknown): string {
  return `The ID token of the provider is for others besides Nightkeep (aud: ${namesIn(aud)}), and does not say which of them requested it (azp). The operator must have the provider name Nightkeep alone in ID tokens, or send azp.`;
}

function namesIn(aud: unknown): string {
  return (Array.isArray(aud) ? aud : [aud]).map(shown).join(', ');
}

/** A token that was asked for just now tells the provider's time. */
function clocksDiffer({ claims, now }: Facts): string {
  const [issued, ours] = [memberOf(claims, 'iat') ?? memberOf(claims, 'nbf'), now];
  const off = typeof issued === 'number' && typeof ours === 'number' ? Math.round(issued - ours) : 0;
  const by =
    off === 0 ? '' : ` by ${countWords(Math.abs(off), 'second')}: this machine is ${off > 0 ? 'behind' : 'ahead'}`;
  return `The clocks of the provider and of this machine differ${by}. The operator must set both by NTP.`;
}

function issOf(parameters: unknown): unknown {
  return parameters instanceof URLSearchParams ? parameters.get('iss') : undefined;
}

/** Values from outside are shown shortened, and without anything that could pass for words of Nightkeep. */
function shown(value: unknown): string {
  return typeof value === 'string' ? value.replace(/[^\w:/.~%-]/g, '').slice(0, 200) : 'nothing';
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

/** The error of the check itself, below what wraps it, and the facts that it carries as its cause. */
function innermost(error: unknown): { message?: string; facts: Facts } {
  let link: unknown = error;
  while (link instanceof Error && link.cause instanceof Error) link = link.cause;
  if (!(link instanceof Error)) return { facts: {} };
  const facts = typeof link.cause === 'object' && link.cause !== null ? { ...link.cause } : {};
  return { message: link.message, facts };
}
