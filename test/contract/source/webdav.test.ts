import { gzipSync } from 'node:zlib';
import { describe } from 'vitest';
import { openSource } from '../../support/fixtures/open-source.ts';
import { type HostileNode, longAgo, type Mischief, startHostileWebdav } from '../../support/servers/hostile-webdav.ts';
import { readingContract, type Served, sourceContract } from './source-contract.ts';

describe('files over WebDAV, from a server that propagates folder ETags', () => {
  const open = () => ownCloudFixture((write) => `"write-${write}"`);
  sourceContract(open);
  readingContract(open);
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
  const put = async (path: string, leaf: HostileNode, modified: Date) => {
    const names = path.split('/');
    const etag = `"write-${++writes}"`;
    const properties = `<oc:fileid>${writes}</oc:fileid>`;
    const leafName = names.pop() ?? '';
    let node = Object.assign(server.root, { etag, properties });
    for (const name of names) {
      const next: HostileNode = node.children?.get(name) ?? { children: new Map(), modified };
      node.children?.set(name, next);
      node = Object.assign(next, { etag, properties });
    }
    const whole = { ...leaf, properties, modified: new Date(Math.floor(modified.getTime() / 1000) * 1000) };
    node.children?.set(leafName, { ...whole, etag: etagOf(writes, whole) });
  };
  return {
    putOld: (path: string, content: string | Buffer) => put(path, { content: Buffer.from(content) }, longAgo),
    putNow: (path: string, content: string | Buffer) => put(path, { content: Buffer.from(content) }, new Date()),
    putFolder: (path: string) => put(path, { children: new Map() }, longAgo),
    remove: async (path: string) => {
      server.root.children?.delete(path);
    },
    serve: async (path: string, served: Served) => {
      const node = path.split('/').reduce<HostileNode>((at, name) => at.children?.get(name) ?? at, server.root);
      const mischief = served === 'growing' ? growing(node) : serving(node, served);
      server.mischief = (request, response) =>
        request.path === `/dav/${path}` ? mischief(request, response) : undefined;
    },
    open: () => openSource(server.url),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function serving({ content = Buffer.alloc(0), etag = '' }: HostileNode, served: Exclude<Served, 'growing'>): Mischief {
  const answers: Record<typeof served, [Record<string, string>, Buffer]> = {
    page: [{ 'content-type': 'text/html' }, Buffer.from('<!doctype html><title>Sign in</title>')],
    empty: [{ etag }, Buffer.alloc(0)],
    cut: [{}, content.subarray(0, content.length / 2)],
    'other-size': [{ etag }, Buffer.concat([content, content])],
    unnamed: [{}, content],
    compressed: [{ etag: etag.replace(/"$/, '-gzip"'), 'content-encoding': 'gzip' }, gzipSync(content)],
  };
  const [headers, body] = answers[served];
  return ({ method }, response) => {
    if (method === 'PROPFIND') return undefined;
    response.writeHead(200, { ...headers, 'content-length': body.length }).end(method === 'HEAD' ? undefined : body);
    return true;
  };
}

function growing(node: HostileNode): Mischief {
  let requests = 0;
  return ({ method }, response) => {
    const content = Buffer.concat([node.content ?? Buffer.alloc(0), Buffer.from('the content of a file\n')]);
    Object.assign(node, { content, etag: `"grown-${++requests}"`, modified: new Date() });
    if (method === 'PROPFIND') return undefined;
    response.writeHead(200, { etag: node.etag ?? '' });
    if (method === 'GET') response.write(content);
    response.end();
    return true;
  };
}
