import { describe } from 'vitest';
import { openSource } from '../../support/fixtures/open-source.ts';
import { type HostileNode, longAgo, startHostileWebdav } from '../../support/servers/hostile-webdav.ts';
import { sourceContract } from './source-contract.ts';

describe('files over WebDAV, from a server that propagates folder ETags', () => sourceContract(ownCloudFixture));

/** As Nextcloud does: each write gives new ETags to the file and all folders above it. */
async function ownCloudFixture() {
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
    node.children?.set(leafName, { ...leaf, etag, properties, modified });
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
