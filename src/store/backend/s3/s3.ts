import { countWords } from '../../../count-words.ts';
import { AppError, isAppError } from '../../../errors.ts';
import { type Backend, type FileType, folders, isFileName, notThere, pathOf } from '../backend.ts';
import type { HttpAnswer } from '../http/http-answer.ts';
import type { StoreAct } from '../http/http-error.ts';
import { alreadyThere, type HttpFile, isThere, listConfig, loadOf, statOf } from '../http/http-file.ts';
import type { RemoteStore } from '../remote-store.ts';
import { openS3Client, type S3Bucket, type S3Client, type S3ClientOptions } from './s3-client.ts';
import { answerError } from './s3-error.ts';
import { readPage, type S3Page } from './s3-xml.ts';

/** What the file is called that holds certificates of one's own, for stock restic. */
const certificatesFile = 'store-ca.pem';

/**
 * Repositories in a bucket, in the layout of stock restic. A file is one object that is put in one request, so that it is there whole
 * or not at all; the largest ones, packs, are far below what a server takes at once.
 */
export function openS3Store(bucket: S3Bucket, options: S3ClientOptions): RemoteStore {
  const client = openS3Client(bucket, options);
  const saver = openSaver(client);
  return {
    open: (prefix) => ({ ...openBackend(client, saver, prefix), resticOptions: resticOptionsOf(bucket) }),
    places: (prefix) => listPlaces(client, prefix),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

function openBackend(client: S3Client, saver: Saver, prefix: string): Backend {
  const keyOf = (type: FileType, name: string) => `${prefix}/${pathOf(type, name)}`;
  const fileOf = (type: FileType, name: string) => fileAt(client, keyOf(type, name));
  const stat = async (type: FileType, name: string) => ({ name, ...(await statOf(fileOf(type, name))) });
  return {
    location: `${client.location}/${prefix}`,
    save: (type, name, bytes) => saver.save(keyOf(type, name), bytes),
    load: (type, name, range) => loadOf(type, name, fileOf(type, name), range),
    list: (type) => (type === 'config' ? listConfig(stat) : listFiles(client, prefix, type)),
    stat,
    remove: async (type, name) => {
      const wasThere = await isThere(fileOf(type, name));
      const answer = await client.send({ method: 'DELETE', key: keyOf(type, name) });
      // A server deletes without a word what is not there, though it may list it.
      if (!wasThere) throw notThere(keyOf(type, name));
      expectStatus(client, 'remove', answer, 200, 204);
    },
    // There are no folders, and what was not put whole is not there.
    vacate: async () => undefined,
  };
}

/** Certificates that the system does not believe are a file beside whoever restores. */
function resticOptionsOf({ region, style, ca }: S3Bucket): string[] {
  const lookup = style === 'path' ? 'path' : 'dns';
  const options = ['-o', `s3.region=${region}`, '-o', `s3.bucket-lookup=${lookup}`];
  return ca === undefined ? options : [...options, '--cacert', certificatesFile];
}

interface Saver {
  save(key: string, bytes: Uint8Array): Promise<void>;
}

const smallBytes = 64 * 1024;

/**
 * Saves what is not there yet. Whether the server refuses a name that is taken (If-None-Match: *) is found out with the first small
 * file: it is put once more, which either is refused or changes nothing. Where it is not refused, the name is looked up first.
 */
function openSaver(client: S3Client): Saver {
  let refusesTaken: boolean | undefined;
  const put = (key: string, body: Uint8Array, { isConditional }: { isConditional: boolean }) =>
    client.send({
      method: 'PUT',
      key,
      body,
      headers: { 'content-type': 'application/octet-stream', ...(isConditional && { 'if-none-match': '*' }) },
    });
  const findOut = async (key: string, bytes: Uint8Array) => {
    const { status } = await put(key, bytes, { isConditional: true });
    if (status === 412) refusesTaken = true;
    else if (status < 300 || status === 501) refusesTaken = false;
  };
  return {
    save: async (key, bytes) => {
      if (refusesTaken !== true && (await isThere(fileAt(client, key)))) throw alreadyThere(key);
      expectStatus(client, 'save', await put(key, bytes, { isConditional: refusesTaken === true }), 200);
      // The file is saved, whatever comes of this.
      if (refusesTaken === undefined && bytes.length <= smallBytes)
        await findOut(key, bytes).catch((error: unknown) => {
          if (!isAppError(error)) throw error;
        });
    },
  };
}

function fileAt(client: S3Client, key: string): HttpFile {
  return {
    ask: async (method, options = {}) => {
      const answer = await client.send({ method, key, ...options });
      const isRefused = answer.status >= 300 && answer.status < 500 && answer.status !== 404;
      if (method === 'GET' || !isRefused) return answer;
      // The answer to HEAD has no words for it.
      const told = await client.send({ method: 'GET', key, headers: { range: 'bytes=0-0' }, mostBytes: 1 });
      return told.status < 300 ? answer : told;
    },
    refuse: (answer) => answerError(answer, 'read', client.location, key),
  };
}

async function* listFiles(
  client: S3Client,
  prefix: string,
  type: Exclude<FileType, 'config'>,
): ReturnType<Backend['list']> {
  for await (const page of listPages(client, { prefix: `${prefix}/${folders[type]}/` }))
    for (const { key, size } of page.files) {
      const name = key.slice(key.lastIndexOf('/') + 1);
      if (isFileName(name) && key === `${prefix}/${pathOf(type, name)}`) yield { name, size };
    }
}

async function* listPlaces(client: S3Client, below: string): AsyncGenerator<string> {
  const prefix = below && `${below}/`;
  for await (const { prefixes } of listPages(client, { prefix, delimiter: '/' }))
    for (const one of prefixes) yield one.slice(prefix.length, -1);
}

/** A page has a thousand names at most, of 1,024 bytes each. */
const pageBytes = 16 * 1024 * 1024;

async function* listPages(client: S3Client, asked: Readonly<Record<string, string>>): AsyncGenerator<S3Page> {
  let pages = 0;
  for (let next: string | undefined = ''; next !== undefined; ) {
    const query = { 'list-type': '2', ...asked, ...(next && { 'continuation-token': next }) };
    const answer = await client.send({ method: 'GET', key: '', query, mostBytes: pageBytes });
    const { body, isCut } = expectStatus(client, 'list', answer, 200);
    const page = isCut ? undefined : await readPage(body);
    if (page === undefined)
      throw new AppError(
        'store/unavailable',
        `The store at ${client.location} did not answer with a complete listing.`,
        {
          retry: { afterMs: 500 },
        },
      );
    yield page;
    pages += 1;
    if (page.next !== undefined && (page.next === next || pages >= client.mostPages)) throw withoutEnd(client, pages);
    next = page.next;
  }
}

function withoutEnd({ location }: S3Client, pages: number): AppError {
  const message = `The store at ${location} answers with a listing that does not end: ${countWords(pages, 'page')}, and another one each time. Look at the server.`;
  return new AppError('store/unavailable', message);
}

function expectStatus({ location }: S3Client, act: StoreAct, answer: HttpAnswer, ...good: number[]): HttpAnswer {
  if (good.includes(answer.status)) return answer;
  throw answerError(answer, act, location);
}
