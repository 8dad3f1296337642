import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { requireProgram } from './programs.ts';
import { type RunningServer, startServerProcess } from './server-process.ts';

const run = promisify(execFile);
const install = 'apt-get install --no-install-recommends glewlwyd sqlite3';
const tables = '/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3';
const modules = '/usr/lib/glewlwyd';

/** Undefined (after a loud word) where Glewlwyd, or what makes its database, is missing. */
export const glewlwydProgram = requireProgram('sqlite3', install) && requireProgram('glewlwyd', install);

/** The administrator that comes with the tables. */
export const glewlwydAdministrator = { username: 'admin', password: 'password' };

/**
 * Starts Glewlwyd on a free loopback port, with a new database. `addressAt` tells, without a slash at the end, where
 * people and clients find it when it listens on that port.
 */
export async function startGlewlwyd(addressAt: (port: number) => string): Promise<RunningServer> {
  const home = await temporaryFolder('glewlwyd');
  const database = join(home.path, 'glewlwyd.db');
  await run('sqlite3', [database, `.read ${tables}`]);
  return startServerProcess(
    async (port) => {
      const configuration = join(home.path, 'glewlwyd.conf');
      await writeFile(configuration, configurationFor(port, addressAt(port), database));
      return { command: glewlwydProgram ?? '', args: ['-c', configuration] };
    },
    async () => home[Symbol.asyncDispose](),
  );
}

function configurationFor(port: number, address: string, database: string): string {
  return `
port=${port}
bind_address="127.0.0.1"
external_url="${address}"
login_url="login.html"
api_prefix="api"
static_files_path="/usr/share/glewlwyd/webapp/"
log_mode="console"
log_level="WARNING"
cookie_secure=0
session_key="GLEWLWYD2_SESSION_ID"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="${modules}/user"
client_module_path="${modules}/client"
user_auth_scheme_module_path="${modules}/scheme"
plugin_module_path="${modules}/plugin"
hash_algorithm="SHA512"
database={ type="sqlite3" path="${database}" };
`;
}
