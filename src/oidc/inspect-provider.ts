import type { ServerMetadata } from 'openid-client';
import type { Clock } from '../clock.ts';
import type { ProviderHosts } from './provider-hosts.ts';
import { ask, getThrough, type Reply } from './question.ts';
import { isTold } from './tidy-answer.ts';

/** What the provider publishes of itself (OpenID Connect Discovery 1.0, section 4). */
export interface Published {
  /** Where it was looked for. */
  url: URL;
  reply: Reply;
  /** Absent where nothing like a discovery document came. */
  metadata?: ServerMetadata;
}

/** Who asks: by which clock, and whom at most. */
export interface Asking {
  readonly clock: Clock;
  readonly hosts: ProviderHosts;
}

/** Asks for the discovery document of the issuer. Never throws. */
export async function askDiscovery({ clock, hosts }: Asking, issuer: URL): Promise<Published> {
  const url = new URL(issuer);
  url.pathname = `${issuer.pathname.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const reply = await ask(clock, url, getThrough(hosts));
  const { issuer: named } = reply.body;
  if (reply.status !== 200 || typeof named !== 'string') return { url, reply };
  const told = Object.fromEntries(Object.entries(reply.body).filter(([, value]) => isTold(value)));
  return { url, reply, metadata: { ...told, issuer: named } };
}

/** Asks for the keys that the provider signs with (RFC 7517). Never throws. */
export async function askSigningKeys(
  { clock, hosts }: Asking,
  jwksUri: string,
): Promise<{ reply: Reply; signing: number }> {
  const reply = await ask(clock, new URL(jwksUri), getThrough(hosts));
  const keys = Array.isArray(reply.body.keys) ? reply.body.keys : [];
  return { reply, signing: keys.filter(isForSigning).length };
}

/** A key without `use` is for everything (RFC 7517, section 4.2). */
function isForSigning(key: unknown): boolean {
  return typeof key === 'object' && key !== null && 'kty' in key && (!('use' in key) || key.use === 'sig');
}

/** The endpoints without which nothing can be asked, as far as they are missing or no addresses. */
export function missingEndpoints(metadata: ServerMetadata): string[] {
  const names = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const;
  return names.filter((name) => URL.parse(metadata[name] ?? '') === null);
}
