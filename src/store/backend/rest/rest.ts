import { createHash } from 'node:crypto';
import { AppError, type ErrorCode, isAppError } from '../../../errors.ts';
import { piecesOfList } from '../../../json-pieces.ts';
import { letOthers } from '../../../pieces.ts';
import { type Backend, configName, type FileType, folders, isFileName, type ListedFile } from '../backend.ts';
import type { HttpAnswer } from '../http/http-answer.ts';
import { type HttpClientOptions, type HttpRequest, openHttpClient } from '../http/http-client.ts';
import { refusal, type StoreAct } from '../http/http-error.ts';
import { alreadyThere, type HttpFile, isThere, listConfig, loadOf, loadWhole, statOf } from '../http/http-file.ts';
import type { RemoteStore } from '../remote-store.ts';
import { type HashedFiles, openLabelledFiles } from './labelled-files.ts';
import { meaningOfRest } from './rest-error.ts';

/** A server that speaks the REST protocol of restic, and who we are there. */
export interface RestServer {
  /** Protocol, host and port. */
  readonly origin: string;
  /** Empty where the server asks for none. */
  readonly user: string;
  readonly password?: string | undefined;
  /** The server, as stock restic writes it: `rest:https://user@host:8000`. */
  readonly location: string;
  /** Certificates in PEM that are believed besides those of the system. */
  readonly ca?: string | undefined;
}

/**
 * Repositories on a server that speaks version 2 of restic's REST protocol
 * (https://restic.readthedocs.io/en/stable/100_references.html#rest-backend). Such a server keeps repositories and nothing else, lists only
 * the folders that a repository has, and takes files only under the names of their hashes. So Nightkeep keeps its own files beside the
 * repositories in paths that look like repositories:
 * - `ID-cards` has the cards of one repository,
 * - `nightkeep-places` the names of all repositories, which nobody could list otherwise,
 * - `nightkeep-state-states` the exports of Nightkeep's own state, and
 * - `nightkeep-mark-ID-marks` the marks of a person's rows.
 */
export function openRestStore(server: RestServer, options: HttpClientOptions): RemoteStore {
  const speaker = openSpeaker(server, options);
  return {
    open: (path) => openBackend(speaker, path),
    places: (path) => listPlaces(speaker, registerIn(path)),
    [Symbol.asyncDispose]: () => speaker.close(),
  };
}

/** Without these nothing that lies there can be opened, or found to be somebody's. */
const telling: readonly FileType[] = ['config', 'key', 'card'];

/** Folders that are never taken for empty where they are gone: a prune would remove what they know to be needed. */
const needed: readonly FileType[] = ['snapshot', 'index', 'data'];

type HashedType = Exclude<FileType, 'config' | 'state'>;

function openBackend(speaker: Speaker, path: string): Backend {
  const entry = entryOf(path);
  const folderOf = (type: HashedType) =>
    type === 'card' || type === 'mark' ? `/${path}-${folders[type]}/data/` : `/${path}/${folders[type]}/`;
  const pathTo = (type: HashedType | 'config', name: string) =>
    type === 'config' ? `/${path}/config` : `${folderOf(type)}${name}`;
  const states = openLabelledFiles(speaker, `/${path}-states/data/`);
  const stat = async (type: FileType, name: string) =>
    type === 'state' ? states.stat(name) : { name, ...(await statOf(speaker.file(pathTo(type, name)))) };
  const list = (type: FileType) => {
    if (type === 'state') return states.list();
    if (type === 'config') return listConfig(stat);
    return speaker.list(folderOf(type), needed.includes(type) ? pathTo('config', configName) : undefined);
  };
  const isEmpty = async (type: FileType) => (await Array.fromAsync(list(type))).length === 0;
  // What an attempt has done is not done again by the next: servers that are often away would let none come to its end.
  const done = { enter: false, make: false };
  const enter = async () => {
    if (!done.enter) await speaker.put(entry.path, entry.bytes).catch(unless('store/exists'));
    done.enter = true;
  };
  const make = async () => {
    if (!done.make) await speaker.make(`/${path}/`);
    done.make = true;
  };
  return {
    location: `${speaker.location}/${path}/`,
    save: async (type, name, bytes) => {
      if (type === 'state') return states.save(name, bytes);
      if (telling.includes(type)) await enter();
      if (type === 'config') await make();
      await speaker.put(pathTo(type, name), bytes);
    },
    load: (type, name, range) =>
      type === 'state' ? states.load(name, range) : loadOf(type, name, speaker.file(pathTo(type, name)), range),
    list,
    stat,
    remove: (type, name) => (type === 'state' ? states.remove(name) : speaker.remove(pathTo(type, name))),
    // The folders belong to the server.
    vacate: async () => {
      for (const type of telling) if (!(await isEmpty(type))) return;
      done.enter = false;
      await speaker.remove(entry.path).catch(unless('store/not-found', 'store/may-not-delete'));
    },
  };
}

function registerIn(path: string): string {
  return `${path && `/${path}`}/nightkeep-places/data/`;
}

/** The entry of a place in the register: a file of its name. */
function entryOf(path: string): { path: string; bytes: Buffer } {
  const end = path.lastIndexOf('/');
  const bytes = Buffer.from(path.slice(end + 1));
  const name = createHash('sha256').update(bytes).digest('hex');
  return { path: `${registerIn(path.slice(0, Math.max(end, 0)))}${name}`, bytes };
}

/** As many as keep the connections busy: a register may have any number. */
const atOnce = 64;
/** Of the name of a place; servers take none that are longer. */
const placeBytes = 1024;

