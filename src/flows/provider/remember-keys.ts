import { hasProviderKeys, saveProviderKeys } from '../../database/consent/provider-moves.ts';
import { askPublishedKeys } from '../../oidc/published-keys.ts';
import type { Resources } from '../../resources.ts';

/** Records what the provider signs with now, so that it is known again should it move to another address. */
export async function rememberKeys({
  clock,
  config,
  database,
}: Pick<Resources, 'clock' | 'config' | 'database'>): Promise<number> {
  const { issuer, keys } = await askPublishedKeys({ clock, inside: config.provider.networks }, config.provider.issuer);
  if (issuer === undefined || URL.parse(issuer)?.href !== config.provider.issuer.href) return 0;
  await saveProviderKeys(database, { issuer, keys, at: clock.now() });
  return keys.length;
}

/** The same as long as none is known: a provider that moves soon after the first consent is known again too. */
export async function rememberFirstKeys(resources: Pick<Resources, 'clock' | 'config' | 'database'>): Promise<void> {
  const { href } = resources.config.provider.issuer;
  if (!(await hasProviderKeys(resources.database, [href, href.replace(/\/$/, '')]))) await rememberKeys(resources);
}
