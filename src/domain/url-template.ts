import { AppError } from '../errors.ts';
import { type NamedSources, namedSources } from './source-names.ts';

/** What the URL of a person may name: each claim that the provider sent, and `sub`, the subject that it knows them by. */
export interface PersonClaims {
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Cookies, requests and records carry these URLs. */
const mostCharacters = 1_000;

/**
 * The URL of what is a person's own, a folder or their mail: each `{claim}` of the template is replaced by that claim of the person,
 * percent-encoded, so that no value can reach into another path, query or host. Text, whole numbers, true and false can
 * be filled in, unless a server could take them for more than one folder's name. Throws `source/missing-claim`, or `config/invalid`
 * where the template itself is wrong.
 */
export function urlOfPerson(template: string, person: PersonClaims): string {
  refuseClaimsInHost(template);
  const expanded = replaceClaims(template, (claim) => segmentOf(template, claim, claimOf(person, claim)));
  const url = URL.parse(expanded);
  if (url === null || !/^(https?|imaps?):$/.test(url.protocol)) {
    throw invalid(`The source URL ${template} is not an http or https URL. Write it in full, with https://.`);
  }
  const isMail = isOfMail(template);
  const hasUser = !isMail && url.username !== '';
  if (hasUser || url.password !== '' || url.search !== '' || url.hash !== '' || /[{}?#]/.test(expanded)) {
    throw invalid(`The source URL ${template} must have no user name, password, query, fragment or lone brace.`);
  }
  if (isMail && (url.username === '' || url.hostname === '' || template.includes(';') || !/^\/?$/.test(url.pathname))) {
    throw invalid(`The source URL ${template} must name a person in front of an @, and nothing behind its server.`);
  }
  if (url.href.length > mostCharacters) {
    throw missing(`The source URL ${template} is longer than ${mostCharacters} characters with this person's claims.`);
  }
  return url.href;
}

/** Whether a person has all that the template needs. */
export function isFilledIn(template: string, person: PersonClaims): boolean {
  try {
    urlOfPerson(template, person);
    return true;
  } catch {
    return false;
  }
}

/** The template up to the first claim, of mail its server: the same for everybody. */
export function withoutClaims(template: string): string {
  return isOfMail(template) ? originOf(template) : template.replace(/\{.*$/s, '');
}

/** Whether a template names a server that the settings name: an access token is sent to no other. */
export function isNamedServer(template: string, named: NamedSources): boolean {
  const origins = namedSources(named).map(({ url }) => originOf(url));
  return [...origins, ...named.filesOrigins].includes(originOf(template));
}

/** Claims stand in no host; empty where it is no address. Of mail, scheme and host, with the port where it is not the usual one. */
export function originOf(template: string): string {
  if (!isOfMail(template)) return URL.parse(withoutClaims(template))?.origin ?? '';
  const url = URL.parse(replaceClaims(template, () => 'x'));
  if (url === null) return '';
  const isUsual = url.port === '' || url.port === (url.protocol === 'imaps:' ? '993' : '143');
  return `${url.protocol}//${url.hostname.toLowerCase()}${isUsual ? '' : `:${url.port}`}`;
}

/** Whether it is the address of somebody's mail: what names them there stands in front of its host. */
function isOfMail(template: string): boolean {
  return /^imaps?:/i.test(template);
}

/** Whether the template tells people apart; else all of them have the same URL. */
export function namesClaim(template: string): boolean {
  return /\{[^{}]+\}/.test(template);
}

/** Whether a claim can be kept for URLs: URLs can name no other claims. */
export function isUrlClaim(value: unknown): value is string | number | boolean {
  return textOf(value) !== undefined;
}

/** The template for people to read: with the claims that can be filled in already in their places. */
export function previewUrl(template: string, person: PersonClaims): string {
  return replaceClaims(template, (claim) => {
    const value = textOf(claimOf(person, claim));
    return value === undefined || !isFolderName(value) ? `{${claim}}` : encodeURIComponent(value);
  });
}

function claimOf({ subject, claims }: PersonClaims, name: string): unknown {
  if (name === 'sub') return subject;
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

function replaceClaims(template: string, fill: (claim: string) => string): string {
  return template.replace(/\{([^{}]*)\}/g, (_, claim: string) => fill(claim));
}

function segmentOf(template: string, claim: string, value: unknown): string {
  const text = textOf(value);
  if (text === undefined) {
    throw missing(
      `The source URL ${template} needs the claim "${claim}" as text or a whole number, which the provider did not send. ` +
        `Let the client receive it (a mapper or scope at the provider), or use another claim in the URL.`,
    );
  }
  if (!isFolderName(text)) {
    throw missing(
      `The claim "${claim}" has a value that cannot be the name of a folder in the source URL ${template}: it is "." or "..", or holds a slash, a backslash or a control character. ` +
        'Let the provider send another value, or use another claim in the URL.',
    );
  }
  return encodeURIComponent(text);
}

/** More often no server decodes what it is sent. */
const mostReadings = 5;

/**
 * Whether it names one folder to servers too that decode a path before they take it apart, decode it several times, fold characters, take off what
 * stands behind a semicolon, or dots and spaces at the end.
 */
function isFolderName(text: string): boolean {
  let name = text;
  for (let reading = 0; reading < mostReadings; reading++) {
    if (/^\.{1,2} *(?:;|$)|[/\\\0-\x1f\x7f-\x9f\ufffd]/.test(name)) return false;
    const next = decoded(name).normalize('NFKC');
    if (next === name) return true;
    name = next;
  }
  return false;
}

function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString());
}

/** A number that JSON cannot carry exactly would name somebody else's folder. */
function textOf(value: unknown): string | undefined {
  const text = typeof value === 'boolean' || Number.isSafeInteger(value) ? String(value) : value;
  const usable = typeof text === 'string' && text !== '' && text.length <= mostCharacters;
  return usable && text.isWellFormed() && !text.includes('\0') ? text : undefined;
}

/** A claim may name a folder, never the server that the token is sent to. */
function refuseClaimsInHost(template: string): void {
  const authority = /^[^/]*\/\/([^/]*)/.exec(template)?.[1] ?? template;
  const host = isOfMail(template) ? authority.slice(authority.lastIndexOf('@') + 1) : authority;
  if (/[{}]/.test(host)) throw invalid(`The source URL ${template} may use claims in its path only.`);
}

function missing(message: string): AppError {
  return new AppError('source/missing-claim', message);
}

function invalid(message: string): AppError {
  return new AppError('config/invalid', message);
}
