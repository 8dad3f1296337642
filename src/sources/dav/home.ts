import type { Send } from '../http/dav-request.ts';
import type { Source } from '../source.ts';
import { namesOf, parseHref, partsOf, segmentOf, withSlash } from './href.ts';
import { davName } from './multistatus.ts';
import { findProperties, type PathProperties, throwUnlessRefused } from './path-properties.ts';

const body =
  '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop>' +
  '<resourcetype/><current-user-principal/><owner/></prop></propfind>';

/** What a server says of a path: who asks, and whose it is, as paths that can be compared. */
interface Told {
  readonly isCollection: boolean;
  readonly principal: string | undefined;
  readonly owner: string | undefined;
}

/**
 * The path of a person's own files below an address that is everybody's: the collection there that has the name of the person's
 * principal (RFC 5397), where the server says that it is theirs (DAV:owner, RFC 3744, section 5.1), or where the address itself
 * cannot be listed, as at Nextcloud. In all other cases it is the address, so that a folder that only has the person's name
 * never stands for all of their files. Throws `source/unauthorized` and `source/unavailable`.
 */
export async function findHome(
  { send, list }: { send: Send; list: Source['list'] },
  address: string,
  signal: AbortSignal,
): Promise<string> {
  const here = await ask(send, address, signal);
  if (here?.principal === undefined || isSame(here.owner, here.principal)) return address;
  const name = segmentOf(here.principal);
  if (name === '' || name === segmentOf(partsOf(address).path)) return address;
  const home = `${address}${name}/`;
  const there = await ask(send, home, signal);
  if (!there?.isCollection) return address;
  if (there.owner !== undefined) return isSame(there.owner, here.principal) ? home : address;
  return (await isListed(list, address, signal)) ? address : home;
}

async function isListed(list: Source['list'], location: string, signal: AbortSignal): Promise<boolean> {
  try {
    await list({ kind: 'collection', name: 'address', location }, signal);
    return true;
  } catch (error) {
    throwUnlessRefused(error);
    return false;
  }
}

/** Undefined where the server does not say, or there is no such thing. */
async function ask(send: Send, path: string, signal: AbortSignal): Promise<Told | undefined> {
  const told = await findProperties(send, path, body, signal);
  return told && toldBy(told, path);
}

function toldBy({ properties }: PathProperties, path: string): Told {
  const hrefOf = (name: string) => {
    const href = properties.get(davName(name))?.hrefs?.[0];
    return href ? parseHref(href, withSlash(path))?.path : undefined;
  };
  const isCollection = properties.get(davName('resourcetype'))?.children.includes(davName('collection')) === true;
  return { isCollection, principal: hrefOf('current-user-principal'), owner: hrefOf('owner') };
}

function isSame(one: string | undefined, other: string): boolean {
  return one !== undefined && JSON.stringify(namesOf(one)) === JSON.stringify(namesOf(other));
}
