import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { requireProgram } from './programs.ts';
import { type RunningServer, startServerProcess } from './server-process.ts';

const install = 'apt-get install apache2 libapache2-mod-auth-openidc';
const modules = '/usr/lib/apache2/modules';

/** Undefined (after a loud word) where Apache or its OpenID Connect module is missing. */
export const apache = requireProgram(`${modules}/mod_auth_openidc.so`, install) && requireProgram('apache2', install);

export interface ApacheOptions {
  /** The folder served at `/`; it and the folders above it must be readable by everybody. */
  root: string;
  /** Without it everybody reads everything. */
  auth?: BearerTokens;
  /** Further directives, at the end of the configuration. */
  extra?: string;
}

/** Bearer tokens as mod_auth_openidc checks them: JWTs signed by one key; each person reads `/<person>/` only. */
export interface BearerTokens {
  keyId: string;
  /** SPKI. */
  publicKeyPem: string;
  people: readonly string[];
  /** The claim that names the person: `preferred_username` unless said. */
  claim?: string;
}

/** Apache mod_dav on a free loopback port, mpm_event, keep-alive without end. */
export async function startApache(options: ApacheOptions): Promise<RunningServer> {
  if (apache === undefined) throw new Error(`apache2 is missing. Install it with: ${install}`);
  const home = await temporaryFolder('apache');
  await prepare(home.path, options);
  return startServerProcess(
    async (port) => {
      const configuration = join(home.path, 'apache.conf');
      await writeFile(configuration, configurationFor(home.path, port, options));
      return { command: apache, args: ['-f', configuration, '-DFOREGROUND'] };
    },
    async () => home[Symbol.asyncDispose](),
  );
}

/** The lock database must belong to the user that Apache becomes; 33 is www-data on Debian. */
async function prepare(home: string, { auth }: ApacheOptions): Promise<void> {
  const locks = join(home, 'locks');
  await mkdir(locks);
  if (process.getuid?.() === 0) await chown(locks, 33, 33);
  if (auth) await writeFile(join(home, 'issuer.pem'), auth.publicKeyPem);
}

function configurationFor(home: string, port: number, { root, auth, extra = '' }: ApacheOptions): string {
  return `
ServerName 127.0.0.1
ServerRoot "${home}"
Listen 127.0.0.1:${port}
PidFile "${home}/apache.pid"
Mutex file:${home} default
ErrorLog "${home}/error.log"
LogLevel warn
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
${moduleLines(auth !== undefined)}
StartServers 2
ServerLimit 4
ThreadsPerChild 25
MaxRequestWorkers 100
MinSpareThreads 25
MaxSpareThreads 100
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 30
AllowEncodedSlashes NoDecode
DocumentRoot "${root}"
DavLockDB "${home}/locks/davlock"
<Directory "${root}">
  Require all granted
  Dav On
</Directory>
${auth ? authLines(home, auth) : ''}
${extra}
`;
}

function moduleLines(withAuth: boolean): string {
  const names = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'dav', 'dav_fs'];
  return [...names, ...(withAuth ? ['auth_openidc'] : [])]
    .map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`)
    .join('\n');
}

/** A key file is what this module takes without TLS; somebody else's folder answers 401, not 403. */
function authLines(home: string, { keyId, people, claim = 'preferred_username' }: BearerTokens): string {
  const folders = people.map(
    (person) => `
<Location "/${person}">
  AuthType oauth20
  Require claim ${claim}:${person}
</Location>`,
  );
  return `
OIDCOAuthVerifyCertFiles "${keyId}#${home}/issuer.pem"
OIDCOAuthRemoteUserClaim ${claim}
${folders.join('\n')}`;
}
