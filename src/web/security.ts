import { randomBytes } from 'node:crypto';
import { AppError } from '../errors.ts';
import { isSameSecret } from '../vault/same-secret.ts';

interface HeaderSettings {
  readonly publicUrl: URL;
  readonly provider: { readonly issuer: URL };
}

/**
 * The headers of every answer. Frames show previews of files alone, since nothing else may be framed. Forms that begin a consent end at the provider, so its origin may be a form's target too.
 * `same-origin` as referrer policy, because `no-referrer` would make browsers send `Origin: null` with our own forms.
 */
export function securityHeaders({ publicUrl, provider }: HeaderSettings): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "frame-src 'self'",
    "script-src 'self'",
    "connect-src 'self'",
    `form-action 'self' ${provider.issuer.origin}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ];
  return {
    'content-security-policy': policy.join('; '),
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
    ...(publicUrl.protocol === 'https:' && { 'strict-transport-security': 'max-age=31536000' }),
  };
}

/**
 * The headers of an answer that holds a person's file to be shown: in a sandbox without scripts, forms and an origin, also where it is
 * opened by itself, and framed by our own pages only. A sandboxed page may not ask for an opener policy.
 */
export const sandboxHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'self'",
  'x-frame-options': 'SAMEORIGIN',
  'cross-origin-opener-policy': 'unsafe-none',
};

/** The page of Bull Board: its files are served by us, it names its base, and its styles stand in its markup. */
export const queueBoardPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Throws `request/forbidden` unless the form was sent by a Nightkeep page that was made for this session. */
export function refuseForgery(headers: Headers, sent: string, expected: string, publicUrl: URL): void {
  refuseForeign(headers, publicUrl);
  if (expected === '' || !isSameSecret(unmask(sent), expected)) throw forged();
}

/** Throws `request/forbidden` where a page of somebody else sent the form, as far as the browser tells. */
export function refuseForeign(headers: Headers, publicUrl: URL): void {
  const site = headers.get('sec-fetch-site');
  const origin = headers.get('origin');
  if ((site !== null && site !== 'same-origin') || (origin !== null && origin !== publicUrl.origin)) throw forged();
}

function forged(): AppError {
  return new AppError(
    'request/forbidden',
    'This form is out of date or came from elsewhere. Go back, reload the page and try again.',
  );
}

/**
 * The token of a session as a form carries it: masked with new random bytes each time, so that the length of a compressed page
 * tells nothing of it (BREACH).
 */
export function formToken(secret: string): string {
  const bytes = Buffer.from(secret, 'base64url');
  const mask = randomBytes(bytes.length);
  return Buffer.concat([mask, xor(bytes, mask)]).toString('base64url');
}

function unmask(token: string): string {
  const bytes = Buffer.from(token, 'base64url');
  const half = bytes.length / 2;
  return xor(bytes.subarray(half), bytes.subarray(0, half)).toString('base64url');
}

function xor(bytes: Buffer, mask: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte ^ (mask[index] ?? 0)));
}

/** Cookies carry it to the provider and back. */
const longestPath = 800;

/** The path if it stays on this site and is not overlong; otherwise the home page. */
export function localPath(text: string | undefined, publicUrl: URL): string {
  if (text === undefined || !/^\/(?![/\\])[^\\\s]*$/.test(text) || !URL.canParse(text, publicUrl.href)) return '/';
  const url = new URL(text, publicUrl);
  const path = url.pathname.replace(/^\/{2,}/, '/') + url.search;
  return url.origin === publicUrl.origin && path.length <= longestPath ? path : '/';
}
