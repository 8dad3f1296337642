import { getSystemErrorName } from 'node:util';
import { type ExactAttributes, setExactly } from './exact-attributes.ts';
import { type FolderReport, note } from './report.ts';
import { errnoError } from './target-errors.ts';

/** Sets what Node cannot of entries whose paths are below the folder, and puts on the report where that failed. */
export async function setRest(
  entries: readonly ExactAttributes[],
  folder: string,
  report: FolderReport,
): Promise<void> {
  if (entries.length === 0) return;
  const failed = await setExactly(entries.map((entry) => ({ ...entry, path: `${folder}/${entry.path}` })));
  if (failed === undefined) report.inexact += entries.length;
  for (const { path, errno } of failed ?? []) {
    const below = path.slice(folder.length + 1);
    note(report.problems, below, errnoError(getSystemErrorName(-errno), folder, below));
  }
}
