import { AppError, isAppError } from '../../errors.ts';
import type { Send } from '../http/dav-request.ts';
import { type HeldKind, propfindOf } from './held-kind.ts';
import { parseHref, withSlash } from './href.ts';
import { davName } from './multistatus.ts';
import { askProperties, throwUnlessRefused } from './path-properties.ts';

const currentPrincipal = davName('current-user-principal');
const resourceType = davName('resourcetype');
const collection = davName('collection');

/** More than any server has for one person. */
const mostHomes = 16;

/** Where collections of a kind are, as paths with a slash at their end. */
export interface Homes {
  readonly paths: readonly [string, ...string[]];
  /** The server does not say that they are there: it is the address, taken for what it may be. */
  readonly isGuessed: boolean;
}

interface Asked {
  readonly send: Send;
  readonly hostname: string;
  readonly kind: HeldKind;
}

/**
 * Finds where a person has collections of this kind, with their token: the homes that the address names, or the principal that it names (RFC 5397;
 * RFC 4791, section 6.2.1; RFC 6352, section 7.1.1). Where the address is no collection at all, the server's well-known path is asked in its
 * place (RFC 6764, section 6). A collection that says nothing of the kind may be the home itself. Throws the errors of `Source.list`, and
 * `source/refused-redirect` for a home on another host.
 */
export async function findHomes(asked: Asked, address: string, signal: AbortSignal): Promise<Homes> {
  const { kind } = asked;
  try {
    const here = await tellOf(asked, address, signal);
    const found = here.homes ?? (await homesOfPrincipal(asked, here.principal, signal));
    if (found !== undefined) return { paths: found, isGuessed: false };
    if (here.isCollection) return { paths: [withSlash(here.path)], isGuessed: true };
    throw new AppError('source/not-found', `The server does not say where the ${kind.words} of this person are.`);
  } catch (error) {
    throwUnlessRefused(error);
    const elsewhere = isHost(error) ? undefined : await wellKnownHomes(asked, address, signal);
    if (elsewhere === undefined) throw error;
    return { paths: elsewhere, isGuessed: false };
  }
}

/** What there is to say of a path, as this search needs it. */
interface Place {
  readonly path: string;
  readonly isCollection: boolean;
  readonly principal: string | undefined;
  readonly homes: Homes['paths'] | undefined;
}

async function tellOf({ send, hostname, kind }: Asked, path: string, signal: AbortSignal): Promise<Place> {
  const told = await askProperties(send, path, propfindOf([resourceType, currentPrincipal, kind.homeSet]), signal);
  const hrefsOf = (name: string) => told.properties.get(name)?.hrefs ?? [];
  const [principal] = hrefsOf(currentPrincipal);
  const [home, ...others] = hrefsOf(kind.homeSet).slice(0, mostHomes);
  const pathOf = (href: string) => pathHere(href, told.path, { hostname, kind });
  return {
    path: told.path,
    isCollection: told.properties.get(resourceType)?.children.includes(collection) === true,
    principal: principal && pathOf(principal),
    homes: home ? [pathOf(home), ...new Set(others.map(pathOf).filter((other) => other !== pathOf(home)))] : undefined,
  };
}

async function homesOfPrincipal(
  asked: Asked,
  principal: string | undefined,
  signal: AbortSignal,
): Promise<Homes['paths'] | undefined> {
  if (principal === undefined) return undefined;
  try {
    return (await tellOf(asked, principal, signal)).homes;
  } catch (error) {
    throwUnlessRefused(error);
    if (isHost(error)) throw error;
    return undefined;
  }
}

async function wellKnownHomes(asked: Asked, address: string, signal: AbortSignal): Promise<Homes['paths'] | undefined> {
  const { wellKnown } = asked.kind;
  if (withSlash(address) === withSlash(wellKnown)) return undefined;
  try {
    const { homes, principal } = await tellOf(asked, wellKnown, signal);
    return homes ?? (await homesOfPrincipal(asked, principal, signal));
  } catch (error) {
    throwUnlessRefused(error);
    if (isHost(error)) throw error;
    return undefined;
  }
}

/** The token goes to no other host, whatever a server says. */
function pathHere(href: string, from: string, { hostname, kind }: Omit<Asked, 'send'>): string {
  const found = parseHref(href, withSlash(from));
  if (found !== undefined && (found.hostname === undefined || found.hostname === hostname))
    return withSlash(found.path);
  throw new AppError(
    'source/refused-redirect',
    `The server says that the ${kind.words} of this person are at ${href.slice(0, 200)}; the access token is not sent there. If they are there, the operator can name that address in the settings.`,
  );
}

function isHost(error: unknown): boolean {
  return isAppError(error, 'source/refused-redirect');
}
