import { propertiesName, recordName } from '../../domain/restore-place.ts';
import { isSourceName } from '../../domain/source-names.ts';
import { isAppError } from '../../errors.ts';
import type { DataId, TreeId } from '../../store/format/ids.ts';
import type { DirNode, FileNode, Node } from '../../store/format/node.ts';
import type { History } from '../../store/history/history.ts';
import { readSmallFiles } from '../../store/history/small-files.ts';
import { type Cache, createCache } from '../../store/repository/cache.ts';
import { nodeNamed } from '../../store/restorer/find-place.ts';
import type { IconName } from '../icons.ts';
import { type NightTimes, nightTimesIn } from '../night-times.ts';
import type { Texts } from '../texts/en.ts';
import type { CalendarTime } from './calendar-object.ts';
import { type PersonObject, readObject } from './person-object.ts';

/** What an entry of a snapshot is called on pages, where its name alone tells people nothing. */
export interface Label {
  readonly icon: IconName;
  readonly title: string;
  /** When an event or a task is; empty of anything else. */
  readonly when: string;
  /** What else distinguishes it. */
  readonly aside: string;
}

/** An entry, and its path in the snapshot. */
export interface Entry {
  readonly path: string;
  readonly node: Node;
}

interface Told {
  readonly kind: PersonObject['kind'] | 'collection';
  readonly title: string;
  readonly start: CalendarTime | undefined;
}

/** A contact with a photo fits. */
const limits = { bytes: 128 * 1024, bytesInAll: 4 * 1024 * 1024 };
/** Longer titles are cut. */
const longestTitle = 150;
/** Trees and blobs never change, so what was read of them is kept as long as the history. */
const known = new WeakMap<History, Cache<DataId, Told | null>>();
const mostKnown = 3_000;

const icons = {
  event: 'calendar',
  task: 'calendar',
  journal: 'calendar',
  contact: 'person',
  message: 'mail',
  collection: 'folder',
} as const satisfies Record<Told['kind'], IconName>;

/**
 * Labels for what a person has at the top of their snapshots, for calendars and address books, for what is in these, as far as the limits
 * reach, and for what Nightkeep keeps beside it. Messages have names that say what they are.
 */
export async function labelsOf(
  history: History,
  entries: readonly Entry[],
  { texts, times }: { texts: Texts; times: NightTimes },
): Promise<ReadonlyMap<Node, Label>> {
  const labels = new Map<Node, Label>();
  const files = new Map<Node, FileNode>();
  for (const { path, node } of entries) {
    const [top = '', collection, object, ...deeper] = path.split('/');
    if (node.type === 'dir' && collection === undefined && isSourceName(top))
      labels.set(node, { icon: 'folder', title: texts.holding[top], when: '', aside: '' });
    const beside = node.type === 'file' ? besideOf(path, texts) : undefined;
    if (beside !== undefined) labels.set(node, { icon: 'file', title: beside, when: '', aside: node.name });
    if ((top !== 'calendars' && top !== 'contacts') || deeper.length > 0) continue;
    if (object !== undefined && object !== propertiesName && node.type === 'file') files.set(node, node);
    if (collection !== undefined && object === undefined && node.type === 'dir') {
      const properties = await propertiesOf(history, node);
      if (properties !== undefined) files.set(node, properties);
    }
  }
  const told = await history.inTurn(() => toldOf(history, new Set(files.values())));
  for (const [node, file] of files) {
    const one = told.get(file);
    if (one !== undefined) labels.set(node, labelOf(one, node, { texts, times }));
  }
  return labels;
}

/** What is in a file that Nightkeep keeps beside the entries of a calendar, address book or mailbox; undefined for any other. */
function besideOf(path: string, { objects: { beside } }: Texts): string | undefined {
  const names = path.split('/');
  const [top = ''] = names;
  if (top === 'mail') return names.length > 2 && names.at(-1) === recordName ? beside.mail : undefined;
  if (top !== 'calendars' && top !== 'contacts') return undefined;
  return names.length === 3 && names.at(-1) === propertiesName ? beside[top] : undefined;
}

/** The names on the way to a path, as pages show them. */
export async function stepNames(...place: Parameters<typeof stepsOf>): Promise<string[]> {
  return (await stepsOf(...place)).map(({ title }) => title);
}

