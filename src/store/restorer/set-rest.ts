import { getSystemErrorName } from 'node:util';
import { type ExactAttributes, setExactly } from './exact-attributes.ts';
import { type FolderReport, note } from './report.ts';
import { errnoError } from './target-errors.ts';

/** What Node cannot set of entries that are there. It is gathered, since each time of setting starts a process. */
export interface Rest {
  add(exact: ExactAttributes | undefined): void;
  /** Sets what has gathered where that is much. */
  setMuch(): Promise<void>;
  /** Sets what has gathered. */
  setAll(): Promise<void>;
}

const much = 20_000;

/** For entries whose paths are below the folder; what fails goes into the report. */
export function openRest(folder: string, report: FolderReport): Rest {
  let gathered: ExactAttributes[] = [];
  const setAll = async () => {
    const entries = gathered;
    gathered = [];
    await setRest(entries, folder, report);
  };
  return {
    add: (exact) => {
      if (exact !== undefined) gathered.push(exact);
    },
    setMuch: async () => {
      if (gathered.length >= much) await setAll();
    },
    setAll,
  };
}

async function setRest(entries: readonly ExactAttributes[], folder: string, report: FolderReport): Promise<void> {
  if (entries.length === 0) return;
  const failed = await setExactly(entries.map((entry) => ({ ...entry, path: `${folder}/${entry.path}` })));
  if (failed === undefined) report.inexact += entries.length;
  for (const { path, errno } of failed ?? []) {
    const below = path.slice(folder.length + 1);
    note(report.problems, below, errnoError(getSystemErrorName(-errno), folder, below));
  }
}
