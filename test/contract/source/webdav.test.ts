import { describe } from 'vitest';
import { namesInBytes, oddNames } from '../../support/fixtures/odd-names.ts';
import { openSource } from '../../support/fixtures/open-source.ts';
import {
  end,
  folder,
  type HostileNode,
  listingOf,
  longAgo,
  type Mischief,
  startHostileWebdav,
} from '../../support/servers/hostile-webdav.ts';
import { listingContract, type Shown } from './listing-contract.ts';
import { readingContract, type Served, sourceContract } from './source-contract.ts';
import { servingOf } from './webdav-serving.ts';

describe('files over WebDAV, from a server that propagates folder ETags', () => {
  const open = () => ownCloudFixture((write) => `"write-${write}"`);
  sourceContract(open, [...oddNames, ...namesInBytes]);
  readingContract(open);
  listingContract(open);
});

describe('files over WebDAV, from one whose ETags of files are made of the second and the size', () => {
  const open = () =>
    ownCloudFixture((_, { modified = longAgo, content = '' }) => `"${modified.getTime() / 1000}-${content.length}"`);
  sourceContract(open);
  readingContract(open);
});

/** As Nextcloud does: each write gives new ETags to all folders above it, and to the file where `etagOf` makes it so. */
async function ownCloudFixture(etagOf: (write: number, node: HostileNode) => string) {
  const server = await startHostileWebdav();
  let writes = 0;
  let ids = 0;
  const nodeAt = (path: string) =>
    path.split('/').reduce<HostileNode>((at, name) => at.children?.get(name) ?? at, server.root);
  const put = async (path: string, leaf: HostileNode, modified: Date) => {
    const names = path.split('/');
    const etag = `"write-${++writes}"`;
    const newId = () => ({ properties: `<oc:fileid>${++ids}</oc:fileid>` });
    const leafName = names.pop() ?? '';
    let node: HostileNode = Object.assign(server.root, { etag, properties: '<oc:fileid>0</oc:fileid>' });
    for (const name of names) {
      const next: HostileNode = node.children?.get(name) ?? { children: new Map(), modified, ...newId() };
      node.children?.set(name, next);
      node = Object.assign(next, { etag });
    }
    const whole = { ...leaf, ...newId(), modified: new Date(Math.floor(modified.getTime() / 1000) * 1000) };
    node.children?.set(leafName, { ...whole, etag: etagOf(writes, whole) });
  };
  return {
    putOld: (path: string, content: string | Buffer) => put(path, { content: Buffer.from(content) }, longAgo),
    putNow: (path: string, content: string | Buffer) => put(path, { content: Buffer.from(content) }, new Date()),
    putFolder: (path: string) => put(path, { children: new Map() }, longAgo),
    remove: async (path: string) => {
      server.root.children?.delete(path);
    },
    show: async (path: string, shown: Shown) => {
      const names = path.split('/');
      for (const [at] of names.entries()) nodeAt(names.slice(0, at + 1).join('/')).etag = `"write-${++writes}"`;
      server.mischief = showing(nodeAt(path), path, shown);
    },
    serve: async (path: string, served: Served) => {
      const node = nodeAt(path);
      const mischief = servingOf(node, served);
      server.mischief = (request, response) =>
        request.path === `/dav/${path}` ? mischief(request, response) : undefined;
    },
    open: () => openSource(server.url),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function showing(node: HostileNode, shownPath: string, shown: Shown): Mischief {
  if (shown === 'in-itself') node.children?.set('again', node);
  if (shown === 'refused')
    node.response = (href) =>
      `<d:response><d:href>${href}</d:href><d:status>HTTP/1.1 403 Forbidden</d:status></d:response>`;
  const statuses: Partial<Record<Shown, number>> = { 'not-found': 404, forbidden: 403 };
  return (request, response) => {
    const { method, path } = request;
    const below = path.replace(/^\/dav\//, '').replace(/\/$/, '');
    const status = below === shownPath ? statuses[shown] : undefined;
    if (status !== undefined) end(response, status);
    else if (method !== 'PROPFIND') return undefined;
    else if (shown === 'incomplete' && below === shownPath) {
      const listing = listingOf({ ...node, children: new Map() }, request);
      end(response, 207, {}, listing.replace('</d:multistatus>', '<d:response/></d:multistatus>'));
    } else if (shown === 'endless' && below.startsWith(`${shownPath}/further`)) {
      end(response, 207, {}, listingOf(folder({ [`further ${path.length}`]: folder() }), request));
    } else if (shown === 'endless' && below === shownPath) {
      end(
        response,
        207,
        {},
        listingOf(folder({ ...Object.fromEntries(node.children ?? []), 'further 0': folder() }), request),
      );
    } else return undefined;
    return true;
  };
}
