import { countWords } from '../../count-words.ts';
import { countGrantsByIssuer } from '../../database/provider-moves.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn } from '../finding.ts';

const name = 'issuers';

export const issuers: Check = {
  name,
  run: async ({ records, setting }) => checkIssuers(await countGrantsByIssuer(await records()), setting('issuer')),
};

/** Whether consents are of the provider that the settings name. */
export function checkIssuers(counts: readonly { issuer: string; count: number }[], issuer: URL): Finding {
  const strange = counts.filter((one) => URL.parse(one.issuer)?.href !== issuer.href);
  const [first] = strange;
  if (first === undefined) return ok(name, 'Every consent is of OIDC_ISSUER.');
  const of = strange.map((one) => `${countWords(one.count, 'consent')} of ${one.issuer}`);
  return warn(
    name,
    `There ${first.count === 1 && strange.length === 1 ? 'is' : 'are'} ${of.join(' and ')}, which is not OIDC_ISSUER: people who sign in now are new here, without their snapshots.`,
    `If the provider has moved: nightkeep provider move ${first.issuer} ${issuer.href} --dry-run; else set OIDC_ISSUER back.`,
  );
}
