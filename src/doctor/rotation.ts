import type { RotationFacts } from '../database/inspect-custody.ts';
import { type Finding, ok, unknown, warn, wrong } from './finding.ts';
import { countWords } from './words.ts';

/** What the claims of offline tokens say, unverified; nothing of the tokens themselves. */
export interface TokenFacts {
  /** Tokens that were opened, those of them that can be read, and tokens that did not open. */
  opened: number;
  readable: number;
  shut: number;
  /** Of those that can be read: Keycloak's `typ` Offline, `exp`, and `reuse_id`, which it sets once tokens are revoked on use. */
  offline: number;
  ending: number;
  counted: number;
  /** Issuers other than the one of the settings. */
  strangeIssuers: readonly string[];
}

const kindName = 'offline tokens';
const name = 'rotation';

/** `claims`: of each token that was opened; undefined where only the provider can read it. */
export function readTokenFacts(
  issuer: URL,
  claims: readonly (Record<string, unknown> | undefined)[],
  shut: number,
): TokenFacts {
  const readable = claims.filter((one) => one !== undefined);
  const issuers = readable.map(({ iss }) => iss).filter((iss) => typeof iss === 'string');
  return {
    shut,
    opened: claims.length,
    readable: readable.length,
    offline: readable.filter(({ typ }) => typ === 'Offline').length,
    ending: readable.filter(({ exp }) => typeof exp === 'number').length,
    counted: readable.filter(({ reuse_id: chain }) => chain !== undefined).length,
    strangeIssuers: [...new Set(issuers)].filter((iss) => URL.parse(iss)?.href !== issuer.href),
  };
}

/** Whether the tokens in custody are what they should be. */
export function judgeTokens({ opened, readable, shut, offline, strangeIssuers }: TokenFacts): Finding {
  if (shut > 0)
    return wrong(
      kindName,
      `Of the latest ${opened + shut} tokens ${shut} did not open: altered, or sealed with another key of that name.`,
      'Put the right KEYRING back; else restore the rows from a backup of the database.',
    );
  if (opened === 0) return unknown(kindName, 'There are none yet.');
  if (strangeIssuers.length > 0)
    return wrong(
      kindName,
      `Tokens in custody were issued by ${strangeIssuers.join(', ')}, which is not OIDC_ISSUER: a provider refuses tokens of another name.`,
      'Give the provider its old address back (on Keycloak KC_HOSTNAME), or let people consent again.',
    );
  if (readable > offline)
    return warn(
      kindName,
      `Opened the latest ${opened}: only ${offline} of ${readable} that can be read say that they are offline.`,
      'The others end with the session of the browser: let these people consent again.',
    );
  const kind = readable === 0 ? 'only the provider can read them' : 'offline tokens of this provider';
  return ok(kindName, `Opened the latest ${opened}: ${kind}.`);
}

/** How the provider renews tokens, as far as past exchanges and the tokens themselves show it. */
export function judgeRotation(facts: RotationFacts, { counted, readable }: TokenFacts): Finding {
  const { exchanges, renewed, takenAgain, lost, refusedAsUsed } = facts;
  const used = counted > 0 || refusedAsUsed > 0;
  if (used && takenAgain > 0)
    return ok(
      name,
      `A token ends when it is used, but may come back: after a lost answer ${takenAgain} did and went well.`,
    );
  if (used)
    return warn(
      name,
      `A token ends when it is used (Revoke Refresh Token), and whether it may come back once cannot be seen from here. ${countWords(lost, 'answer')} got lost in 30 days.`,
      'Set Refresh Token Max Reuse to 1, if it is 0: then an answer that is lost on its way costs nobody their consent.',
    );
  if (exchanges === 0) return unknown(name, 'No token has been exchanged yet.');
  if (renewed === 0)
    return ok(name, `No exchange of ${exchanges} brought a new token: the provider keeps each as it is.`);
  const seen = `Of ${countWords(exchanges, 'exchange')} ${renewed === exchanges ? 'each' : renewed} brought a new token`;
  if (readable > 0) return ok(name, `${seen}, and older ones stay good (Revoke Refresh Token is off).`);
  return ok(name, `${seen}. Whether an older one stays good cannot be seen from here.`);
}
