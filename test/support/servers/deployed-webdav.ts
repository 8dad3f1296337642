import { chown, cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { apache } from './apache.ts';
import { type RunningServer, startServerProcess } from './server-process.ts';

/** Apache as deploy/webdav configures it, with the files there, asking that realm about tokens. */
export async function startDeployedWebdav(realm: URL, clientSecret: string): Promise<RunningServer> {
  const home = await temporaryFolder('webdav');
  const state = join(home.path, 'state');
  const files = join(home.path, 'files');
  const secret = join(home.path, 'client_secret.conf');
  await mkdir(state);
  await cp('deploy/webdav/files', files, { recursive: true });
  await writeFile(secret, `OIDCOAuthClientSecret ${clientSecret}`);
  // As root Apache becomes www-data on Debian, where nobody is named.
  const owner = process.getuid?.() === 0 ? { uid: 33, gid: 33 } : undefined;
  if (owner !== undefined) await chown(state, owner.uid, owner.gid);
  const environment = {
    WEBDAV_MODULES: '/usr/lib/apache2/modules',
    WEBDAV_STATE: state,
    WEBDAV_ERROR_LOG: join(state, 'error.log'),
    WEBDAV_FILES: files,
    WEBDAV_PROVIDER: realm.href,
    WEBDAV_CLIENT_SECRET_CONF: secret,
  };
  return startServerProcess(
    async (port) => ({
      command: apache ?? '',
      args: ['-f', join(process.cwd(), 'deploy/webdav/apache.conf'), '-DFOREGROUND'],
      env: { ...environment, WEBDAV_LISTEN: `127.0.0.1:${port}` },
      ...owner,
    }),
    async () => home[Symbol.asyncDispose](),
  );
}
