import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';

/** Rows by id, in memory. A row that was changed in place must be put again. */
export interface Table<Row> {
  get(id: string): Row | undefined;
  put(id: string, row: Row): void;
  delete(id: string): void;
  /** In the order of their first put. */
  rows(): IteratorObject<Row>;
}

/** The provider's state. Rows are plain JSON. */
export interface Tables {
  /** Opens a table; each is opened once. */
  open<Row>(name: string): Table<Row>;
}

/**
 * Tables in memory; with a journal they survive the process: each change is appended to it first, so that a killed
 * provider can be started again with the same state.
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

/** The rows that the journal holds, as JSON by table and id. Rewrites the journal with only these. */
function compact(journal: string): Map<string, Map<string, string>> {
  const tables = replay(readFileSync(journal, 'utf8'));
  const lines = [...tables].flatMap(([name, rows]) =>
    [...rows].map(([id, row]) => `${JSON.stringify([name, id]).slice(0, -1)},${row}]\n`),
  );
  writeFileSync(journal, lines.join(''));
  return tables;
}

/** Ignores a last line that was cut off when the process ended. */
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
