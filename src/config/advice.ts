import { isBlockedByBrowsers, isLoopback } from '../domain/addresses.ts';
import type { Config } from './config.ts';
import { findMisspelt } from './misspelt.ts';
import type { Name } from './settings.ts';

/** As much of the settings as can be read. */
type Judged = Partial<Pick<Config, 'filesUrl' | 'port' | 'publicUrl'>>;

/** What is allowed and yet hardly meant: a sentence each, with the cure. `names` are those of the environment. */
export function adviseOn(config: Judged, names: readonly string[]): string[] {
  return [
    ...findMisspelt(names).map(
      ({ name, meant }) => `${name} is not a setting and changes nothing.${didYouMean(meant)}`,
    ),
    ...adviseOnFiles(config),
    ...adviseOnAddress(config),
    ...adviseOnPort(config),
  ];
}

function didYouMean(meant: Name | undefined): string {
  return meant === undefined ? ' See: nightkeep settings' : ` Did you mean ${meant}?`;
}

function adviseOnFiles({ filesUrl }: Judged): string[] {
  if (filesUrl === undefined || /\{\w+\}/.test(filesUrl)) return [];
  return [
    'FILES_URL names no claim in braces, so everybody is backed up from the same address, or from the folder in it that the server says is theirs. Unless the server tells people apart by their tokens, write it as https://cloud.example/dav/{preferred_username}/.',
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
    `PUBLIC_URL has port ${publicUrl.port}, which is another protocol's: no browser opens ${publicUrl.origin}. Let the pages be reached at another port, such as 3000 or 443, and set PUBLIC_URL to it.`,
  ];
}
