import { describe } from 'vitest';
import { openSource } from '../../support/fixtures/open-source.ts';
import { type HostileNode, longAgo, startHostileWebdav } from '../../support/servers/hostile-webdav.ts';
import { sourceContract } from './source-contract.ts';

describe('files over WebDAV, from a server that propagates folder ETags', () =>
  sourceContract(() => ownCloudFixture((write) => `"write-${write}"`)));

describe('files over WebDAV, from one whose ETags of files are made of the second and the size', () =>
  sourceContract(() =>
    ownCloudFixture((_, { modified = longAgo, content = '' }) => `"${modified.getTime() / 1000}-${content.length}"`),
  ));

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
    open: () => openSource(server.url),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
