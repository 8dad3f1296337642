import { chmod } from 'node:fs/promises';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { startApache } from './apache.ts';
import type { BearerIssuer } from './bearer-issuer.ts';
import type { RunningServer } from './server-process.ts';

const modules = '/usr/lib/apache2/modules';

/**
 * Apache that checks bearer tokens and passes requests on to a server that believes what it says in `X-Remote-User`; stops that one too. The header of
 * the client itself is dropped.
 */
export async function startBearerProxy(behind: RunningServer, { tokens }: BearerIssuer): Promise<RunningServer> {
  const nothing = await temporaryFolder('nothing');
  await chmod(nothing.path, 0o755);
  const extra = `
${['headers', 'proxy', 'proxy_http'].map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n')}
ProxyPreserveHost On
ProxyPass / ${behind.url} nocanon
<Location "/">
  AuthType oauth20
  Require valid-user
  RequestHeader unset Authorization
  RequestHeader set X-Remote-User "expr=%{REMOTE_USER}"
</Location>`;
  const front = await startApache({ root: nothing.path, auth: { ...tokens, people: [] }, extra });
  const stop = async () => {
    await front.stop();
    await behind.stop();
    await nothing[Symbol.asyncDispose]();
  };
  return { ...front, stop, [Symbol.asyncDispose]: stop };
}