/** A name on the way to a path, and when an event is that it names. */
export type Step = Pick<Label, 'title' | 'when'>;

/** The same names, each with when that is which it names. */
export async function stepsOf(
  history: History,
  tree: TreeId,
  path: string,
  shown: { texts: Texts; times: NightTimes },
): Promise<Step[]> {
  const names = path.split('/').filter((part) => part !== '');
  const steps: Step[] = [];
  let [at, subtree] = ['', tree];
  for (const name of names.slice(0, 3)) {
    const node = nodeNamed((await history.repository.loadTree(subtree)).nodes, name);
    if (node === undefined) break;
    at = at === '' ? name : `${at}/${name}`;
    steps.push((await labelsOf(history, [{ path: at, node }], shown)).get(node) ?? { title: name, when: '' });
    if (node.type !== 'dir') break;
    subtree = node.subtree;
  }
  return [...steps, ...names.slice(steps.length).map((title) => ({ title, when: '' }))];
}

/** The file with the properties of a calendar or address book. */
async function propertiesOf({ repository }: History, { subtree }: DirNode): Promise<FileNode | undefined> {
  try {
    const node = nodeNamed((await repository.loadTree(subtree)).nodes, propertiesName);
    return node?.type === 'file' ? node : undefined;
  } catch (error) {
    if (!isAppError(error, 'repository/damaged')) throw error;
    return undefined;
  }
}

/** What these files say, as far as it was read before or the limits allow reading it now. */
async function toldOf(history: History, files: ReadonlySet<FileNode>): Promise<ReadonlyMap<FileNode, Told>> {
  const cache = known.get(history) ?? createCache<DataId, Told | null>(mostKnown);
  known.set(history, cache);
  const told = new Map<FileNode, Told>();
  const unread: FileNode[] = [];
  for (const file of files) {
    const [id] = file.content;
    const found = id === undefined ? null : cache.get(id);
    if (found === undefined) unread.push(file);
    else if (found !== null) told.set(file, found);
  }
  for await (const { node, content } of readSmallFiles(history.repository, unread, limits)) {
    const found = node.name === propertiesName ? collectionOf(content) : objectOf(node.name, content);
    const [id] = node.content;
    if (id !== undefined) cache.set(id, found ?? null, 1);
    if (found !== undefined) told.set(node, found);
  }
  return told;
}

function objectOf(name: string, content: Uint8Array): Told | undefined {
  const object = readObject(name, content);
  if (object === undefined) return undefined;
  const start = 'start' in object ? (object.start ?? object.due) : undefined;
  return copied({ kind: object.kind, title: object.title.slice(0, longestTitle), start });
}

/** A substring would keep the whole text that it was cut from in memory. */
function copied(told: Told): Told {
  return JSON.parse(JSON.stringify(told));
}

/** The name that a calendar or address book has for its person. */
function collectionOf(content: Uint8Array): Told | undefined {
  try {
    const properties: unknown = JSON.parse(Buffer.from(content).toString());
    const title = Object(properties).displayname;
    return typeof title === 'string' && title.trim() !== ''
      ? { kind: 'collection', title: title.trim().slice(0, longestTitle), start: undefined }
      : undefined;
  } catch {
    return undefined;
  }
}

function labelOf({ kind, title, start }: Told, { name }: Node, shown: { texts: Texts; times: NightTimes }): Label {
  const icon = icons[kind];
  if (kind === 'collection') return { icon, title, when: '', aside: title === name ? '' : name };
  const { untitled } = shown.texts.objects;
  const when = start === undefined ? '' : timeOf(start, shown);
  return { icon, title: title || untitled[kind], when, aside: when === '' ? name : `${when} · ${name}` };
}

/** A time of a calendar in the zone of the page; a clock elsewhere with the zone in which it is. */
export function timeOf(time: CalendarTime, { texts, times }: { texts: Texts; times: NightTimes }): string {
  if ('day' in time) return texts.formats.night(time.day);
  if ('at' in time) return times.moment(time.at);
  const clock = nightTimesIn(texts, 'UTC').moment(time.clock);
  return time.zone === undefined || time.zone === times.zone ? clock : `${clock} (${time.zone})`;
}
