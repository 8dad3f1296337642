import { countWords } from '../../count-words.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, unknown, warn, wrong } from '../finding.ts';
import type { TokenFacts } from '../installation.ts';

const name = 'offline tokens';

export const offlineTokens: Check = {
  name,
  run: async ({ tokens }) => checkTokens(await tokens()),
};

/** Whether the tokens in custody are what they should be. */
export function checkTokens({ opened, readable, shut, offline, strangeIssuers }: TokenFacts): Finding {
  if (shut > 0)
    return wrong(
      name,
      `Of the latest ${countWords(opened + shut, 'token')} ${shut} did not open: altered, or sealed with another key of that name.`,
      'Put the right KEYRING back; otherwise restore the rows from a backup of the database.',
    );
  if (opened === 0) return unknown(name, 'There are none yet.');
  if (strangeIssuers.length > 0)
    return wrong(
      name,
      `Tokens in custody were issued by ${strangeIssuers.join(', ')}, which is not OIDC_ISSUER: a provider refuses tokens issued under another name.`,
      'Give the provider its old address back (on Keycloak KC_HOSTNAME); or move people to the new one (nightkeep provider move), and let people consent again if it refuses their tokens.',
    );
  if (readable > offline)
    return warn(
      name,
      `Opened the latest ${opened}: only ${offline} of ${readable} that can be read say that they are offline.`,
      'The others end with the browser session: let these people consent again.',
    );
  const kind = readable === 0 ? 'only the provider can read them' : 'offline tokens of this provider';
  return ok(name, `Opened the latest ${opened}: ${kind}.`);
}
