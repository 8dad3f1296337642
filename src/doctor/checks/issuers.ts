import { countWords } from '../../count-words.ts';
import { countGrantsByIssuer, countGrantsOfOtherClients } from '../../database/consent/provider-moves.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn } from '../finding.ts';
import { quoted } from '../words.ts';

const name = 'issuers';

export const issuers: Check = {
  name,
  run: async ({ records, setting }) => {
    const database = await records();
    const counts = await countGrantsByIssuer(database);
    const issuer = setting('issuer');
    const ours = counts.find((one) => URL.parse(one.issuer)?.href === issuer.href);
    const clientId = setting('clientId');
    const others = ours && (await countGrantsOfOtherClients(database, { issuer: ours.issuer, clientId }));
    return [checkIssuers(counts, issuer), ...checkClients(others ?? [])];
  },
};

/** Whether consents are of the provider that the settings name. */
export function checkIssuers(counts: readonly { issuer: string; count: number }[], issuer: URL): Finding {
  const strange = counts.filter((one) => URL.parse(one.issuer)?.href !== issuer.href);
  const [first] = strange;
  if (first === undefined) return ok(name, 'Every consent is from OIDC_ISSUER.');
  const of = strange.map((one) => `${countWords(one.count, 'consent')} of ${one.issuer}`);
  return warn(
    name,
    `There ${first.count === 1 && strange.length === 1 ? 'is' : 'are'} ${of.join(' and ')}, which is not OIDC_ISSUER: people who sign in now are new here, without their snapshots.`,
    `If the provider has moved: nightkeep provider move ${first.issuer} ${issuer.href} --dry-run; otherwise set OIDC_ISSUER back.`,
  );
}

/** Whether consents were given to the client that the settings name. */
export function checkClients(others: readonly { clientId: string; count: number }[]): Finding[] {
  if (others.length === 0) return [];
  const of = others
    .map(({ clientId, count }) => `${countWords(count, 'consent')} to ${quoted(clientId)}`)
    .join(' and ');
  return [
    warn(
      name,
      `People gave ${of}, which is not OIDC_CLIENT_ID: a provider accepts a token only from the client that it gave it to.`,
      'If the client was replaced on purpose, ask these people to agree again: they keep plan, snapshots and record. Otherwise set OIDC_CLIENT_ID back.',
    ),
  ];
}
