/**
 * The least that any backup over WebDAV must do: lists every folder and fetches the files over 16 keep-alive connections,
 * without keeping them. `node bare-client.ts URL STATE http|https|h2` fetches what STATE, a file of paths and ETags that it writes at the
 * end, does not have.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Pool } from 'undici';

const [, , address, statePath, protocol] = process.argv;
if (address === undefined || statePath === undefined) throw new Error('usage: bare-client.ts URL STATE PROTOCOL');
const { origin, pathname } = new URL(address);
const pool = new Pool(origin, { connections: 16, pipelining: 1, allowH2: protocol === 'h2' });
const known: Record<string, string> = existsSync(statePath) ? JSON.parse(readFileSync(statePath, 'utf8')) : {};
const seen: Record<string, string> = {};
const todo: (() => Promise<void>)[] = [() => list(pathname)];
let requests = 0;
let bytes = 0;

const body =
  '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>';

async function list(path: string): Promise<void> {
  requests++;
  const answer = await pool.request({ path, method: 'PROPFIND', headers: { depth: '1' }, body });
  const xml = await answer.body.text();
  for (const part of xml.split('<D:response').slice(1)) {
    const href = /<D:href>([^<]*)/.exec(part)?.[1] ?? '';
    const etag = /<lp1:getetag>([^<]*)/.exec(part)?.[1] ?? '';
    if (href === path) continue;
    if (part.includes('<D:collection/>')) todo.push(() => list(href));
    else {
      seen[href] = etag;
      if (known[href] !== etag) todo.push(() => fetchFile(href));
    }
  }
}

async function fetchFile(path: string): Promise<void> {
  requests++;
  const answer = await pool.request({ path, method: 'GET' });
  for await (const part of answer.body) bytes += part.length;
}

/** As many at once as there are connections. */
async function work(): Promise<void> {
  let running = 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const pump = () => {
    for (let next = running < 16 ? todo.pop() : undefined; next; next = running < 16 ? todo.pop() : undefined) {
      running++;
      next().then(() => {
        running--;
        pump();
      }, reject);
    }
    if (running === 0) resolve();
  };
  pump();
  return promise;
}

await work();
await pool.close();
writeFileSync(statePath, JSON.stringify(seen));
console.log(JSON.stringify({ requests, bytes }));
