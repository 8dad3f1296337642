import { type AppError, isAppError } from '../../errors.ts';
import type { Send } from '../http/dav-request.ts';
import type { Listing, ListingProblem, Member, Reading, Source } from '../source.ts';
import { openBulkReading } from './bulk-reading.ts';
import { findHomes, type Homes } from './find-homes.ts';
import { describedBy, type HeldKind, homeBody } from './held-kind.ts';
import { openHolding, requireSome } from './held-listing.ts';
import type { CollectionListing } from './listing.ts';
import { findProperties } from './path-properties.ts';

interface Asks {
  /** Holds a slot of the server by itself. */
  readonly send: Send;
  readonly list: (collection: Member, signal: AbortSignal, held?: HeldKind) => Promise<CollectionListing>;
  readonly hostname: string;
  readonly kind: HeldKind;
  /** Called for all content that arrives. */
  readonly onBytes: (count: number) => void;
}

/** What a source of calendars or address books does otherwise than one of files. */
interface HeldSource extends Required<Pick<Source, 'list' | 'expect'>> {
  /** Where the person's collections are, by the path of the address; the first place, where there are several. */
  findRoot(address: string, signal: AbortSignal): Promise<string>;
  /** What is had without a GET: the properties of a collection, and objects that were asked for together. */
  open(entry: Member, signal: AbortSignal): Promise<Reading | undefined>;
}

/** What concerns one of several homes; throws anything else. */
function ofOneHome(error: unknown): AppError {
  if (!isAppError(error) || !error.code.startsWith('source/')) throw error;
  if (error.code === 'source/unauthorized' || (error.code === 'source/too-large' && error.retry)) throw error;
  return error;
}

function unlisted({ location, error }: { location: string; error: AppError }): ListingProblem {
  const message = `The server names ${location} as another place of this person, and does not list it: ${error.message}`;
  return { path: '', code: error.code, message };
}

/** The collections of one kind that a person has at a server, in all of their homes. */
export function heldSource({ send, list, hostname, kind, onBytes }: Asks): HeldSource {
  const holding = openHolding(kind);
  const bulk = openBulkReading(send, kind, onBytes);
  let homes: Homes['paths'] | undefined;

  async function listHomes(paths: Homes['paths'], signal: AbortSignal): Promise<Listing> {
    const listings: CollectionListing[] = [];
    const failures: { location: string; error: AppError }[] = [];
    for (const location of paths)
      try {
        listings.push(await list({ kind: 'collection', name: 'home', location }, signal, kind));
      } catch (error) {
        failures.push({ location, error: ofOneHome(error) });
        if (failures.length === paths.length) throw failures[0]?.error;
      }
    const { problems, ...found } = holding.collectionsIn(listings);
    if (failures.length === 0) return { problems, ...found };
    return { ...found, problems: [...problems, ...failures.map(unlisted)], isIncomplete: true };
  }

  async function listOne(collection: Member, signal: AbortSignal): Promise<Listing> {
    if (holding.isSubscribed(collection)) return holding.withProperties(collection, { members: [], problems: [] });
    const listing = await list(collection, signal);
    if (!holding.isNamed(collection)) return listing;
    // What it was before it was listed would hide a change in between.
    const told = await findProperties(send, collection.location, homeBody(kind), signal);
    const validator = told && describedBy(kind, told.properties).validator;
    return holding.withProperties(collection, { ...listing, ...(validator !== undefined && { validator }) });
  }

  return {
    async findRoot(address, signal) {
      const { paths, isGuessed } = await findHomes({ send, hostname, kind }, address, signal);
      if (isGuessed) requireSome(await listHomes(paths, signal), kind);
      homes = paths;
      return paths[0];
    },
    list: (collection, signal) =>
      homes !== undefined && collection.location === homes[0] ? listHomes(homes, signal) : listOne(collection, signal),
    expect: (collection, entries) => {
      const isObject = (entry: Member) => holding.open(entry) === undefined;
      if (holding.isNamed(collection)) bulk.expect(collection.location, entries.filter(isObject));
    },
    open: async (entry, signal) => holding.open(entry) ?? bulk.open(entry, signal),
  };
}
