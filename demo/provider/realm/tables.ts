import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';

/** Rows by id, in memory. A row that was changed in place counts once it is put again. */
export interface Table<Row> {
  get(id: string): Row | undefined;
  put(id: string, row: Row): void;
  delete(id: string): void;
  /** In the order in which they first came. */
  rows(): IteratorObject<Row>;
}

/** The provider's memory. Rows are plain JSON. */
export interface Tables {
  /** Opens a table; each is opened once. */
  open<Row>(name: string): Table<Row>;
}

/**
 * Tables that forget everything with the process, or, with a journal, none of what was put: each change is appended
 * before it counts, so that a provider that was killed goes on where it stood.
 */
export function openTables(journal?: string): Tables {
  const kept = journal !== undefined && existsSync(journal) ? compact(journal) : undefined;
  const write = (change: unknown[]) => {
    if (journal !== undefined) appendFileSync(journal, `${JSON.stringify(change)}\n`);
  };
  return {
    open: <Row>(name: string): Table<Row> => {
      const rows = new Map<string, Row>();
      for (const [id, text] of kept?.get(name) ?? []) rows.set(id, JSON.parse(text));
      return {
        get: (id) => rows.get(id),
        put: (id, row) => {
          write([name, id, row]);
          rows.set(id, row);
        },
        delete: (id) => {
          if (rows.has(id)) write([name, id]);
          rows.delete(id);
        },
        rows: () => rows.values(),
      };
    },
  };
}

/** What the journal left, as JSON by table and id; the journal is written anew with that alone. */
function compact(journal: string): Map<string, Map<string, string>> {
  const tables = replay(readFileSync(journal, 'utf8'));
  const lines = [...tables].flatMap(([name, rows]) =>
    [...rows].map(([id, row]) => `${JSON.stringify([name, id]).slice(0, -1)},${row}]\n`),
  );
  writeFileSync(journal, lines.join(''));
  return tables;
}

/** The last line may have been cut off by the end of the process: it did not count. */
function replay(journal: string): Map<string, Map<string, string>> {
  const tables = new Map<string, Map<string, string>>();
  for (const line of journal.split('\n').slice(0, -1)) {
    const [name, id, row]: [string, string, unknown] = JSON.parse(line);
    const table = tables.get(name) ?? new Map<string, string>();
    tables.set(name, table);
    if (row === undefined) table.delete(id);
    else table.set(id, JSON.stringify(row));
  }
  return tables;
}
