import { AppError, isAppError } from '../../../errors.ts';
import { type Backend, type ByteRange, configName, type FileType, folders, isFileName, pathOf } from '../backend.ts';
import type { S3Answer } from './s3-answer.ts';
import { openS3Client, type S3Bucket, type S3Client, type S3ClientOptions } from './s3-client.ts';
import { answerError, type S3Act } from './s3-error.ts';
import { readPage, type S3Page } from './s3-xml.ts';

/** What the file is called that holds certificates of one's own, for stock restic. */
const certificatesFile = 'store-ca.pem';

/** A bucket in which repositories are kept. */
export interface S3Store extends AsyncDisposable {
  /** The repository whose files all begin with this prefix, which has no slash around it. */
  open(prefix: string): Backend;
  /** The next parts of names below this prefix (empty for the top), as a folder would have folders. */
  places(prefix: string): AsyncIterable<string>;
}

/**
 * Repositories in a bucket, in the layout of stock restic. A file is one object that is put in one request, so that it is there whole
 * or not at all; the largest ones, packs, are far below what a server takes at once.
 */
export function openS3Store(bucket: S3Bucket, options: S3ClientOptions): S3Store {
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
  const stat = async (type: FileType, name: string) => ({ name, size: await sizeOf(client, keyOf(type, name)) });
  return {
    location: `${client.location}/${prefix}`,
    save: (type, name, bytes) => saver.save(keyOf(type, name), bytes),
    load: (type, name, range) => load(client, keyOf(type, name), range),
    list: (type) => (type === 'config' ? listConfig(stat) : listFiles(client, prefix, type)),
    stat,
    remove: async (type, name) => {
      const key = keyOf(type, name);
      // A server deletes what is not there without a word.
      await sizeOf(client, key);
      await expectStatus(client, 'remove', await client.send({ method: 'DELETE', key }), 200, 204);
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
  const put = (key: string, body: Uint8Array, isConditional: boolean) =>
    client.send({
      method: 'PUT',
      key,
      body,
      headers: { 'content-type': 'application/octet-stream', ...(isConditional && { 'if-none-match': '*' }) },
    });
  const findOut = async (key: string, bytes: Uint8Array) => {
    const { status } = await put(key, bytes, true);
    if (status === 412) refusesTaken = true;
    else if (status < 300 || status === 501) refusesTaken = false;
  };
  return {
    save: async (key, bytes) => {
      if (refusesTaken !== true && (await isThere(client, key)))
        throw new AppError('store/exists', 'The store has that file already.', { detail: { key } });
      expectStatus(client, 'save', await put(key, bytes, refusesTaken === true), 200);
      // The file is saved, whatever comes of this.
      if (refusesTaken === undefined && bytes.length <= smallBytes)
        await findOut(key, bytes).catch((error: unknown) => {
          if (!isAppError(error)) throw error;
        });
    },
  };
}

async function load(client: S3Client, key: string, range?: ByteRange): Promise<Buffer> {
  if (range === undefined) return expectStatus(client, 'read', await client.send({ method: 'GET', key }), 200).body;
  const { offset, length } = range;
  const end = offset + length;
  if (length === 0) {
    if ((await sizeOf(client, key)) < end) throw tooShort();
    return Buffer.of();
  }
  const answer = await client.send({ method: 'GET', key, headers: { range: `bytes=${offset}-${end - 1}` } });
  if (answer.status === 416) throw tooShort();
  const { status, body } = expectStatus(client, 'read', answer, 200, 206);
  // Some servers answer a range that begins with the file with all of it.
  const bytes = status === 206 ? body : body.subarray(offset, end);
  if (bytes.length !== length) throw tooShort();
  return bytes;
}

async function sizeOf(client: S3Client, key: string): Promise<number> {
  const { header } = expectStatus(client, 'read', await client.send({ method: 'HEAD', key }), 200);
  return Number(header('content-length'));
}

async function isThere(client: S3Client, key: string): Promise<boolean> {
  return sizeOf(client, key).then(
    () => true,
    (error: unknown) => (isAppError(error, 'store/not-found') ? false : Promise.reject(error)),
  );
}

async function* listConfig(stat: Backend['stat']): ReturnType<Backend['list']> {
  try {
    yield await stat('config', configName);
  } catch (error) {
    if (!isAppError(error, 'store/not-found')) throw error;
  }
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

async function* listPages(client: S3Client, asked: Readonly<Record<string, string>>): AsyncGenerator<S3Page> {
  for (let next: string | undefined = ''; next !== undefined; ) {
    const query = { 'list-type': '2', ...asked, ...(next && { 'continuation-token': next }) };
    const page = readPage(expectStatus(client, 'list', await client.send({ method: 'GET', key: '', query }), 200).body);
    if (page === undefined)
      throw new AppError('store/unavailable', `The store at ${client.location} answered no whole listing.`, {
        retry: { afterMs: 500 },
      });
    yield page;
    next = page.next;
  }
}

function expectStatus({ location }: S3Client, act: S3Act, answer: S3Answer, ...good: number[]): S3Answer {
  if (good.includes(answer.status)) return answer;
  throw answerError(answer, act, location);
}

function tooShort(): AppError {
  return new AppError('repository/damaged', 'A file of the repository is shorter than its index says.');
}
