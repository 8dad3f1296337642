import { propertiesName } from '../../domain/restore-place.ts';
import { AppError } from '../../errors.ts';
import type { Listing, ListingProblem, Member, Reading } from '../source.ts';
import type { Described, HeldKind } from './held-kind.ts';
import type { CollectionListing } from './listing.ts';

/** Their properties are held for as long as a run lasts. */
const mostCollections = 1_000;

/** What the homes of one run say of the collections in them. */
interface Holding {
  /** Of what the homes list only the collections of this kind. */
  collectionsIn(listings: readonly CollectionListing[]): Listing;
  /** The listing of a collection that a home named, with its properties as one more entry. */
  withProperties(collection: Member, listing: Listing): Listing;
  isNamed(collection: Member): boolean;
  /** Whether there is nothing in a collection but its address. */
  isSubscribed(collection: Member): boolean;
  /** An entry that holds properties; undefined for one that the server has. */
  open(entry: Member): Reading | undefined;
}

/** Keeps what is said of the collections of one kind. */
export function openHolding(kind: HeldKind): Holding {
  const named = new Map<string, Described>();
  const contents = new Map<string, Buffer>();
  return {
    collectionsIn(listings) {
      const members = new Map<string, Member>();
      const problems: ListingProblem[] = [];
      const others: string[] = [];
      for (const listing of listings) {
        for (const problem of listing.problems) problems.push(problem);
        for (const member of listing.members) {
          const said = listing.described.get(member.location);
          if (member.kind !== 'collection' || (said?.types && !said.isOfKind)) {
            others.push(member.name);
            continue;
          }
          const problem = said?.types === undefined ? untold : members.has(member.name) ? twice : undefined;
          if (problem !== undefined) problems.push({ path: member.name, name: member.name, ...problem });
          if (said?.types === undefined || problem !== undefined) continue;
          named.set(member.location, said);
          if (members.size >= mostCollections)
            throw new AppError('source/too-large', `The server lists more than ${mostCollections} ${kind.words}.`);
          const { validator } = said;
          members.set(member.name, { ...member, ...(validator !== undefined && { validator }) });
        }
      }
      const isIncomplete = listings.some((listing) => listing.isIncomplete);
      const found = others.filter((name) => !members.has(name));
      return {
        members: [...members.values()],
        problems,
        ...(isIncomplete && { isIncomplete }),
        ...(found.length > 0 && { others: found }),
      };
    },
    withProperties({ location: collection }, listing) {
      const said = named.get(collection);
      if (said === undefined || listing.members.some(({ name }) => name === propertiesName)) return listing;
      const { digest: validator, properties } = said;
      const location = `${collection}?${propertiesName}`;
      contents.set(location, properties);
      const entry = { kind: 'entry', name: propertiesName, location, size: properties.length, validator } as const;
      return { ...listing, members: [...listing.members, entry] };
    },
    isNamed: ({ location }) => named.has(location),
    isSubscribed: ({ location }) => named.get(location)?.isSubscribed === true,
    open({ location, validator }) {
      const content = contents.get(location);
      return content && { size: content.length, validator, body: [content] };
    },
  };
}

const untold = {
  code: 'source/malformed',
  message: 'The server does not say what kind of collection this is.',
} as const;
const twice = { code: 'source/malformed', message: 'The server lists two things of this name.' } as const;

/** Refuses a place that nothing but its address says to be a home, and that holds nothing of the kind. Throws `source/not-found`. */
export function requireSome({ members, problems }: Listing, { words }: HeldKind): void {
  if (members.length + problems.length > 0) return;
  throw new AppError(
    'source/not-found',
    `The server does not say where the ${words} of this person are, and the address itself holds none.`,
  );
}
