import { isBlockedByBrowsers, isLoopback } from '../domain/addresses.ts';
import type { Config } from './config.ts';
import type { Environment } from './environment.ts';
import { findMisspelt } from './misspelt.ts';
import { isName, type Name } from './settings.ts';

/** As much of the settings as can be read. */
type Judged = Partial<Pick<Config, 'filesUrl' | 'calendarsUrl' | 'contactsUrl' | 'mailUrl' | 'port' | 'publicUrl'>>;

/** What is allowed and yet hardly meant: a sentence each, with the cure. */
export function adviseOn(config: Judged, environment: Environment): string[] {
  return [
    ...findMisspelt(Object.keys(environment)).map(
      ({ name, meant }) => `${name} is not a setting and changes nothing.${didYouMean(meant)}`,
    ),
    ...findQuoted(environment).map((name) => quotedWords(name)),
    ...adviseOnFiles(config),
    ...adviseOnAddress(config),
    ...adviseOnPort(config),
  ];
}

/** Settings whose value is in quotes: `docker run --env-file`, and most of what is not a shell, takes these for a part of it. */
export function findQuoted(environment: Environment): Name[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    isName(name) && /^(["'`]).*\1$|^[“„‘‚«»].*[”“’‘»«]$/s.test(value ?? '') ? [name] : [],
  );
}

/** The warning about a setting whose value came with its quotation marks, as from `docker run --env-file`. */
export function quotedWords(name: Name): string {
  return `${name} is in quotes, and they count as a part of it. Leave them out.`;
}

function didYouMean(meant: Name | undefined): string {
  return meant === undefined ? ' See: nightkeep settings' : ` Did you mean ${meant}?`;
}

function adviseOnFiles({ filesUrl, calendarsUrl, contactsUrl, mailUrl }: Judged): string[] {
  const urls = { FILES_URL: filesUrl, CALENDARS_URL: calendarsUrl, CONTACTS_URL: contactsUrl, MAIL_URL: mailUrl };
  const dollars = Object.entries(urls).flatMap(([name, url]) =>
    url?.includes('${')
      ? [`${name} has a $ in front of a brace, which stays in the address. Write a claim as {preferred_username}.`]
      : [],
  );
  if (dollars.length > 0) return dollars;
  const isSame = (url: string | undefined) => url !== undefined && !/\{\w+\}/.test(url);
  return [
    ...(isSame(filesUrl)
      ? [
          'FILES_URL names no claim in braces, so everybody is backed up from the same address, or from the folder in it that the server says is theirs. Unless the server tells people apart by their tokens, write it as https://cloud.example/dav/{preferred_username}/.',
        ]
      : []),
    ...(isSame(mailUrl)
      ? [
          'MAIL_URL names no claim in braces, so the mail of everybody is requested under the same name. Write it as imaps://{preferred_username}@imap.example.org.',
        ]
      : []),
  ];
}

/** A proxy in front has the port of a loopback address too, where it is meant. */
function adviseOnAddress({ port, publicUrl }: Judged): string[] {
  if (port === undefined || publicUrl === undefined) return [];
  const asked = Number(publicUrl.port || (publicUrl.protocol === 'https:' ? 443 : 80));
  if (port === 0 || asked === port || !isLoopback(publicUrl)) return [];
  return [
    `PUBLIC_URL is ${publicUrl.origin}, but PORT is ${port}: browsers will not find the pages unless something else passes them on. Set PUBLIC_URL to ${publicUrl.protocol}//${publicUrl.hostname}:${port}, or PORT to ${asked}.`,
  ];
}

function adviseOnPort({ publicUrl }: Judged): string[] {
  if (publicUrl === undefined || !isBlockedByBrowsers(publicUrl)) return [];
  return [
    `PUBLIC_URL has port ${publicUrl.port}, which belongs to another protocol: browsers refuse to open ${publicUrl.origin}. Serve the pages at another port, such as 3000 or 443, and set PUBLIC_URL to it.`,
  ];
}
