import { isAppError } from '../errors.ts';
import type { Backend } from './backend/backend.ts';

/** The place in a store in which exports of Nightkeep's own state lie, beside those of the repositories. */
export const statePlace = 'nightkeep-state';

/** An export that is whole. */
export interface StoredExport {
  readonly createdAt: Date;
  /** Tells it from others of the same moment. */
  readonly id: string;
  /** Of all of its files. */
  readonly bytes: number;
  /** In the order in which they are to be read. */
  readonly files: readonly string[];
}

/** No larger than a pack, so that every store takes a file in one request. */
const fileBytes = 8 * 1024 * 1024;

/**
 * Saves an export piece by piece, in files of some megabytes. The first of them is saved last: without it the others are what a broken
 * export left, and no export.
 */
export function openExportWriter(backend: Backend, { createdAt, id }: Pick<StoredExport, 'createdAt' | 'id'>) {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let first: Buffer | undefined;
  let files = 0;
  let bytes = 0;
  const flush = async () => {
    const content = Buffer.concat(held);
    [held, heldBytes] = [[], 0];
    bytes += content.length;
    if (files === 0) first = content;
    else await backend.save('state', nameOf({ createdAt, id, number: files }), content);
    files += 1;
  };
  return {
    write: async (piece: Uint8Array) => {
      held.push(piece);
      heldBytes += piece.length;
      if (heldBytes >= fileBytes) await flush();
    },
    /** Answers how many bytes it has. */
    finish: async (): Promise<number> => {
      if (heldBytes > 0) await flush();
      if (first !== undefined) await backend.save('state', nameOf({ createdAt, id, number: 0 }), first);
      return bytes;
    },
  };
}

/**
 * The exports of a place that are whole, the newest first, and the files that a broken one left. Those that a clock which was wrong
 * placed into the future stand last.
 */
export async function listExports(
  backend: Backend,
  now: Date,
): Promise<{ whole: StoredExport[]; leftovers: ExportFile[] }> {
  const files = (await Array.fromAsync(backend.list('state'))).flatMap(({ name, size }) => {
    const read = readName(name);
    return read === undefined ? [] : { ...read, name, size };
  });
  const whole: StoredExport[] = [];
  const leftovers: ExportFile[] = [];
  for (const parts of Map.groupBy(files, ({ name }) => name.slice(0, idEnd)).values()) {
    const ordered = parts.toSorted((one, other) => one.number - other.number);
    const [head] = ordered;
    if (head === undefined || ordered.some(({ number }, index) => number !== index)) leftovers.push(...parts);
    else {
      const bytes = ordered.reduce((sum, { size }) => sum + size, 0);
      whole.push({ createdAt: head.createdAt, id: head.id, bytes, files: ordered.map(({ name }) => name) });
    }
  }
  const age = ({ createdAt }: StoredExport) => {
    const ms = now.getTime() - createdAt.getTime();
    return ms < 0 ? Number.POSITIVE_INFINITY : ms;
  };
  return { whole: whole.toSorted((one, other) => age(one) - age(other) || 0), leftovers };
}

export interface ExportFile {
  readonly name: string;
  readonly createdAt: Date;
}

/** The bytes of an export, file by file. */
export async function* readExportFiles(backend: Backend, { files }: StoredExport): AsyncGenerator<Buffer> {
  for (const name of files) yield await backend.load('state', name);
}

/** Removes files; those that are gone already are as good. */
export async function removeExportFiles(backend: Backend, names: readonly string[]): Promise<void> {
  for (const name of names)
    await backend.remove('state', name).catch((error: unknown) => {
      if (!isAppError(error, 'store/not-found')) throw error;
    });
}

const momentEnd = 17;
const idEnd = momentEnd + 32;

/** Files of a place are called by 64 hexadecimal digits: the moment (UTC, to the millisecond), the id, and the number of the file. */
function nameOf({ createdAt, id, number }: { createdAt: Date; id: string; number: number }): string {
  const moment = createdAt.toISOString().replace(/\D/g, '');
  return `${moment}${id.replaceAll('-', '')}${String(number).padStart(64 - idEnd, '0')}`;
}

function readName(name: string): { createdAt: Date; id: string; number: number } | undefined {
  const [, year, month, day, hour, minute, second, ms] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})[0-9a-f]{32}\d{15}$/.exec(name) ?? [];
  const createdAt = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
  if (Number.isNaN(createdAt.getTime())) return undefined;
  return { createdAt, id: name.slice(momentEnd, idEnd), number: Number(name.slice(idEnd)) };
}
