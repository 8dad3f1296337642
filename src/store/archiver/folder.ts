import { untilAborted } from '../../abort.ts';
import { countWords } from '../../count-words.ts';
import { AppError } from '../../errors.ts';
import { memoryOfMember } from '../../memory-budget.ts';
import { piecesOf } from '../../pieces.ts';
import type { TreeId } from '../format/ids.ts';
import { type DirNode, encodeNode, type FileNode, type Node } from '../format/node.ts';
import { encodeTreeInPieces, isSafeName } from '../format/tree.ts';
import { judgeAbsence } from './absence.ts';
import type { Listing, Member } from './contract.ts';
import { longBytes, type Task } from './depth-first.ts';
import { refuseDescent, refuseRepetition } from './descent.ts';
import { archiveEntry, countKept, findUnchanged, hasContent, type Outcome, takeDone } from './entry.ts';
import { keepCounted, keepFolder, keepUnread } from './kept.ts';
import { dirNode, hasValidator, newestOf, pathIn } from './nodes.ts';
import { countFiles, findTree, loadParentNodes, nodesByName } from './parent.ts';
import { type Enclosing, type Place, pathFromTop, type Run, recordProblem, throwUnlessProblem } from './run.ts';
import { checkEntry, shareOut } from './spot-check.ts';
import { countDir, type EmptiedFolder } from './tally.ts';

/** A collection whose members are being archived. */
interface Folder extends Enclosing {
  readonly parent: DirNode | undefined;
  /** The members with entries of the sample in them, where these were drawn from the whole folder. */
  shares: ReadonlyMap<string, readonly number[]> | undefined;
  /** Its nodes in the parent snapshot, where they can be read. */
  parentNodes: ReadonlyMap<string, Node> | undefined;
  /** What an archive that was interrupted had made of its members. */
  doneNodes: ReadonlyMap<string, Node> | undefined;
  readonly nodes: Node[];
  /** Members without an outcome yet. */
  open: number;
  partial: boolean;
  /** Bytes of memory that are taken for its members. */
  memory: number;
  /** Called with its own outcome. */
  readonly onOutcome: (outcome: Outcome) => Promise<void>;
}

/**
 * Archives a collection and everything below it; `onOutcome` is called with the outcome after this call has resolved. A collection that
 * cannot be listed keeps its tree of the parent snapshot, so that a passing failure does not look like a deletion. Throws where that is the
 * root: nothing is known of a source that cannot be listed. `drawn` are the entries below it that are in the sample, if they were drawn
 * already. A collection for which no memory is left beside the others is tried once more, `alone`.
 */
export async function archiveFolder(
  run: Run,
  place: Place,
  parent: Node | undefined,
  onOutcome: (outcome: Outcome) => Promise<void>,
  { drawn, alone = false }: { readonly drawn?: readonly number[] | undefined; readonly alone?: boolean } = {},
): Promise<void> {
  run.signal.throwIfAborted();
  const parentDir = parent?.type === 'dir' ? parent : undefined;
  const unchanged = await findUnchangedFolder(run, place, parentDir, drawn);
  if (unchanged?.node !== undefined) {
    countSeen(run, place);
    run.seen.passedOver++;
    return onOutcome({ node: unchanged.node, partial: false });
  }
  const folder: Folder = {
    ...place,
    fromTop: pathFromTop(run, place.path),
    parent: parentDir,
    shares: undefined,
    parentNodes: undefined,
    doneNodes: undefined,
    nodes: [],
    open: 0,
    partial: false,
    memory: 0,
    onOutcome,
  };
  run.at.folder = folder.fromTop;
  const spots = drawn ?? unchanged?.drawn;
  try {
    refuseDescent(folder);
    const [listing, parentNodes, doneNodes] = await Promise.all([
      run.source.list(place.member, run.signal),
      loadParentNodes(run.repository, parentDir?.subtree),
      loadDoneNodes(run, folder),
    ]);
    run.outages = 0;
    await refuseRepetition(folder, listing);
    account(run, folder, listing);
    countSeen(run, place);
    folder.listing = listing;
    folder.parentNodes = parentNodes;
    folder.doneNodes = doneNodes;
    if (spots !== undefined) folder.shares = await shareOut(run, parentNodes?.values() ?? [], spots);
    await archiveMembers(run, folder, listing);
  } catch (error) {
    throwUnlessProblem(run, error);
    if (place.path === '') throw error;
    if (isShortOfMemory(error) && !alone)
      return postpone(run, () => archiveFolder(run, place, parent, onOutcome, { drawn: spots, alone: true }));
    await leaveOrKeep(run, folder, error);
  }
}

