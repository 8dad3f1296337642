import { Prisma } from './generated/client.ts';

/** All columns of a table, as Prisma names their fields: those of `plans` as `plans.userId`, and so on. */
export function columnsOf(table: string, fields: Readonly<Record<string, string>>): Prisma.Sql {
  const snake = (field: string) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Prisma.raw(
    Object.values(fields)
      .map((field) => `${table}.${snake(field)} AS "${table}.${field}"`)
      .join(', '),
  );
}

/** The row of one of these tables; null where a join found none. */
export function rowIn<T>(row: Readonly<Record<string, unknown>>, table: string): T | null {
  const own = Object.entries(row).filter(([name]) => name.startsWith(`${table}.`));
  const fields = Object.fromEntries(own.map(([name, value]) => [name.slice(table.length + 1), value]));
  return fields.id === null ? null : (fields as T);
}
