import { AppError, isAppError } from '../../errors.ts';
import { type Backend, type ByteRange, configName, type FileType } from '../backend/backend.ts';

interface Wanted {
  readonly type: FileType;
  readonly name: string;
  readonly range?: ByteRange | undefined;
  readonly memory?: ArrayBuffer | undefined;
}

/**
 * Loads as the backend does, but answers with the error where this one file is damaged, gone, or not given by a store that gives others: a disk may have
 * bad sectors, and a server may answer with errors for one object alone. Throws where the store gives nothing.
 */
export async function loadUnlessFaulty(backend: Backend, wanted: Wanted): Promise<Buffer | AppError> {
  const load = () => backend.load(wanted.type, wanted.name, wanted.range, wanted.memory).catch(asAnswer);
  const first = await load();
  if (!(first instanceof AppError) || !isFaultOfFile(first)) return first;
  // The store may have been away, and be back by now.
  await backend.load('config', configName);
  return await load();
}

/** Whether a store that was asked again and again did not give this file. */
export function isFaultOfFile({ code, retry, detail }: AppError): boolean {
  return code === 'store/unavailable' && retry !== undefined && detail.file !== undefined;
}

function asAnswer(error: unknown): AppError {
  const isOfFile =
    isAppError(error) &&
    (error.code === 'repository/damaged' || error.code === 'store/not-found' || isFaultOfFile(error));
  if (isOfFile) return error;
  throw error;
}
