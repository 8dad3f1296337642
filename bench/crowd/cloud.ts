/**
 * The server of everybody's files, a child process of bench/crowd.ts. It is told how many files each person has and answers its origin; after `change`, one
 * file of each person is another, and so are the ETags of all folders above it; after `count`, it answers how many requests it has had.
 */
import { once } from 'node:events';
import { listenOnLoopback } from '../../demo/loopback-server.ts';
import { end, file, folder, type HostileNode, listingOf } from '../../test/support/servers/hostile-webdav.ts';

const filesOfFolder = 20;

process.once('disconnect', () => process.exit());
const [files]: [number] = (await once(process, 'message')) as [number];
const folders = Math.ceil(files / filesOfFolder);
let [changes, requests] = [0, 0];
const server = await listenOnLoopback(0);
server.serve(async (request, response) => {
  request.resume();
  requests += 1;
  const { method = '', url: path = '', headers } = request;
  const [who = '', ...names] = decodeURIComponent(path)
    .split('/')
    .filter((name) => name !== '');
  const node = find(who, names);
  if (node === undefined) end(response, 404);
  else if (method === 'PROPFIND')
    end(response, 207, { 'content-type': 'application/xml; charset=utf-8' }, listingOf(node, { path, headers }));
  else if (node.content === undefined) end(response, 405);
  else {
    response.writeHead(200, { etag: node.etag, 'content-length': node.content.length });
    response.end(node.content);
  }
});
process.on('message', (asked) => {
  if (asked === 'change') changes += 1;
  process.send?.(asked === 'count' ? requests : 'changed');
});
process.send?.(server.origin);

/** Only what is asked for is made: a server that made everything of somebody for each request would take as long as the worker. */
function find(who: string, [folderName, ...fileNames]: readonly string[]): HostileNode | undefined {
  if (folderName === undefined) return topOf(who);
  const number = Array.from({ length: folders }, (_, each) => nameOf(each)).indexOf(folderName);
  if (number < 0) return undefined;
  let node: HostileNode | undefined = folderOf(who, number);
  for (const name of fileNames) node = node?.children?.get(name);
  return node;
}

/** Its folders are told without what is in them, as a listing is. */
function topOf(who: string): HostileNode {
  const each = Array.from({ length: folders }, (_, number) => [
    nameOf(number),
    folder({}, identified(`${who}-${number}`, number === 0 ? changes : 0)),
  ]);
  return folder(Object.fromEntries(each), identified(who, changes));
}

function nameOf(number: number): string {
  return `folder ${number}`;
}

/** Only the first file of the first folder ever changes. */
function folderOf(who: string, number: number): HostileNode {
  const size = Math.min(filesOfFolder, files - number * filesOfFolder);
  const members = Array.from({ length: size }, (_, index) => {
    const version = number + index === 0 ? changes : 0;
    const text = `${who} ${number} ${index} ${version}\n`.repeat(10);
    return [`${index}.txt`, file(text, { etag: `"${who}-${number}-${index}-${version}"` })];
  });
  return folder(Object.fromEntries(members), identified(`${who}-${number}`, number === 0 ? changes : 0));
}

/** As Nextcloud and ownCloud say it, whose ETags of folders change with all below them. */
function identified(id: string, version: number): Partial<HostileNode> {
  return { etag: `"${id}-${version}"`, properties: `<oc:fileid>${id}</oc:fileid>` };
}
