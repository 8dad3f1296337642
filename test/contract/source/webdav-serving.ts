import { gzipSync } from 'node:zlib';
import type { HostileNode, Mischief } from '../../support/servers/hostile-webdav.ts';
import type { Served } from './source-contract.ts';

/** What a server does that serves this file so. */
export function servingOf(node: HostileNode, served: Served): Mischief {
  return served === 'growing' ? growing(node) : serving(node, served);
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