/** What an archive that was interrupted had made of the members: of all of them, or of some. */
async function loadDoneNodes(run: Run, { fromTop, done }: Folder): Promise<ReadonlyMap<string, Node> | undefined> {
  const some = run.checkpoints.finished.nodesIn(fromTop);
  if (done?.type !== 'dir') return some;
  const whole = await loadParentNodes(run.repository, done.subtree);
  if (whole === undefined || some === undefined) return whole ?? some ?? new Map();
  return nodesByName([...whole.values(), ...some.values()]);
}

function countSeen({ seen }: Run, { path }: Place): void {
  if (path !== '') seen.folders++;
}

/** The parent's node of a folder that need not be listed; where entries of the sample are below it, these instead. */
async function findUnchangedFolder(
  run: Run,
  { member }: Place,
  parent: DirNode | undefined,
  drawnBefore: readonly number[] | undefined,
): Promise<{ node?: DirNode; drawn?: readonly number[] } | undefined> {
  if (run.listAll || parent === undefined || !hasValidator(parent, member.validator)) return undefined;
  const below = await run.countBelow(parent.subtree);
  if (!below.isWhole) return undefined;
  const drawn = drawnBefore ?? run.spots.pass(below.files);
  return drawn.length > 0 ? { drawn } : { node: keepCounted(run, parent, below, 'unchanged') };
}

/** Takes the room for the members. Throws `source/too-large` where there is none, or where the run has too many of them in all. */
function account({ listed, memory }: Run, folder: Folder, { members }: Listing): void {
  if (listed.members + members.length > listed.most)
    throw new AppError(
      'source/too-large',
      `The backup has more than ${countWords(listed.most, 'file or folder', 'files and folders')} already (RUN_MEMBERS).`,
    );
  const bytes = members.reduce((sum, { location }) => sum + memoryOfMember(location), 0);
  if (!memory.take(bytes))
    throw new AppError(
      'source/too-large',
      'The folder and those around it are too large to be held in memory at once (LISTINGS_MEMORY).',
      { retry: { afterMs: 0 } },
    );
  listed.members += members.length;
  folder.memory = bytes;
}

/** Its source, or the archive itself, had no memory left for it; when others are done there may be some. */
function isShortOfMemory({ code, retry }: AppError): boolean {
  return code === 'source/too-large' && retry !== undefined;
}

/** Until all others are done whose memory does not wait for this one. */
function postpone({ walk, pending, signal }: Run, work: () => Promise<void>): void {
  const run = async () => {
    await untilAborted(pending.none(), signal);
    await work();
  };
  walk.postpone({ bytes: 0, alone: true, run });
}

function release({ memory }: Run, folder: Folder): void {
  memory.give(folder.memory);
  folder.memory = 0;
}

async function leaveOrKeep(run: Run, folder: Folder, error: AppError): Promise<void> {
  release(run, folder);
  const problem = await judgeAbsence(run, folder, error);
  if (problem === 'gone') return folder.onOutcome({ partial: true });
  const kept = folder.parent && (await keepFolder(run, folder.parent));
  await recordProblem(run, folder.path, problem, { kept: kept !== undefined, folder: true });
  folder.partial = true;
  return kept ? folder.onOutcome({ node: kept, partial: true }) : closeFolder(run, folder);
}

/** Unchanged entries are settled at once; entries to be read come before collections, so that a folder is finished soon. */
async function archiveMembers(run: Run, folder: Folder, listing: Listing): Promise<void> {
  const kept = await keepUnread(run, folder, listing);
  folder.partial = listing.problems.length > 0 || listing.isIncomplete === true || kept.length > 0;
  for (const node of kept) folder.nodes.push(node);
  const places = await placesOf(run, folder, listing.members);
  const [entries, collections]: [Place[], Place[]] = [[], []];
  for await (const piece of piecesOf(places))
    for (const place of piece) {
      const found = place.member.kind === 'collection' ? place : settleUnchanged(run, folder, place);
      if (found !== undefined) (found.member.kind === 'collection' ? collections : entries).push(found);
    }
  folder.open = entries.length + collections.length;
  run.source.expect?.(
    folder.member,
    entries.map(({ member }) => member),
  );
  if (folder.open === 0) await closeFolder(run, folder);
  else run.walk.push(tasksOf(run, folder, entries.concat(collections)));
}

