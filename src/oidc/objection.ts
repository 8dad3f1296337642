import { countWords } from '../count-words.ts';

/**
 * What our own checks object to in an answer that arrived, and who mends it: the signature, the issuer, the audience or the
 * time of an ID token, or the issuer in discovery (OpenID Connect Core, section 3.1.3.7; Discovery, section 4.3). Undefined
 * for any other failure, and for an answer to something else than was asked.
 */
export function objectionTo(error: unknown): string | undefined {
  for (const { message, facts } of linksOf(error))
    for (const [words, told] of objections) {
      const found = words.exec(message);
      if (found !== null) return told(facts, found[1] ?? '');
    }
  return undefined;
}

/** Whether an answer is to something else than was asked: state, nonce or code are not those of this request. */
export function isAnswerToAnother(error: unknown): boolean {
  return linksOf(error).some(({ message }) => /"state"|"nonce"|authorization code/.test(message));
}

type Facts = Readonly<Record<string, unknown>>;

/**
 * What is wrong with an answer in the address that the browser came back with, where its issuer is not the provider's (RFC 9207, section
 * 2.4). Anybody can write an address, so that nobody is blamed for what it says. Undefined for any other failure.
 */
export function foreignIssuerIn(error: unknown): string | undefined {
  const links = linksOf(error);
  const again = 'Nothing was changed. Start again; if it happens again, show this to the operator.';
  const foreign = links.find(({ message }) => /"iss" \(issuer\) response/.test(message));
  if (foreign !== undefined) {
    const [named, expected] = [issOf(foreign.facts.parameters), foreign.facts.expected];
    return `Your browser came back with an answer from the issuer ${shown(named)}, not from ${shown(expected)}, where this was begun${slash(named, expected)}. ${again}`;
  }
  return links.some(({ message }) => /parameter "iss" \(issuer\) missing/.test(message))
    ? `Your browser came back with an answer that does not name its issuer, as your provider's answers do (RFC 9207). ${again}`
    : undefined;
}

/** The library tells its checks apart by message only, and hands over what it compared. */
const objections: readonly (readonly [RegExp, (facts: Facts, name: string) => string])[] = [
  [/^JWT "(\w+)" .*claim missing$/, (_, claim) => withoutClaim(claim)],
  [/^unexpected JWT "(\w+)" .*claim type$/, (_, claim) => oddClaim(claim)],
  [/^ID Token "(auth_time)"/, (_, claim) => oddClaim(claim)],
  [/^JWE decryption/, () => encrypted],
  [/^Invalid JWT|JWT (Header|Payload)|"crit" header/, () => noToken],
  [/"alg" header/, ({ header, expected }) => wrongAlgorithm(memberOf(header, 'alg'), expected)],
  [/"iss" \(issuer\) claim value/, ({ claims, expected }) => otherIssuer(memberOf(claims, 'iss'), expected)],
  [/discovered metadata issuer/, ({ body, expected }) => otherName(memberOf(body, 'issuer'), expected)],
  [/additional untrusted audiences/, ({ claims }) => furtherAudiences(memberOf(claims, 'aud'))],
  [/"azp"/, ({ claims }) => otherParty(memberOf(claims, 'azp'))],
  [/"aud" \(audience\)/, ({ claims }) => otherAudience(memberOf(claims, 'aud'))],
  [/expiration is past|not before|too far in the past/, clocksDiffer],
  [/"id_token" property/, () => noIdToken],
  [/"access_token" property/, () => noAccessToken],
  [/"token_type" property|unsupported `token_type`/, ({ body }) => otherKind(memberOf(body, 'token_type'))],
  [/^An answer has more than/, () => tooLarge],
  [/^An answer has too many members/, () => tooManifold],
];

const noIdToken =
  'The provider gave no ID token. The operator must allow the client the scope openid at the provider (OpenID Connect, not OAuth alone).';

const noAccessToken =
  'The provider answered without an access token. The operator must look at what the provider sends, and at what is in front of it (RFC 6749, section 5.1).';

const noToken =
  'The provider gave an ID token that cannot be read: it is no signed token. The operator must look at what the provider sends, and at what is in front of it.';

const encrypted =
  'The provider encrypts its ID tokens, which Nightkeep does not read. The operator must switch that off for the client at the provider.';

function withoutClaim(claim: string): string {
  return `The ID token of the provider has no ${claim}. The operator must have the provider send it (OpenID Connect Core 1.0, section 2).`;
}

function oddClaim(claim: string): string {
  return `The ID token of the provider has ${claim} in another form than OpenID Connect does, such as a number as text, or text as a number. The operator must have the provider send the right form (OpenID Connect Core 1.0, section 2).`;
}

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
    off === 0
      ? ''
      : ` by ${countWords(Math.abs(off), 'second')}: this machine is ${off > 0 ? 'behind' : 'ahead, or the ID token is an earlier one that was sent again'}`;
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

/** The error of the check itself among what it wraps and what wraps it, the innermost first, each with the facts that it carries as its cause. */
function linksOf(error: unknown): { message: string; facts: Facts }[] {
  if (!(error instanceof Error)) return [];
  const { message, cause } = error;
  return [...linksOf(cause), { message, facts: typeof cause === 'object' && cause !== null ? { ...cause } : {} }];
}
