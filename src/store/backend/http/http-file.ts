import { AppError, isAppError } from '../../../errors.ts';
import {
  type Backend,
  type ByteRange,
  configName,
  type FileType,
  type ListedFile,
  longestFile,
  pathOf,
  tooLong,
} from '../backend.ts';
import type { HttpAnswer } from './http-answer.ts';

/** How one file of a server is asked for. */
export interface HttpFile {
  ask(
    method: 'GET' | 'HEAD',
    options?: { readonly headers?: Readonly<Record<string, string>>; readonly mostBytes?: number },
  ): Promise<HttpAnswer>;
  /** What an answer means that is no success. */
  refuse(answer: HttpAnswer): AppError;
}

/** As `load` of a backend promises, of the file of that type and name. What may pass names it: a server may fail with one file alone. */
export async function loadOf(type: FileType, name: string, file: HttpFile, range?: ByteRange): Promise<Buffer> {
  try {
    if (range !== undefined) return await loadRange(file, range);
    return await loadWhole(file, longestFile[type], () => tooLong(type, name));
  } catch (error) {
    if (!isAppError(error, 'store/unavailable') || error.retry === undefined) throw error;
    const { code, message, cause, detail, retry } = error;
    throw new AppError(code, message, { cause, detail: { ...detail, file: pathOf(type, name) }, retry });
  }
}

/** A file that is no longer than this; throws what `longer` says otherwise. */
export async function loadWhole(file: HttpFile, mostBytes: number, longer: () => AppError): Promise<Buffer> {
  const { body, isCut } = expect(file, await file.ask('GET', { mostBytes }), 200);
  if (isCut) throw longer();
  return body;
}

/** Exactly that range. Throws `repository/damaged` when the file ends before it does. */
export async function loadRange(file: HttpFile, range: ByteRange): Promise<Buffer> {
  const { offset, length } = range;
  const end = offset + length;
  if (length === 0) {
    if ((await sizeOf(file)) < end) throw tooShort();
    return Buffer.of();
  }
  const answer = await file.ask('GET', { headers: { range: `bytes=${offset}-${end - 1}` }, mostBytes: end });
  if (answer.status === 416) throw tooShort();
  const { status, body } = expect(file, answer, 200, 206);
  // Some servers answer a range that begins with the file with all of it.
  const bytes = status === 206 ? body : body.subarray(offset, end);
  if (bytes.length !== length) throw tooShort();
  return bytes;
}

/** As `stat` of a backend promises, without the name. */
export async function statOf(file: HttpFile): Promise<Omit<ListedFile, 'name'>> {
  const { header } = expect(file, await file.ask('HEAD'), 200);
  const modified = new Date(header('last-modified') ?? '');
  return { size: Number(header('content-length')), ...(!Number.isNaN(modified.getTime()) && { modified }) };
}

/** In bytes. */
async function sizeOf(file: HttpFile): Promise<number> {
  return (await statOf(file)).size;
}

/** Whether the file exists in the store. */
export async function isThere(file: HttpFile): Promise<boolean> {
  return sizeOf(file).then(
    () => true,
    (error: unknown) => (isAppError(error, 'store/not-found') ? false : Promise.reject(error)),
  );
}

/** The listing of `config`, which is one file. */
export async function* listConfig(stat: Backend['stat']): ReturnType<Backend['list']> {
  try {
    yield await stat('config', configName);
  } catch (error) {
    if (!isAppError(error, 'store/not-found')) throw error;
  }
}

/** The error for a file that exists in the store already. */
export function alreadyThere(path: string): AppError {
  return new AppError('store/exists', 'The store has that file already.', { detail: { path } });
}

function expect(file: HttpFile, answer: HttpAnswer, ...good: number[]): HttpAnswer {
  if (good.includes(answer.status)) return answer;
  throw file.refuse(answer);
}

function tooShort(): AppError {
  return new AppError('repository/damaged', 'A file of the repository is shorter than its index says.');
}
