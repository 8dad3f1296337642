import { AppError } from '../errors.ts';

/**
 * The URL of a person's own folder: each `{claim}` of the template is replaced by that claim of the person,
 * percent-encoded, so that no value can reach into another path, query or host. Throws `config/invalid`.
 */
export function expandUrl(template: string, claims: Readonly<Record<string, unknown>>): string {
  refuseClaimsInHost(template);
  const expanded = replaceClaims(template, (claim) => claimValue(claim, claims, template));
  const url = URL.parse(expanded);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw invalid(`The source URL ${template} is not an http or https URL. Write it in full, with https://.`);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '' || /[{}?#]/.test(expanded)) {
    throw invalid(`The source URL ${template} must have no user name, password, query, fragment or lone brace.`);
  }
  return url.href;
}

/** The template for people to read: with the claims that are known already in their places. */
export function previewUrl(template: string, claims: Readonly<Record<string, string | null>>): string {
  return replaceClaims(template, (claim) => (Object.hasOwn(claims, claim) ? claims[claim]?.toWellFormed() : undefined));
}

function replaceClaims(template: string, fill: (claim: string) => string | null | undefined): string {
  return template.replace(/\{([^{}]*)\}/g, (place, claim: string) => {
    const value = fill(claim);
    return value ? encodeURIComponent(value) : place;
  });
}

function claimValue(claim: string, claims: Readonly<Record<string, unknown>>, template: string): string {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || text === '') {
    throw invalid(
      `The source URL ${template} needs the claim "${claim}", which the provider did not send. ` +
        `Let the client receive it (a mapper or scope at the provider), or use another claim in the URL.`,
    );
  }
  if (text === '.' || text === '..' || !text.isWellFormed() || text.includes('\0')) {
    throw invalid(`The claim "${claim}" has a value that cannot be a folder name in the source URL ${template}.`);
  }
  return text;
}

/** A claim may name a folder, never the server that the token is sent to. */
function refuseClaimsInHost(template: string): void {
  const authority = /^[^/]*\/\/([^/]*)/.exec(template)?.[1] ?? template;
  if (/[{}]/.test(authority)) throw invalid(`The source URL ${template} may use claims in its path only.`);
}

function invalid(message: string): AppError {
  return new AppError('config/invalid', message);
}
