import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { administer, databaseUrl, type ProvidedPostgres } from './postgres-server.ts';
import { requireProgram } from './programs.ts';
import { type RunningServer, startServerProcess } from './server-process.ts';

const run = promisify(execFile);
const makeDatabase = '/usr/share/davical/dba/create-database.sh';
const howToInstall = 'apt-get install --no-install-recommends davical php8.2-cgi php-pgsql libdbd-pg-perl';
const php = requireProgram('php', howToInstall);

/** Undefined where DAViCal is missing, or what it needs. */
export const davical = existsSync(makeDatabase) && existsSync('/usr/bin/createdb') ? php : undefined;

/** DAViCal with alice in a database of its own on this PostgreSQL server, without a calendar or address book. It believes `X-Remote-User`. */
export async function startDavical({ url: postgres, prefix }: ProvidedPostgres): Promise<RunningServer> {
  const home = await temporaryFolder('davical');
  const { hostname, port, username, password } = new URL(postgres);
  const [user, secret] = [decodeURIComponent(username), decodeURIComponent(password)];
  const name = `${prefix}davical_${randomBytes(6).toString('hex')}`;
  const env = { ...process.env, PGHOST: hostname, PGPORT: port, PGUSER: user, PGPASSWORD: secret };
  await run(makeDatabase, [name, 'admin', user, user], { env });
  await administer(
    databaseUrl(postgres, name),
    "INSERT INTO usr (user_no, username, fullname, email) VALUES (1001, 'alice', 'Alice', 'alice@example.org')",
    "INSERT INTO principal (type_id, user_no, displayname) VALUES (1, 1001, 'Alice')",
  );
  // The package's own configuration is passed by: the name of the server says where another one is.
  await mkdir(join(home.path, 'etc'));
  await writeFile(join(home.path, 'etc', 'here-conf.php'), configurationFor({ name, hostname, port, user, secret }));
  const script = join(home.path, 'router.php');
  await writeFile(script, routerFor(join(home.path, 'etc', 'here')));
  return startServerProcess(
    async (at) => ({
      command: davical ?? '',
      args: ['-d', 'include_path=/usr/share/davical/inc:/usr/share/awl/inc', '-S', `127.0.0.1:${at}`, script],
      env: { PHP_CLI_SERVER_WORKERS: '4' },
    }),
    async () => {
      await administer(postgres, `DROP DATABASE ${name} WITH (FORCE)`);
      await home[Symbol.asyncDispose]();
    },
  );
}

function configurationFor(database: Record<'name' | 'hostname' | 'port' | 'user' | 'secret', string>): string {
  const { name, hostname, port, user, secret } = database;
  return `<?php
$c->pg_connect[] = 'dbname=${name} host=${hostname} port=${port} user=${user} password=${secret}';
$_SERVER['SERVER_NAME'] = $c->domain_name = '127.0.0.1';
$c->authenticate_hook['server_auth_type'] = 'Basic';
$c->authenticate_hook['call'] = 'whoever_the_proxy_names';
function whoever_the_proxy_names($username, $password) {
  $principal = new Principal('username', $username);
  return $principal->Exists() ? $principal : false;
}
`;
}

function routerFor(configuration: string): string {
  return `<?php
error_reporting(E_ERROR);
ini_set('display_errors', '0');
$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
if (preg_match('#^/\\.well-known/(caldav|carddav)/?$#', $path)) {
  header('Location: /caldav.php/', true, 301);
  exit;
}
if (strpos($path, '/caldav.php') !== 0) {
  http_response_code(404);
  exit;
}
$_SERVER['SERVER_NAME'] = '../..${configuration}';
$_SERVER['SCRIPT_NAME'] = '/caldav.php';
$_SERVER['PATH_INFO'] = substr($path, strlen('/caldav.php')) ?: '/';
$_SERVER['REMOTE_USER'] = $_SERVER['HTTP_X_REMOTE_USER'] ?? '';
$_SERVER['AUTH_TYPE'] = 'Basic';
chdir('/usr/share/davical/htdocs');
require 'caldav.php';
`;
}
