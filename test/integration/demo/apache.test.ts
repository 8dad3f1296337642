import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { apache, startApache } from '../../support/servers/apache.ts';
import { startServers } from './servers.ts';

test.skipIf(apache === undefined)(
  'Apache takes the provider’s access token for the person it names, and no other',
  async () => {
    await using servers = await startServers();
    await using folder = await temporaryFolder('demo-apache');
    for (const name of ['alice', 'bob']) {
      await mkdir(join(folder.path, name));
      await writeFile(join(folder.path, name, 'hello.txt'), `hello ${name}\n`);
    }
    const { id: keyId, publicPem: publicKeyPem } = servers.provider.signingKey;
    await using server = await startApache({
      root: folder.path,
      auth: { keyId, publicKeyPem, people: ['alice', 'bob'] },
    });
    const token = await servers.accessToken(alice);
    const ask = (path: string, bearer?: string) =>
      fetch(`${server.url}${path}`, {
        method: 'PROPFIND',
        headers: { depth: '1', ...(bearer && { authorization: `Bearer ${bearer}` }) },
      });
    expect((await ask('alice/', token)).status).toBe(207);
    expect((await ask('bob/', token)).status).toBe(401);
    expect((await ask('alice/')).status).toBe(401);
    expect((await ask('alice/', `${token.slice(0, -8)}AAAAAAAA`)).status).toBe(401);
  },
);
