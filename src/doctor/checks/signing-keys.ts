import { countWords } from '../../count-words.ts';
import { askSigningKeys } from '../../oidc/inspect-provider.ts';
import type { Reply } from '../../oidc/question.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, wrong } from '../finding.ts';

const name = 'signing keys';

export const signingKeys: Check = {
  name,
  run: async ({ client }) => {
    const { metadata, ...asking } = await client();
    return checkSigningKeys(await askSigningKeys(asking, metadata.jwks_uri ?? ''));
  },
};

/** Whether there is a key that the provider can sign with. */
export function checkSigningKeys({ reply, signing }: { reply: Reply; signing: number }): Finding {
  const { status, failure } = reply;
  if (status !== 200)
    return wrong(
      name,
      `The provider's keys cannot be read (${failure ?? status}), so nobody can sign in.`,
      'Let this machine reach the jwks_uri of the discovery document.',
    );
  if (signing === 0)
    return wrong(
      name,
      'The provider publishes no key that it signs with.',
      'Look at the keys of the provider: one must be active for signing.',
    );
  return ok(name, `${countWords(signing, 'key')} to check signatures with, in ${reply.ms} ms.`);
}