async function* listPlaces(speaker: Speaker, register: string): AsyncGenerator<string> {
  const names = await Array.fromAsync(speaker.list(register), ({ name }) => name);
  // What is no entry is passed over.
  const longer = () => new AppError('store/not-found', 'That is no entry of the register.');
  const load = (name: string) =>
    loadWhole(speaker.file(`${register}${name}`), placeBytes, longer).catch(unless('store/not-found'));
  for (let start = 0; start < names.length; start += atOnce)
    for (const bytes of await Promise.all(names.slice(start, start + atOnce).map(load))) {
      const place = bytes?.toString() ?? '';
      if (/^[\w.-]+$/.test(place) && !/^\.+$/.test(place)) yield place;
    }
}

/** Requests of the protocol, by paths. */
interface Speaker extends HashedFiles {
  readonly location: string;
  /** Throws `store/unavailable` where the folder is not there, but the config of its repository is, if that is given. */
  list(path: string, config?: string): AsyncIterable<ListedFile>;
  /** Makes the folders of a repository, or leaves them as they are. */
  make(path: string): Promise<void>;
  close(): Promise<void>;
}

const mediaType = 'application/vnd.x.restic.rest.v2';

function openSpeaker(server: RestServer, options: HttpClientOptions): Speaker {
  const { location, user, password = '' } = server;
  const client = openHttpClient(server, options);
  const credentials = Buffer.from(`${user}:${password}`).toString('base64');
  const common = { accept: mediaType, ...(user !== '' && { authorization: `Basic ${credentials}` }) };
  const send = (
    method: 'GET' | 'HEAD' | 'POST' | 'DELETE',
    path: string,
    { headers = {}, ...more }: Pick<HttpRequest, 'headers' | 'body' | 'mostBytes'> = {},
  ) => client.send({ method, path, headers: { ...common, ...headers }, ...more });
  const refuse = (act: StoreAct, answer: HttpAnswer, path?: string) =>
    refusal({ location, act, path }, answer, meaningOfRest(answer, act));
  const expect = (act: StoreAct, answer: HttpAnswer) => {
    if (answer.status !== 200) throw refuse(act, answer);
    return answer;
  };
  const file = (path: string): HttpFile => ({
    ask: (method, asked) => send(method, path, asked),
    refuse: (answer) => refuse('read', answer, path.slice(1)),
  });
  return {
    location,
    file,
    // Some servers overwrite what is there, and those that refuse to do not say why.
    put: async (path, bytes) => {
      if (await isThere(file(path))) throw alreadyThere(path);
      const headers = { 'content-type': 'application/octet-stream' };
      const answer = await send('POST', path, { headers, body: bytes });
      if (answer.status === 403 && (await isThere(file(path)))) throw alreadyThere(path);
      expect('save', answer);
    },
    make: async (path) => void expect('save', await send('POST', `${path}?create=true`, { body: Buffer.of() })),
    list: async function* (path, config) {
      const answer = await send('GET', path, { mostBytes: listingBytes });
      if (answer.status === 404) {
        // What nobody has written to yet is not there; a repository has all of its folders.
        if (config !== undefined && (await isThere(file(config)))) throw folderGone(path, location);
        return;
      }
      for (const one of await readListing(expect('list', answer), location)) if (isFileName(one.name)) yield one;
    },
    remove: async (path) => void expect('remove', await send('DELETE', path)),
    close: () => client.close(),
  };
}

/** As many files as packs of 30 TB are, all of which stand in one answer. */
const listingBytes = 256 * 1024 * 1024;

function folderGone(path: string, location: string): AppError {
  const message = `The store at ${location} has no folder ${path.slice(1)}, though the repository that it belongs to is there. Bring the folder back; if it never held anything, make it.`;
  return new AppError('store/unavailable', message, { detail: { path } });
}

async function readListing({ header, body, isCut }: HttpAnswer, location: string): Promise<ListedFile[]> {
  if (header('content-type') !== mediaType)
    throw new AppError(
      'store/unavailable',
      `The store at ${location} does not speak version 2 of the REST protocol of restic. Correct STORE_URL, or update the server.`,
    );
  const listing = isCut ? undefined : await listedIn(body);
  if (listing !== undefined) return listing;
  throw new AppError('store/unavailable', `The store at ${location} did not answer with a complete listing.`, {
    retry: { afterMs: 500 },
  });
}

function isListed(item: unknown): item is ListedFile {
  if (typeof item !== 'object' || item === null || !('name' in item) || !('size' in item)) return false;
  return typeof item.name === 'string' && Number.isSafeInteger(item.size) && Number(item.size) >= 0;
}

/** Of a name and a size. */
const mostOfOne = 64 * 1024;
const isSpace = (one: number | undefined) => one === 0x20 || one === 0x0a || one === 0x0d || one === 0x09;

/** In pieces, since a listing may be of millions; undefined where it is none. */
async function listedIn(body: Buffer): Promise<ListedFile[] | undefined> {
  let [from, end] = [0, body.length];
  while (isSpace(body[from])) from += 1;
  while (isSpace(body[end - 1])) end -= 1;
  // Some servers write an empty listing so.
  if (body.toString('latin1', from, Math.min(end, from + 5)) === 'null') return [];
  if (body[from] !== 0x5b || body[end - 1] !== 0x5d || end - from < 2) return undefined;
  const found: ListedFile[] = [];
  for (const text of piecesOfList(body, from + 1, end - 1, mostOfOne)) {
    const piece = parse(text);
    if (!Array.isArray(piece) || !piece.every(isListed)) return undefined;
    for (const { name, size } of piece) found.push({ name, size });
    await letOthers();
  }
  return found;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unless(...codes: ErrorCode[]) {
  return (error: unknown): undefined => {
    if (!codes.some((code) => isAppError(error, code))) throw error;
  };
}
