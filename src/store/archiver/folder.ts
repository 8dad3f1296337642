import type { AppError } from '../../errors.ts';
import { idOf, type TreeId } from '../format/ids.ts';
import { type DirNode, encodeNode, type Node } from '../format/node.ts';
import { encodeTree, isSafeName } from '../format/tree.ts';
import type { Listing, Member } from './contract.ts';
import type { Task } from './depth-first.ts';
import { archiveEntry, findUnchanged, type Outcome } from './entry.ts';
import { dirNode, hasValidator, newestOf } from './nodes.ts';
import { countFiles, loadFormer, surveySubtree } from './parent.ts';
import { type Place, type Run, recordProblem, throwUnlessProblem } from './run.ts';
import { addCounts, countDir } from './tally.ts';

/** A collection whose members are being archived. */
interface Folder extends Place {
  readonly former: DirNode | undefined;
  /** What the parent had in it, where that can be read. */
  formerNodes: ReadonlyMap<string, Node> | undefined;
  readonly nodes: Node[];
  /** Members without an outcome yet. */
  open: number;
  flawed: boolean;
  /** Where its own outcome goes. */
  readonly tell: (outcome: Outcome) => Promise<void>;
}

/**
 * Archives a collection and everything below it; `tell` gets its outcome, which comes after this call resolves. One that
 * cannot be listed keeps its tree of the parent, so that a fault that passes does not look like a deletion. Throws where
 * it is the root: of a source that cannot be listed nothing is known.
 */
export async function archiveFolder(
  run: Run,
  place: Place,
  former: Node | undefined,
  tell: (outcome: Outcome) => Promise<void>,
): Promise<void> {
  run.signal.throwIfAborted();
  const formerDir = former?.type === 'dir' ? former : undefined;
  const unchanged = await findUnchangedFolder(run, place, formerDir);
  if (unchanged !== undefined) {
    countSeen(run, place);
    return tell({ node: unchanged, flawed: false });
  }
  const folder: Folder = {
    ...place,
    former: formerDir,
    formerNodes: undefined,
    nodes: [],
    open: 0,
    flawed: false,
    tell,
  };
  try {
    const [listing, formerNodes] = await Promise.all([
      run.source.list(place.member, run.signal),
      loadFormer(run.repository, formerDir?.subtree),
    ]);
    run.outages = 0;
    countSeen(run, place);
    folder.formerNodes = formerNodes;
    await archiveMembers(run, folder, listing);
  } catch (error) {
    throwUnlessProblem(run, error);
    if (place.path === '') throw error;
    await leaveOrKeep(run, folder, error);
  }
}

function countSeen({ seen }: Run, { path }: Place): void {
  if (path !== '') seen.folders++;
}

async function findUnchangedFolder(run: Run, { member }: Place, former: DirNode | undefined) {
  return former !== undefined && hasValidator(former, member.validator)
    ? keepFolder(run, former, 'unchanged')
    : undefined;
}

/** The parent's node with all below it counted, where the repository still holds all of it. */
async function keepFolder(
  { repository, counts, seen }: Run,
  former: DirNode,
  why: 'unchanged' | 'kept',
): Promise<DirNode | undefined> {
  const below = await surveySubtree(repository, former.subtree);
  if (below === undefined) return undefined;
  seen[why] += below.files_unmodified;
  addCounts(counts, below);
  countDir(counts, 'unmodified');
  return former;
}

async function leaveOrKeep(run: Run, folder: Folder, error: AppError): Promise<void> {
  const gone = error.code === 'source/not-found';
  const kept = gone || !folder.former ? undefined : await keepFolder(run, folder.former, 'kept');
  await recordProblem(run, folder.path, error, kept !== undefined);
  if (gone) return folder.tell({ flawed: true });
  folder.flawed = true;
  return kept ? folder.tell({ node: kept, flawed: true }) : closeFolder(run, folder);
}

/** Unchanged entries are settled at once; entries to be read go before the collections, so that a folder is done soon. */
async function archiveMembers(run: Run, folder: Folder, listing: Listing): Promise<void> {
  for (const problem of listing.problems) run.problems.push({ source: run.source.name, ...problem, kept: false });
  folder.flawed = listing.problems.length > 0;
  const places = placesOf(run, folder, listing.members);
  const entries: Place[] = [];
  for (const place of places.filter(({ member }) => member.kind === 'entry')) {
    const unchanged = findUnchanged(run, place, folder.formerNodes?.get(place.member.name));
    if (unchanged === undefined) entries.push(place);
    else folder.nodes.push(unchanged);
  }
  const collections = places.filter(({ member }) => member.kind === 'collection');
  folder.open = entries.length + collections.length;
  if (folder.open === 0) await closeFolder(run, folder);
  else run.walk.push(tasksOf(run, folder, [...entries, ...collections]));
}

