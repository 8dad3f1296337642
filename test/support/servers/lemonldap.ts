import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { requireProgram } from './programs.ts';
import { type RunningServer, startServerProcess } from './server-process.ts';

const run = promisify(execFile);
const install = 'npm run setup';
const portal = '/usr/share/lemonldap-ng/portal/htdocs';

/** Undefined (after a loud word) where LemonLDAP::NG, or what it needs to have people in a database, is missing. */
export const lemonldapProgram =
  requireProgram('sqlite3', install) &&
  requireProgram('/usr/share/doc/libdbd-sqlite3-perl', install) &&
  requireProgram(portal, install) &&
  requireProgram('plackup', install);

export interface LemonldapSession {
  readonly _session_id: string;
  readonly _type?: string;
  /** Of an offline token: whose it is. */
  readonly _session_uid?: string;
}

export interface Lemonldap extends RunningServer {
  /** All that it keeps of people and clients, offline tokens among it: each is a session to it. */
  sessions(): Promise<LemonldapSession[]>;
  removeSession(id: string): Promise<void>;
  /** Asks the database of people: `people` with username, password, name and email. */
  sql(statement: string): Promise<void>;
  /** Writes another configuration, which the portal finds within a second or two. */
  configure(options: object): Promise<void>;
}

/**
 * Starts the portal of LemonLDAP::NG on a free loopback port: one process, one request at a time. `optionsAt` makes what
 * is special of its configuration for that port.
 */
export async function startLemonldap(optionsAt: (port: number) => object): Promise<Lemonldap> {
  const home = await temporaryFolder('lemonldap');
  const at = (name: string) => join(home.path, name);
  for (const name of ['conf', 'sessions', 'persistent', 'cache']) await mkdir(at(name));
  const sql = async (statement: string) => void (await run('sqlite3', [at('people.db'), statement]));
  await sql('CREATE TABLE people (username TEXT PRIMARY KEY, password TEXT, name TEXT, email TEXT)');
  await writeFile(at('lemonldap-ng.ini'), settingsFor(home.path));
  let cfgNum = 0;
  const configure = (options: object) => {
    cfgNum += 1;
    const configuration = { cfgNum, cfgDate: cfgNum, ...configurationFor(home.path), ...options };
    return writeFile(at(`conf/lmConf-${cfgNum}.json`), JSON.stringify(configuration));
  };
  const server = await startServerProcess(
    async (port) => {
      await configure(optionsAt(port));
      const serving = ['-s', 'HTTP::Server::PSGI', '-E', 'deployment', '--host', '127.0.0.1', '--port', String(port)];
      return {
        command: lemonldapProgram ?? '',
        args: [...serving, join(portal, 'index.psgi')],
        env: { LLNG_DEFAULTCONFFILE: at('lemonldap-ng.ini') },
      };
    },
    async () => home[Symbol.asyncDispose](),
  );
  return {
    ...server,
    sql,
    configure,
    sessions: async () => {
      const ids = (await readdir(at('sessions'))).filter((name) => !name.endsWith('.lock'));
      return Promise.all(ids.map(async (id) => JSON.parse(await readFile(join(at('sessions'), id), 'utf8'))));
    },
    removeSession: (id) => rm(join(at('sessions'), id)),
  };
}

function settingsFor(home: string): string {
  return `
[all]
logLevel = error
checkTime = 1
[configuration]
type = File
dirName = ${home}/conf
localStorage = Cache::FileCache
localStorageOptions = { 'namespace' => 'configuration', 'cache_root' => '${home}/cache', 'cache_depth' => 3 }
[portal]
staticPrefix = /static
templateDir = /usr/share/lemonldap-ng/portal/templates
languages = en
`;
}

function configurationFor(home: string) {
  const database = `dbi:SQLite:dbname=${home}/people.db`;
  const storage = (folder: string) => ({ Directory: `${home}/${folder}`, LockDirectory: `${home}/${folder}` });
  return {
    cfgVersion: '2.16.1',
    authentication: 'DBI',
    userDB: 'Same',
    passwordDB: 'Null',
    registerDB: 'Null',
    dbiAuthChain: database,
    dbiUserChain: database,
    dbiAuthTable: 'people',
    dbiAuthLoginCol: 'username',
    dbiAuthPasswordCol: 'password',
    dbiExportedVars: { uid: 'username', cn: 'name', mail: 'email' },
    cookieName: 'lemonldap',
    securedCookie: 0,
    globalStorage: 'Apache::Session::File',
    globalStorageOptions: {
      ...storage('sessions'),
      generateModule: 'Lemonldap::NG::Common::Apache::Session::Generate::SHA256',
    },
    persistentStorage: 'Apache::Session::File',
    persistentStorageOptions: storage('persistent'),
    localSessionStorage: 'Cache::FileCache',
    localSessionStorageOptions: { namespace: 'sessions', cache_root: `${home}/cache`, cache_depth: 3 },
    macros: { _whatToTrace: 'lc($_user)' },
    whatToTrace: '_whatToTrace',
    portalSkin: 'bootstrap',
    locationRules: {},
    exportedHeaders: {},
    groups: {},
    timeout: 72_000,
  };
}
