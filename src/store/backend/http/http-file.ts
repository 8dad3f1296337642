import { AppError, isAppError } from '../../../errors.ts';
import { type Backend, type ByteRange, configName, type ListedFile } from '../backend.ts';
import type { HttpAnswer } from './http-answer.ts';

/** How one file of a server is asked for. */
export interface HttpFile {
  ask(method: 'GET' | 'HEAD', headers?: Readonly<Record<string, string>>): Promise<HttpAnswer>;
  /** What an answer means that is no success. */
  refuse(answer: HttpAnswer): AppError;
}

/** As `load` of a backend promises. */
export async function loadFile(file: HttpFile, range?: ByteRange): Promise<Buffer> {
  if (range === undefined) return expect(file, await file.ask('GET'), 200).body;
  const { offset, length } = range;
  const end = offset + length;
  if (length === 0) {
    if ((await sizeOf(file)) < end) throw tooShort();
    return Buffer.of();
  }
  const answer = await file.ask('GET', { range: `bytes=${offset}-${end - 1}` });
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
export async function sizeOf(file: HttpFile): Promise<number> {
  return (await statOf(file)).size;
}

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
