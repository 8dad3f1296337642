import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { requireProgram } from './programs.ts';
import { type RunningServer, startPhpServer, startServerProcess } from './server-process.ts';

/** Servers of calendars and contacts. Each believes who asks by `X-Remote-User`, or knows one person alone, alice. */

/** Undefined (after a loud word) where Radicale is missing. */
export const radicale = requireProgram('radicale', 'apt-get install radicale');
/** The same of xandikos. */
export const xandikos = requireProgram('xandikos', 'apt-get install xandikos');
/** The same of PHP, for sabre/dav with its calendars in SQLite. */
export const sabreCalendars = requireProgram('php', 'apt-get install php-cli php-xml php-sqlite3 php-sabre-dav');

export async function startRadicale(): Promise<RunningServer> {
  const home = await temporaryFolder('radicale');
  return startServerProcess(
    async (port) => {
      const configuration = join(home.path, 'config');
      await writeFile(
        configuration,
        `[server]
hosts = 127.0.0.1:${port}
[auth]
type = http_x_remote_user
[rights]
type = owner_only
[storage]
filesystem_folder = ${join(home.path, 'collections')}
[web]
type = none
[logging]
level = warning
`,
      );
      return { command: radicale ?? '', args: ['--config', configuration] };
    },
    async () => home[Symbol.asyncDispose](),
  );
}

/** Has the calendar `calendars/calendar` and the address book `contacts/addressbook` of alice from the start. */
export async function startXandikos(): Promise<RunningServer> {
  const home = await temporaryFolder('xandikos');
  return startServerProcess(
    async (port) => ({
      command: xandikos ?? '',
      args: [
        '-d',
        home.path,
        '--defaults',
        '--current-user-principal',
        '/alice/',
        '-l',
        '127.0.0.1',
        '-p',
        String(port),
      ],
    }),
    async () => home[Symbol.asyncDispose](),
    { startMs: 30_000 },
  );
}

/** sabre/dav with calendars and address books of alice in SQLite, as its own example of a groupware server has them. */
export async function startSabreCalendars(): Promise<RunningServer> {
  const home = await temporaryFolder('sabre-calendars');
  const script = join(home.path, 'server.php');
  await mkdir(join(home.path, 'data'));
  await writeFile(script, scriptIn(join(home.path, 'data', 'database')));
  return startPhpServer(sabreCalendars ?? '', script, async () => home[Symbol.asyncDispose]());
}

function scriptIn(database: string): string {
  return `<?php
error_reporting(E_ERROR);
ini_set('display_errors', '0');
date_default_timezone_set('UTC');
require '/usr/share/php/Sabre/autoload.php';
$isNew = !file_exists('${database}');
$pdo = new PDO('sqlite:${database}');
$pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$pdo->setAttribute(PDO::ATTR_TIMEOUT, 10);
if ($isNew) $pdo->exec("
CREATE TABLE addressbooks (id integer primary key asc, principaluri text, displayname text, uri text, description text, ctag integer);
CREATE TABLE cards (id integer primary key asc, addressbookid integer, carddata blob, uri text, lastmodified integer);
CREATE TABLE calendarobjects (id integer primary key asc, calendardata blob, uri text, calendarid integer, lastmodified integer,
  etag text, size integer, componenttype text, firstoccurence integer, lastoccurence integer);
CREATE TABLE calendars (id integer primary key asc, principaluri text, displayname text, uri text, ctag integer, description text,
  calendarorder integer, calendarcolor text, timezone text, components text, transparent bool);
CREATE TABLE principals (id INTEGER PRIMARY KEY ASC, uri TEXT, email TEXT, displayname TEXT, vcardurl TEXT, UNIQUE(uri));
CREATE TABLE groupmembers (id INTEGER PRIMARY KEY ASC, principal_id INTEGER, member_id INTEGER, UNIQUE(principal_id, member_id));
INSERT INTO principals (uri, email, displayname) VALUES ('principals/alice', 'alice@example.org', 'Alice');
");
class FromHeader implements Sabre\\DAV\\Auth\\Backend\\BackendInterface {
  function authenticate(Sabre\\DAV\\Server $server, $realm) {
    if ($this->getCurrentUser() === null) throw new Sabre\\DAV\\Exception\\NotAuthenticated('Nobody.');
    return true;
  }
  function getCurrentUser() {
    return $_SERVER['HTTP_X_REMOTE_USER'] ?? null;
  }
}
$principals = new Sabre\\DAVACL\\PrincipalBackend\\PDO($pdo);
$server = new Sabre\\DAV\\Server([
  new Sabre\\CalDAV\\Principal\\Collection($principals),
  new Sabre\\CalDAV\\CalendarRootNode($principals, new Sabre\\CalDAV\\Backend\\PDO($pdo)),
  new Sabre\\CardDAV\\AddressBookRoot($principals, new Sabre\\CardDAV\\Backend\\PDO($pdo)),
]);
$server->setBaseUri('/');
$server->addPlugin(new Sabre\\DAV\\Auth\\Plugin(new FromHeader(), 'sabre'));
$server->addPlugin(new Sabre\\DAVACL\\Plugin());
$server->addPlugin(new Sabre\\CalDAV\\Plugin());
$server->addPlugin(new Sabre\\CardDAV\\Plugin());
$server->exec();
`;
}
