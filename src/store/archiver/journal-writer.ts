import type { DataId } from '../format/ids.ts';
import type { ArchiveRepository } from './contract.ts';
import type { FinishedNodes } from './finished.ts';
import { encodeEntries, type JournalEntry, type Journals } from './journal.ts';
import type { Sealing } from './sealing.ts';

/** How many journals are merged into one. */
const mostJournals = 64;

/** Writes journals, each behind those before it. */
export interface JournalWriter {
  /** Writes a journal of the news, or of all where there is none before it, or there are too many. False where there is nothing to write. */
  write(all: Pick<FinishedNodes, 'entries'>, news: Iterable<JournalEntry>): Promise<boolean>;
}

/** Starts without journals. `save` is called with all of them once everything that they need is on the store and in index files. */
export function openJournalWriter(
  { sealing, repository }: { readonly sealing: Sealing; readonly repository: Pick<ArchiveRepository, 'flush'> },
  save: (journals: Journals) => Promise<void>,
): JournalWriter {
  let journals: Journals = [];
  return {
    async write(all, news) {
      const isWhole = journals.length === 0 || journals.length >= mostJournals;
      const before = isWhole ? [] : journals;
      // If this one cannot be saved, the next one says all.
      journals = [];
      const bytes = await encodeEntries(isWhole ? all.entries() : news);
      if (bytes.length === 0) return false;
      const content = await store(sealing, bytes);
      await sealing.flush();
      await repository.flush();
      await save([...before, content]);
      journals = [...before, content];
      return true;
    },
  };
}

async function store(sealing: Sealing, bytes: readonly Buffer[]): Promise<readonly DataId[]> {
  const stream = sealing.openEntry(bytes.reduce((sum, { length }) => sum + length, 0));
  for (const piece of bytes) await stream.write(piece);
  const content = stream.end();
  sealing.post();
  return content;
}