/** A name that cannot stand in a tree, or stands there already, would spoil the whole folder. */
function placesOf(run: Run, folder: Folder, members: readonly Member[]): Place[] {
  const names = new Set<string>();
  return members.flatMap((member) => {
    const path = folder.path === '' ? member.name : `${folder.path}/${member.name}`;
    if (isSafeName(member.name) && !names.has(member.name)) {
      names.add(member.name);
      return [{ member, path }];
    }
    const message = 'The server lists a name that is not allowed, or lists it twice.';
    run.problems.push({ source: run.source.name, path, code: 'source/malformed', message, kept: false });
    folder.flawed = true;
    return [];
  });
}

function* tasksOf(run: Run, folder: Folder, places: readonly Place[]): Generator<Task, undefined> {
  const tell = (outcome: Outcome) => settle(run, folder, outcome);
  for (const place of places) {
    const before = folder.formerNodes?.get(place.member.name);
    if (place.member.kind === 'collection') {
      yield { places: 1, run: () => archiveFolder(run, place, before, tell) };
    } else {
      yield { places: placesFor(run, place.member), run: () => takeEntry(run, place, before, tell) };
    }
  }
  return undefined;
}

/** Four long bodies fill every line; more would only hold more chunks in memory. */
function placesFor({ requests }: Run, { size = 0 }: Member): number {
  return size > longBody ? Math.max(1, Math.floor(requests / 4)) : 1;
}

const longBody = 1024 * 1024;

async function takeEntry(run: Run, place: Place, before: Node | undefined, tell: Folder['tell']): Promise<void> {
  const { outcome } = await archiveEntry(run, place, before);
  outcome.then(tell).catch(run.walk.fail);
}

async function settle(run: Run, folder: Folder, { node, flawed }: Outcome): Promise<void> {
  if (node !== undefined) folder.nodes.push(node);
  folder.flawed ||= flawed;
  folder.open--;
  if (folder.open === 0) await closeFolder(run, folder);
}

/** A folder with a flaw below it keeps no validator: it must be looked at again next time. */
async function closeFolder(run: Run, folder: Folder): Promise<void> {
  const { member, former, nodes, flawed } = folder;
  const isSame = isAsBefore(folder);
  if (!isSame) run.seen.gone += await countGone(run, folder);
  const subtree = former !== undefined && isSame ? former.subtree : await saveTree(run, nodes);
  countDir(run.counts, former === undefined ? 'new' : former.subtree === subtree ? 'unmodified' : 'changed');
  const validator = flawed ? undefined : member.validator;
  const node = dirNode({ name: member.name, modified: member.modified ?? newestOf(nodes), validator }, subtree);
  const same = former !== undefined && encodeNode(former) === encodeNode(node);
  await folder.tell({ node: same ? former : node, flawed });
}

/** Whether the very nodes of the parent are in it, no more and no fewer: then its tree need not be made again. */
function isAsBefore({ nodes, formerNodes }: Folder): boolean {
  return formerNodes?.size === nodes.length && nodes.every((node) => formerNodes.get(node.name) === node);
}

/** Files of the parent whose place in the folder is empty now, or taken by something of another kind. */
async function countGone({ repository }: Run, { nodes, formerNodes }: Folder): Promise<number> {
  const types = new Map(nodes.map(({ name, type }) => [name, type]));
  let gone = 0;
  for (const former of formerNodes?.values() ?? [])
    if (types.get(former.name) !== former.type) gone += await countFiles(repository, former);
  return gone;
}

/** Stores the tree of these nodes, unless the repository or this run has it. */
export async function saveTree(
  { repository, sealing, savedTrees }: Pick<Run, 'repository' | 'sealing' | 'savedTrees'>,
  nodes: readonly Node[],
): Promise<TreeId> {
  const bytes = encodeTree({ nodes });
  const id = idOf<TreeId>(bytes);
  if (savedTrees.has(id) || repository.index.has('tree', id)) return id;
  savedTrees.add(id);
  await sealing.saveTree(bytes);
  return id;
}
