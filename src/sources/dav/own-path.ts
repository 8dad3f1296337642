import { piecesOf } from '../../pieces.ts';
import type { Href } from './href.ts';
import { namesOf, parentOf } from './href.ts';

/**
 * Which response of a listing is the collection itself, and what stands in it. Servers and the proxies before them write the path
 * that was asked in other ways; what is compared is its meaning.
 */

/** What was asked. Paths without a trailing slash. */
export interface AskedCollection {
  readonly path: string;
  /** Of the root collection that the listing belongs to. */
  readonly rootPath: string;
  readonly hostname: string;
}

/** One thing that a listing names. */
export interface ListedItem {
  readonly href: Href;
  readonly isCollection: boolean;
}

/** Where an item stands. */
export type Standing = 'self' | 'member' | 'deeper' | 'elsewhere' | 'other-host';

/** Ways to compare names, the strictest first: decoded, in one Unicode form, without regard to case. */
type Form = (name: string) => string;
const asIs: Form = (name) => name;
const inOneForm: Form = (name) => name.normalize('NFC');
const withoutCase: Form = (name) => name.normalize('NFC').toLowerCase();

/** The items of a listing by where they stand. */
export type PlacedItems<Item> = Partial<Record<Standing, Item[]>>;

/**
 * Groups the items of a listing by where they stand; undefined where the listing does not name the collection that was asked. That
 * collection is the item whose path means the same. Where there is none, or it does not contain the others, it is the collection that
 * directly contains all others and ends with the same names: a proxy strips, adds or replaces only what comes before the root, and the host
 * may be one behind the proxy. Paths of the answer are never requested: members are requested below the path that was asked.
 */
export async function placeItems<Item extends ListedItem>(
  items: readonly Item[],
  asked: AskedCollection,
): Promise<PlacedItems<Item> | undefined> {
  const plain = await plainlyPlaced(items, asked);
  if (plain !== undefined) return plain;
  const same = await sameMeaning(items, asked);
  const placed = same && (await grouped(items, same));
  return placed !== undefined && placed.elsewhere === undefined ? placed : ((await mapped(items, asked)) ?? placed);
}

async function grouped<Item extends ListedItem>(
  items: readonly Item[],
  standing: (item: Item) => Standing,
): Promise<PlacedItems<Item>> {
  const groups: PlacedItems<Item> = {};
  for await (const piece of piecesOf(items))
    for (const item of piece) {
      const group = standing(item);
      groups[group] ??= [];
      groups[group].push(item);
    }
  return groups;
}

/** Where the server writes all paths as the one that was asked, as most do, nothing need be taken apart; undefined elsewhere. */
async function plainlyPlaced<Item extends ListedItem>(
  items: readonly Item[],
  { path, hostname }: AskedCollection,
): Promise<PlacedItems<Item> | undefined> {
  const [self, member]: [Item[], Item[]] = [[], []];
  for await (const piece of piecesOf(items))
    for (const item of piece) {
      const { href } = item;
      if (href.hostname !== undefined && href.hostname !== hostname) return undefined;
      if (href.path === path) self.push(item);
      else if (parentOf(href.path) === path) member.push(item);
      else return undefined;
    }
  return self.length === 0 ? undefined : { self, ...(member.length > 0 && { member }) };
}

async function sameMeaning(items: readonly ListedItem[], asked: AskedCollection) {
  const depth = depthOf(asked.path);
  for (const form of [asIs, inOneForm, withoutCase]) {
    const own = keyOf(asked.path, form);
    for await (const piece of piecesOf(items)) {
      const self = piece.find(({ href }) => depthOf(href.path) === depth && keyOf(href.path, form) === own);
      if (self !== undefined) return standingIn(self, asked, form === withoutCase ? form : inOneForm);
    }
  }
  return undefined;
}

async function mapped<Item extends ListedItem>(
  items: readonly Item[],
  asked: AskedCollection,
): Promise<PlacedItems<Item> | undefined> {
  let self: Item | undefined;
  let least = Number.POSITIVE_INFINITY;
  for await (const piece of piecesOf(items))
    for (const item of piece) {
      const depth = depthOf(item.href.path);
      if (depth < least) [self, least] = [item, depth];
    }
  if (self === undefined || !self.isCollection || !isMappingOf(self.href.path, asked)) return undefined;
  const placed = await grouped(items, standingIn(self, asked, inOneForm));
  return Object.keys(placed).every((standing) => standing === 'self' || standing === 'member') ? placed : undefined;
}

/** Whether the paths end alike: with all names below the root, and at least one; the root itself may be the root of a server. */
function isMappingOf(answered: string, { path, rootPath }: AskedCollection): boolean {
  const below = depthOf(path) - depthOf(rootPath);
  if (below === 0 && (answered === '' || path === '')) return true;
  const names = namesOf(path).slice(-Math.max(below, 1));
  const others = namesOf(answered).slice(-names.length);
  return names.length === others.length && names.every((name, at) => inOneForm(name) === inOneForm(others[at] ?? ''));
}

function standingIn(self: ListedItem, { hostname }: AskedCollection, form: Form) {
  const own = keyOf(self.href.path, form);
  const below = own === '' ? '' : `${own}/`;
  /** The members of one listing nearly always write their parent alike. */
  const ofParent = new Map<string, Standing>();
  const parentStanding = (parent: string): Standing => {
    const key = keyOf(parent, form);
    return key === own ? 'member' : key.startsWith(below) ? 'deeper' : 'elsewhere';
  };
  return ({ href }: ListedItem): Standing => {
    const host = href.hostname;
    if (host !== undefined && host !== hostname && host !== self.href.hostname) return 'other-host';
    if (href.path === self.href.path) return 'self';
    const parent = parentOf(href.path);
    const standing = ofParent.get(parent) ?? parentStanding(parent);
    ofParent.set(parent, standing);
    return standing === 'elsewhere' && keyOf(href.path, form) === own ? 'self' : standing;
  };
}

function keyOf(path: string, form: Form): string {
  return namesOf(path)
    .map((name) => form(name).replaceAll('/', '%2F'))
    .join('/');
}

function depthOf(path: string): number {
  let depth = 0;
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) depth++;
  return depth;
}
