import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { propertiesName, type RestorePlace } from '../../domain/restore-place.ts';
import { AppError } from '../../errors.ts';
import { escapedName, shownName } from '../../file-name.ts';
import { heldKinds, type NewCollection } from '../../sources/dav/held-kind.ts';
import { webdavSource } from '../../sources/dav/webdav.ts';
import { davWriter } from '../../sources/dav/writer.ts';
import type { Snapshot } from '../../store/format/snapshot.ts';
import type { History } from '../../store/history/history.ts';
import { findPlace } from '../../store/restorer/find-place.ts';
import { readFile } from '../../store/restorer/read-file.ts';
import { restoreInOrder } from '../../store/restorer/restore-in-order.ts';
import { parseObject } from './json-object.ts';
import { openSourceTarget } from './source-target.ts';
import { makeNewFolder, type Writing, type WritingNeeds } from './writing.ts';

/** Of what Nightkeep keeps of a calendar, at most; what is longer is an object of the person's. */
const mostPropertiesBytes = 1024 * 1024;

/** Of what is on record of the name of a new calendar or address book. */
const longestTitle = 200;

interface DavWriting extends Writing {
  readonly isShared: boolean;
  readonly place: Exclude<RestorePlace, 'mail'>;
}

/** Into a new folder, calendar or address book on a WebDAV server. */
export async function writeDav(resources: WritingNeeds, writing: DavWriting): Promise<void> {
  const { access, history, isShared, name, path, place, report, signal, snapshot, url, written } = writing;
  const { clock, config, log, sourceServers: servers } = resources;
  const kind = place === 'files' ? undefined : heldKinds[place];
  const common = { url, access, servers, clock, log };
  await using reader = webdavSource({ ...common, name: place, isShared, kind });
  const roots = await reader.roots(signal);
  const [root] = roots;
  if (root === undefined) throw new AppError('source/not-found', 'The source offers no folder to restore to.');
  await using writer = davWriter({ ...common, location: root.collection.location });
  const held = kind && { kind, ...(await findProperties(history, snapshot, path)) };
  const titleOf = (folder: string) => (held === undefined ? folder : `${folder} (${held.displayName})`);
  const make = (folder: string) =>
    held === undefined
      ? writer.makeCollection([folder], signal)
      : writer.makeHeld(folder, { ...held, displayName: titleOf(folder) }, signal);
  const folder = await makeNewFolder(make, name);
  // What its person looks for there; the name in it was written by anybody.
  written.folder = escapedName(titleOf(folder)).slice(0, longestTitle);
  const below = [folder, ...(held === undefined ? await foldersFor(history, snapshot, path) : [])];
  if (below.length > 1) await writer.makeCollection(below, signal);
  const list = (names: readonly string[], listing: AbortSignal) =>
    reader.list({ kind: 'collection', name: names.at(-1) ?? '', location: writer.locationOf(names) }, listing);
  const target = openSourceTarget({ writer, list, below, signal, written, problems: report.problems, kind });
  await restoreInOrder(history.repository, snapshot, target, {
    ...{ path, signal, mostEntries: config.runLimits.members, report },
  });
  await target.end();
}

/** A folder below the root keeps its name in the new one; all of a root comes without. */
async function foldersFor(history: History, snapshot: Snapshot, path: string): Promise<string[]> {
  const place = await findPlace(history.repository, snapshot, path);
  return place.type === 'dir' && path.includes('/') ? [place.name] : [];
}

/** What there is to say of the calendar or address book that the path names, or is in. */
async function findProperties({ repository }: History, snapshot: Snapshot, path: string): Promise<NewCollection> {
  const [top = '', name = ''] = path.split('/');
  const collection = await findPlace(repository, snapshot, `${top}/${name}`);
  const plain = { displayName: 'name' in collection ? shownName(collection.name) : name };
  if (collection.type !== 'dir') return plain;
  const { nodes } = await repository.loadTree(collection.subtree);
  const node = nodes.find((one) => one.name === propertiesName);
  if (node?.type !== 'file' || node.size > mostPropertiesBytes) return plain;
  const { displayname, ...kept } = parseObject(await text(Readable.from(readFile(repository, node))));
  const components = kept['supported-calendar-component-set'];
  return {
    displayName: typeof displayname === 'string' ? displayname : plain.displayName,
    ...(Array.isArray(components) && { components: components.filter((one) => typeof one === 'string') }),
  };
}
