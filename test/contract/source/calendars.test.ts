import { describe } from 'vitest';
import { heldKinds } from '../../../src/sources/dav/held-kind.ts';
import type { Source } from '../../../src/sources/source.ts';
import { calendar, changeTag, multigetOf, personalTree } from '../../support/fixtures/calendars.ts';
import { namesInBytes, oddNames } from '../../support/fixtures/odd-names.ts';
import { openSource } from '../../support/fixtures/open-source.ts';
import { folder, type HostileNode, longAgo, startHostileWebdav } from '../../support/servers/hostile-webdav.ts';
import { readingContract, sourceContract } from './source-contract.ts';
import { servingOf } from './webdav-serving.ts';

/** What is promised of files holds of what is in a calendar. */
describe('objects of a calendar', () => {
  sourceContract(calendarFixture, [...oddNames, ...namesInBytes]);
  readingContract(calendarFixture);
});

describe('objects of a calendar that are read many at once', () => {
  sourceContract(bulkFixture, [...oddNames, ...namesInBytes]);
  readingContract(bulkFixture);
});

const bulkFixture = () => calendarFixture({ isBulk: true });

async function calendarFixture({ isBulk = false } = {}) {
  const only = calendar({});
  const root = personalTree(folder({ only }));
  const server = await startHostileWebdav(root);
  if (isBulk) server.mischief = multigetOf(root);
  let writes = 0;
  const put = async (path: string, leaf: HostileNode, modified: Date) => {
    const names = path.split('/');
    const leafName = names.pop() ?? '';
    only.properties = changeTag(`write ${++writes}`);
    let node = only;
    for (const name of names) {
      const next: HostileNode = node.children?.get(name) ?? folder();
      node.children?.set(name, next);
      node = next;
    }
    const whole = new Date(Math.floor(modified.getTime() / 1000) * 1000);
    node.children?.set(leafName, { ...leaf, modified: whole, etag: `"write ${writes}"` });
  };
  const nodeAt = (path: string) =>
    path.split('/').reduce<HostileNode>((at, name) => at.children?.get(name) ?? at, only);
  return {
    putOld: (path: string, content: string | Buffer) => put(path, { content: Buffer.from(content) }, longAgo),
    putNow: (path: string, content: string | Buffer) => put(path, { content: Buffer.from(content) }, new Date()),
    putFolder: (path: string) => put(path, { children: new Map() }, longAgo),
    remove: async (path: string) => {
      only.children?.delete(path);
    },
    serve: async (path: string, served: Parameters<typeof servingOf>[1]) => {
      const mischief = servingOf(nodeAt(path), served);
      server.mischief = (request, response) =>
        request.path === `/dav/home/only/${path}` ? mischief(request, response) : undefined;
    },
    open: () => insideOf(openSource(server.url, { kind: heldKinds.calendars, name: 'calendars' }), { isBulk }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The source as if its only calendar were all of it. */
function insideOf(source: Source, { isBulk }: { isBulk: boolean }): Source {
  return {
    ...source,
    list: async (collection, signal) => {
      const listing = await source.list(collection, signal);
      if (isBulk) source.expect?.(collection, listing.members);
      return listing;
    },
    roots: async (signal) => {
      const [root] = await source.roots(signal);
      const [only] = root === undefined ? [] : (await source.list(root.collection, signal)).members;
      if (root === undefined || only === undefined) throw new Error('There is no calendar.');
      return [{ ...root, collection: only }];
    },
  };
}
