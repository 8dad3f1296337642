import { hostInUrl, isLoopback } from '../../domain/addresses.ts';
import { inspectMailServer, type MailServerFacts } from '../../sources/imap/inspect-mail-server.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn, wrong } from '../finding.ts';
import { sentences } from '../words.ts';

const name = 'mailboxes';

export const mailboxes: Check = {
  name,
  run: async ({ clock, option }) => {
    const template = option('mailUrl');
    if (template === undefined) return [];
    const anybody = template.replace(/\{[^{}]*\}/g, 'somebody');
    return checkMailServer(await inspectMailServer(anybody, clock), { requiresBound: option('dpop') === 'required' });
  },
};

/** Whether the mail server can be used with access tokens, as far as it says so to somebody whom it does not know. */
export function checkMailServer(
  { host, port, isSecure, fault, ways }: MailServerFacts,
  { requiresBound }: { requiresBound: boolean },
): Finding {
  const server = `${host}:${port}`;
  if (fault !== undefined)
    return wrong(name, ...sentences(`${server}: ${fault}`, 'Bring the server back, or correct MAIL_URL.'));
  if (ways.length === 0)
    return wrong(
      name,
      `${server} offers neither OAUTHBEARER nor XOAUTH2, so it takes no access tokens.`,
      'Switch one of them on there, with the provider of OIDC_ISSUER.',
    );
  if (requiresBound)
    return wrong(
      name,
      'OIDC_DPOP=required binds access tokens to a key, and IMAP has no way to show the proof of it.',
      'Set OIDC_DPOP=off; people consent again.',
    );
  if (!isSecure && !isLoopback(new URL(`http://${hostInUrl(host)}`)))
    return warn(
      name,
      `Access tokens are sent to ${server} without TLS: anybody on the way can read and use them.`,
      'Write imaps:// in MAIL_URL.',
    );
  return ok(name, `${server} takes access tokens (${ways.join(', ')}).`);
}