/** The entry where it has to be read. */
function settleUnchanged(run: Run, folder: Folder, place: Place): Place | undefined {
  const parent = folder.parentNodes?.get(place.member.name);
  const unchanged = findUnchanged(run, place, parent);
  if (unchanged !== undefined && isInSample(run, folder, unchanged)) return { ...place, unchanged };
  const settled = unchanged === undefined ? takeDone(run, place, parent) : countKept(run, unchanged, 'unchanged');
  if (settled === undefined) return place;
  folder.nodes.push(settled);
  return undefined;
}

function isInSample({ spots }: Run, { shares }: Folder, { name, size }: FileNode): boolean {
  const isDrawn = shares === undefined ? spots.pass(1).length > 0 : shares.has(name);
  return isDrawn && spots.afford(size);
}

/** A name that a tree cannot hold, or holds already, would make the whole folder unreadable. */
async function placesOf(run: Run, folder: Folder, members: readonly Member[]): Promise<Place[]> {
  const names = new Set<string>();
  const places: Place[] = [];
  const place = (member: Member) => {
    const path = pathIn(folder.path, member.name);
    if (isSafeName(member.name) && !names.has(member.name)) {
      names.add(member.name);
      places.push({ member, path, within: folder, done: folder.doneNodes?.get(member.name) });
      return;
    }
    const message = 'The server lists a name that is not allowed, or lists it twice.';
    run.problems.push({ root: run.root.name, path, code: 'source/malformed', message, kept: false });
    folder.partial = true;
  };
  for await (const piece of piecesOf(members)) piece.forEach(place);
  return places;
}

function* tasksOf(run: Run, folder: Folder, places: readonly Place[]): Generator<Task, undefined> {
  const onOutcome = (outcome: Outcome) => settle(run, folder, outcome);
  for (const place of places) {
    const before = folder.parentNodes?.get(place.member.name);
    if (place.member.kind === 'collection') {
      const drawn = folder.shares && (folder.shares.get(place.member.name) ?? []);
      yield { bytes: 0, run: () => archiveFolder(run, place, before, onOutcome, { drawn }) };
    } else {
      yield { bytes: place.member.size ?? longBytes, run: () => takeEntry(run, place, before, onOutcome) };
    }
  }
  return undefined;
}

async function takeEntry(
  run: Run,
  place: Place,
  before: Node | undefined,
  onOutcome: Folder['onOutcome'],
): Promise<void> {
  const { unchanged } = place;
  const { outcome } = await (unchanged ? checkEntry(run, place, unchanged) : archiveEntry(run, place, before));
  run.pending.begin();
  outcome.then(onOutcome).catch(run.walk.fail).finally(run.pending.end);
}

async function settle(run: Run, folder: Folder, { node, partial }: Outcome): Promise<void> {
  if (node !== undefined) folder.nodes.push(node);
  if (node !== undefined && !partial) run.checkpoints.finish(folder.fromTop, node);
  folder.partial ||= partial;
  folder.open--;
  if (folder.open === 0) await closeFolder(run, folder);
}

/** A folder with a problem below it keeps no validator: it must be listed again next time. */
async function closeFolder(run: Run, folder: Folder): Promise<void> {
  release(run, folder);
  const { member, parent, done, nodes, partial } = folder;
  const isSame = await isAsBefore(folder);
  if (!isSame) run.seen.gone += await countGone(run, folder);
  if (!isSame && (await isUnreliable(run, folder))) run.unreliable.add(run.root.name);
  const subtree = parent !== undefined && isSame ? parent.subtree : await saveTree(run, nodes);
  if (parent !== undefined && mayBeEmptied(run, folder))
    await noteEmptied(run, { path: folder.path, before: parent.subtree, after: subtree });
  countDir(run.counts, parent === undefined ? 'new' : parent.subtree === subtree ? 'unmodified' : 'changed');
  const validator = partial ? undefined : member.validator;
  const node = dirNode({ name: member.name, modified: member.modified ?? (await newestOf(nodes)), validator }, subtree);
  const text = encodeNode(node);
  const before = [parent, done].find((one) => one !== undefined && encodeNode(one) === text);
  await folder.onOutcome({ node: before ?? node, partial });
}

