import type { BlockList } from 'node:net';
import { calculateJwkThumbprint } from 'jose';
import type { Clock } from '../clock.ts';
import { askDiscovery } from './inspect-provider.ts';
import { openProviderHosts } from './provider-hosts.ts';
import { ask, getThrough } from './question.ts';

/** A key that a provider signs with: its name there, and its thumbprint (RFC 7638), which tells the material itself. */
export interface SigningKey {
  kid: string;
  thumbprint: string;
}

/** What an address answers of the provider behind it. */
export interface PublishedKeys {
  /** What it calls itself; absent where it does not answer with a discovery document. */
  issuer?: string;
  /** Why then, such as ECONNREFUSED, or the status that came. */
  failure?: string;
  keys: SigningKey[];
}

/**
 * Asks for the discovery document of an issuer and the keys that it names, where such may be of that issuer (see `openProviderHosts`) or in networks that
 * `inside` names. Never throws.
 */
export async function askPublishedKeys(
  { clock, inside }: { clock: Clock; inside: BlockList | undefined },
  issuer: URL,
): Promise<PublishedKeys> {
  const hosts = openProviderHosts(issuer, { inside });
  const { metadata, reply } = await askDiscovery({ clock, hosts }, issuer);
  if (metadata === undefined) return { failure: reply.failure ?? `status ${reply.status}`, keys: [] };
  const url = URL.parse(metadata.jwks_uri ?? '');
  const { keys } = url === null ? {} : (await ask(clock, url, getThrough(hosts))).body;
  const found = await Promise.all((Array.isArray(keys) ? keys.slice(0, mostKeys) : []).map(signingKeyOf));
  return { issuer: metadata.issuer, keys: found.filter((key) => key !== undefined) };
}

/** Far more than any provider has at once; each is remembered. */
const mostKeys = 200;
const longestName = 500;

/** Nothing where it is no key, or one whose name cannot be kept, or one for encryption. */
async function signingKeyOf(jwk: unknown): Promise<SigningKey | undefined> {
  if (typeof jwk !== 'object' || jwk === null) return undefined;
  const { kid, use }: { kid?: unknown; use?: unknown } = jwk;
  if (typeof kid !== 'string' || kid.length > longestName || !kid.isWellFormed() || kid.includes('\0'))
    return undefined;
  if (use !== undefined && use !== 'sig') return undefined;
  return calculateJwkThumbprint(jwk).then(
    (thumbprint) => ({ kid, thumbprint }),
    () => undefined,
  );
}
