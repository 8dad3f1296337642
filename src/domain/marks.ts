/**
 * How new the rows of a person were that were used last. A mark lies in the store, where nobody writes who may only write to the database: a row that is
 * older than its mark was put back.
 */
export interface Mark extends Required<Standing> {
  readonly version: 1;
  /** Rises with each mark of the person: of several beside each other the highest counts. */
  readonly number: number;
  /** Places that the repository has left. */
  readonly left: readonly string[];
  readonly writtenAt: string;
}

/** Rows of a person as they are used: each has a number that rises with each change. */
export interface Standing {
  /** By the kind of row, and the id of the grant where there may be several. */
  readonly rows: Readonly<Record<string, number>>;
  /** The repository, and where it lies. */
  readonly place?: string | null;
}

/** The mark of a person who has none: no row is older. */
export const noMark: Mark = {
  version: 1,
  number: 0,
  rows: {},
  place: null,
  left: [],
  writtenAt: '1970-01-01T00:00:00.000Z',
};

/** How marks name rows: by their kind, and by the grant where a person may have several. */
export const peopleRow = 'people';
/** The plan of that grant. */
export const planRow = (grantId: string) => `plans ${grantId}`;
/** The generations of the offline token of that grant. */
export const tokenRow = (grantId: string) => `offline tokens ${grantId}`;
/** When the snapshots of that repository are erased. */
export const erasureRow = (repositoryId: string) => `requests to erase ${repositoryId}`;
const repositoryRow = 'repositories';

/** The place of a repository, as marks name it. */
export function placeOf({ id, location, store }: { id: string; location: string; store: string | null }): string {
  return JSON.stringify([id, location, store]);
}

const mostLeft = 16;

/** The rows that are older than the mark says. */
export function olderIn({ rows, left }: Mark, standing: Standing): string[] {
  const older = Object.entries(standing.rows).flatMap(([name, number]) => (number < (rows[name] ?? 0) ? name : []));
  return left.includes(standing.place ?? '') ? [...older, repositoryRow] : older;
}

/** The mark with what is newer of these rows; undefined where nothing is. */
export function raised(mark: Mark, standing: Standing): Pick<Mark, 'rows' | 'place' | 'left'> | undefined {
  const newer = Object.entries(standing.rows).filter(([name, number]) => number > (mark.rows[name] ?? 0));
  const { place = null } = standing;
  const isElsewhere = place !== null && place !== mark.place && !mark.left.includes(place);
  if (newer.length === 0 && !isElsewhere) return undefined;
  const left = isElsewhere && mark.place !== null ? [...mark.left, mark.place].slice(-mostLeft) : mark.left;
  return { rows: { ...mark.rows, ...Object.fromEntries(newer) }, place: isElsewhere ? place : mark.place, left };
}

/** Of several marks of a person: the highest, or what those of the same number say together. */
export function newestOf(marks: readonly Mark[]): Mark {
  const number = Math.max(0, ...marks.map((mark) => mark.number));
  const highest = marks.filter((mark) => mark.number === number);
  let [newest = noMark] = highest;
  for (const mark of highest) newest = { ...newest, ...raised(newest, mark) };
  return newest;
}

/** What a process remembers of marks: they only rise, so that one that was read a while ago is as good as one that is behind. */
export interface MarkMemory {
  /** By the id of the person. */
  readonly known: Map<string, { readonly mark: Mark; readonly isOfNewestKey: boolean; readonly at: number }>;
  /** What was used since and stands in no mark yet. */
  readonly used: Map<string, Standing>;
  /** The store did not answer: nobody asks it for marks until then. */
  awayUntil: number;
}

/** Remembers nothing yet. */
export function openMarkMemory(): MarkMemory {
  return { known: new Map(), used: new Map(), awayUntil: Number.NEGATIVE_INFINITY };
}

/** Both together: of each row the higher number. */
export function together(one: Standing, other: Standing): Standing {
  const rows = { ...one.rows };
  for (const [name, number] of Object.entries(other.rows)) rows[name] = Math.max(number, rows[name] ?? 0);
  return { rows, place: other.place ?? one.place ?? null };
}