/** Whether it holds exactly the nodes of the parent: then its tree need not be made again. */
async function isAsBefore({ nodes, parentNodes }: Folder): Promise<boolean> {
  if (parentNodes?.size !== nodes.length) return false;
  for await (const piece of piecesOf(nodes))
    if (!piece.every((node) => parentNodes.get(node.name) === node)) return false;
  return true;
}

/**
 * Whether it holds something else than in the parent under the parent's validator. It is listed once more to be certain: people
 * work while it is being archived, and the validator of an honest server has changed by then.
 */
async function isUnreliable(run: Run, folder: Folder): Promise<boolean> {
  const { member, parent } = folder;
  if (parent === undefined || !hasValidator(parent, member.validator)) return false;
  if (run.unreliable.has(run.root.name) || !(await holdsOther(folder))) return false;
  try {
    return hasValidator(parent, (await run.source.list(member, run.signal)).validator);
  } catch (error) {
    throwUnlessProblem(run, error);
    return false;
  }
}

/** Whether it holds other content than in the parent: what else there is to know of its members does not count. */
async function holdsOther({ nodes, parentNodes }: Folder): Promise<boolean> {
  if (parentNodes?.size !== nodes.length) return parentNodes !== undefined;
  const isOther = (node: Node) => {
    const parent = parentNodes.get(node.name);
    if (parent === undefined || node === parent) return parent === undefined;
    if (node.type === 'dir') return parent.type !== 'dir' || parent.subtree !== node.subtree;
    return node.type === 'file' && !hasContent(parent, node.content);
  };
  for await (const piece of piecesOf(nodes)) if (piece.some(isOther)) return true;
  return false;
}

/** Files of the parent whose place in the folder is empty now, or taken by something of another kind. */
async function countGone(run: Run, { path, nodes, parentNodes }: Folder): Promise<number> {
  let gone = 0;
  if (parentNodes === undefined) return gone;
  const named = await nodesByName(nodes);
  for await (const piece of piecesOf(parentNodes.values()))
    for (const parent of piece) {
      if (named.get(parent.name)?.type === parent.type) continue;
      gone += await countFiles(run.countBelow, parent);
      const was = pathIn(path, parent.name);
      if (parent.type === 'dir' && isByItself(run, was)) await noteEmptied(run, { path: was, before: parent.subtree });
    }
  return gone;
}

/** The root is none: what is gone of it is counted. */
function isByItself({ source }: Run, path: string): boolean {
  return path !== '' && (source.isOfMailboxes === true || !path.includes('/'));
}

/** Nothing but what a source keeps beside the entries is left in it. Mailboxes, such as the trash, are emptied every day. */
function mayBeEmptied(run: Run, { path, nodes }: Folder): boolean {
  const isBare = nodes.length === 0 || (nodes.length === 1 && nodes[0]?.type === 'file');
  return isBare && run.source.isOfMailboxes !== true && isByItself(run, path);
}

async function noteEmptied({ countBelow, emptied }: Run, folder: EmptiedFolder): Promise<void> {
  if (emptied.length < mostEmptied && (await countBelow(folder.before)).files > 0) emptied.push(folder);
}

/** More than these are not named; what is gone of them is counted all the same. */
const mostEmptied = 1_000;

/** Stores the tree of these nodes, unless this run has it or the repository: that an index names it is not enough. */
export async function saveTree(
  { repository, sealing, savedTrees }: Pick<Run, 'repository' | 'sealing' | 'savedTrees'>,
  nodes: readonly Node[],
): Promise<TreeId> {
  const { id, bytes } = await encodeTreeInPieces({ nodes });
  if (savedTrees.has(id)) return id;
  savedTrees.add(id);
  if ((await findTree(repository, id)) === undefined) await sealing.saveTree(bytes);
  return id;
}
