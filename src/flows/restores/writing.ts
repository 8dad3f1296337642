import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { Access } from '../../sources/source.ts';
import type { Snapshot } from '../../store/format/snapshot.ts';
import type { History } from '../../store/history/history.ts';
import type { RestoreReport } from '../../store/restorer/report.ts';

/** What a restore has written so far. */
export interface Written {
  files: number;
  bytes: number;
}

/** What is written, but not with everything that the snapshot has of it. */
export interface RestoreNote {
  readonly path: string;
  readonly message: string;
}

/** What writing to a server needs. */
export type WritingNeeds = Pick<Resources, 'clock' | 'config' | 'log' | 'sourceServers'>;

/** What is written, and where it goes. */
export interface Writing {
  readonly access: Access;
  readonly history: History;
  readonly snapshot: Snapshot;
  readonly path: string;
  readonly url: string;
  /** Of the new folder, unless there is one of that name. */
  readonly name: string;
  readonly signal: AbortSignal;
  readonly written: Written & { folder: string | null };
  readonly report: RestoreReport;
  readonly notes: RestoreNote[];
}

/** Never one that is there: nothing of the person's is touched. Throws `source/forbidden` where the server takes nothing at all. */
export async function makeNewFolder(make: (name: string) => Promise<boolean>, name: string): Promise<string> {
  for (let number = 1; number <= 20; number += 1) {
    const folder = number === 1 ? name : `${name} (${number})`;
    if (await make(folder).catch(asRefusal)) return folder;
  }
  throw new AppError(
    'source/forbidden',
    'The server makes nothing new for the restore: it does not let anybody do that, or all names that were tried exist already.',
  );
}

function asRefusal(error: unknown): never {
  if (!isAppError(error, 'source/forbidden') && !isAppError(error, 'source/malformed')) throw error;
  throw new AppError(
    'source/forbidden',
    'The server does not let Nightkeep write there, so nothing was restored. Download what you need instead.',
    { cause: error },
  );
}
