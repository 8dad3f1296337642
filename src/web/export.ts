import { breakingOff } from './breaking-off.ts';
import type { Visit } from './visit.ts';

/** An answer that browsers save as a file, line by line as it is made. */
export function download(
  { c, resources: { log } }: Pick<Visit, 'c' | 'resources'>,
  name: string,
  type: string,
  lines: () => AsyncGenerator<string>,
): Response {
  const headers = { 'content-type': type, 'content-disposition': `attachment; filename="nightkeep-${name}"` };
  return new Response(breakingOff(c, log, encoded(lines())), { headers });
}

async function* encoded(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const line of lines) yield Buffer.from(line);
}

/** Records as one table (RFC 4180), moments in UTC. Text that a spreadsheet would take for a formula gets an apostrophe before it. */
export async function* csvOf(
  names: readonly string[],
  records: AsyncIterable<readonly unknown[]>,
): AsyncGenerator<string> {
  const line = (fields: readonly unknown[]) => `${fields.map(quoted).join(',')}\r\n`;
  yield line(names);
  for await (const record of records) yield line(record);
}

/** Records as one JSON array, a line each. */
export async function* jsonOf(records: AsyncIterable<unknown>): AsyncGenerator<string> {
  let before = '[\n';
  for await (const record of records) {
    yield before + JSON.stringify(record);
    before = ',\n';
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}

function quoted(field: unknown): string {
  const text = field instanceof Date ? field.toISOString() : String(field ?? '');
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}
