import { AppError } from '../../errors.ts';
import { piecesOf } from '../../pieces.ts';
import { errorOfStatus } from '../http/status.ts';
import type { Listing, ListingProblem, Member } from '../source.ts';
import type { Described } from './held-kind.ts';
import { decodeSegment, type Href, partsOf, pathForPeople, segmentOf, withSlash } from './href.ts';
import type { Item } from './listed-item.ts';
import { type PlacedItems, placeItems } from './own-path.ts';

export interface CollectionListing extends Listing {
  /** The server gives collections an identity. */
  readonly hasIdentity: boolean;
  /** What else is said of collections among its members, by their location, where that was asked. */
  readonly described: ReadonlyMap<string, Described>;
}

export interface ListedCollection {
  /** Where the listing came from, with a trailing slash. */
  readonly path: string;
  readonly rootPath: string;
  readonly hostname: string;
}

type NamedItem = Item & { readonly href: Href };

/**
 * The listing of a collection, of all that the server named in it. What is odd about one thing is a problem of that one, but
 * where it cannot be told which one is meant, the listing is incomplete. Throws `source/malformed` where it does not name the
 * collection itself, and what the server says of that. A large one is made in pieces.
 */
export async function listingOf(items: readonly Item[], collection: ListedCollection): Promise<CollectionListing> {
  const named = items.filter((item): item is NamedItem => item.href !== undefined);
  const groups = await placeItems(named, {
    ...collection,
    path: bare(collection.path),
    rootPath: bare(collection.rootPath),
  });
  if (groups === undefined) throw notNamed(collection, named[0]);
  const hasIdentity = checkSelf(groups.self ?? []);
  const { members, problems, described } = await membersOf(groups.member ?? [], collection);
  const strays = await straysOf(items, groups, collection);
  const isIncomplete = strays.length > 0 || named.some(({ isUncertain }) => isUncertain);
  const validator = groups.self?.[0]?.facts.validator;
  return {
    members,
    problems: problems.concat(strays),
    ...(isIncomplete && { isIncomplete }),
    ...(validator !== undefined && { validator }),
    hasIdentity,
    described,
  };
}

/** A listing must contain the collection itself (RFC 4918, section 9.1), else it is unknown what was listed. */
function notNamed({ path, hostname }: ListedCollection, instead: NamedItem | undefined): AppError {
  const what = instead === undefined ? 'It is empty.' : `It names ${instead.written.slice(0, 200)} instead.`;
  return new AppError(
    'source/malformed',
    `The listing does not name the folder that was requested, ${path} on ${hostname}. ${what}`,
  );
}

function checkSelf(selves: readonly NamedItem[]): boolean {
  for (const { problem, isCollection } of selves) {
    if (problem?.status !== undefined) throw errorOfStatus(problem.status);
    if (problem !== undefined) throw new AppError(problem.code, problem.message);
    if (!isCollection) throw new AppError('source/changed', 'It is not a folder.', { detail: { isFolder: false } });
  }
  return selves.some(({ propagates, facts }) => propagates || facts.identity !== undefined);
}

async function membersOf(items: readonly NamedItem[], collection: ListedCollection) {
  const members = new Map<string, Member>();
  const problems: ListingProblem[] = [];
  const described = new Map<string, Described>();
  for await (const piece of piecesOf(items))
    for (const item of piece) addMember({ members, problems, described }, item, collection);
  return { members: [...members.values()], problems, described };
}

function addMember(
  {
    members,
    problems,
    described,
  }: { members: Map<string, Member>; problems: ListingProblem[]; described: Map<string, Described> },
  { href, isCollection, facts, problem, isUncertain, described: more }: NamedItem,
  { path, rootPath }: ListedCollection,
): void {
  const segment = segmentOf(href.path);
  const name = decodeSegment(segment);
  const location = isCollection ? withSlash(path + segment) : path + segment;
  const found = problem ?? oddName(name) ?? twin(members.get(name), location);
  if (found !== undefined) {
    const isKnown = problem !== undefined && !isUncertain && oddName(name) === undefined;
    const { code, message } = found;
    problems.push({ path: pathForPeople(path + segment, rootPath), code, message, ...(isKnown && { name }) });
  } else if (!members.has(name)) {
    members.set(name, { kind: isCollection ? 'collection' : 'entry', name, location, ...facts });
    if (more !== undefined) described.set(location, more);
  }
}

function oddName(name: string): Item['problem'] {
  if (name === '' || name === '.' || name === '..') return malformed('has a name that no file can have');
  if (name.includes('/')) return malformed('has a name with a slash inside');
  if (name.includes('\0')) return malformed('has a name with a NUL inside');
  return undefined;
}

function twin(known: Member | undefined, location: string): Item['problem'] {
  if (known === undefined || withSlash(known.location) === withSlash(location)) return undefined;
  return { code: 'source/malformed', message: 'The server lists two things of this name.' };
}

function malformed(why: string): Item['problem'] {
  return { code: 'source/malformed', message: `The server lists something that ${why}.` };
}

/** What a listing has besides members, in words: it may stand for a member that is not named otherwise. */
async function straysOf(
  items: readonly Item[],
  { deeper, elsewhere = [], ...groups }: PlacedItems<NamedItem>,
  { path, rootPath }: ListedCollection,
): Promise<ListingProblem[]> {
  if ((groups.self?.length ?? 0) + (groups.member?.length ?? 0) === items.length) return [];
  const strays: ListingProblem[] = [];
  const tell = (message: string) =>
    strays.push({ path: pathForPeople(path, rootPath), code: 'source/malformed', message });
  const unnamed = items.filter(({ href }) => href === undefined).length;
  const quote = ({ written }: Item) => written.slice(0, 200);
  if (unnamed > 0) tell(`The server lists something without a name that can be read (${unnamed}).`);
  if (deeper?.[0]) tell(`The server lists more than what is directly in the folder (${quote(deeper[0])}).`);
  for await (const piece of piecesOf(elsewhere))
    for (const item of piece) tell(`The server lists something that is not in the folder (${quote(item)}).`);
  for await (const piece of piecesOf(groups['other-host'] ?? []))
    for (const item of piece) tell(`The server lists something on another server (${quote(item)}).`);
  return strays;
}

function bare(path: string): string {
  return partsOf(path).path;
}
