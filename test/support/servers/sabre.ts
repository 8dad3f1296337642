import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { requireProgram } from './programs.ts';
import { type RunningServer, startPhpServer } from './server-process.ts';

const install = 'apt-get install php-cli php-xml php-sabre-dav';
const library = '/usr/share/php/Sabre/autoload.php';

/** Undefined (after a loud word) where PHP or sabre/dav is missing. */
export const sabre = requireProgram('php', install);

/** sabre/dav, the library inside Nextcloud, on PHP's own web server: ETags of the content. */
export async function startSabre({ root }: { root: string }): Promise<RunningServer> {
  if (sabre === undefined) throw new Error(`php is missing. Install it with: ${install}`);
  const home = await temporaryFolder('sabre');
  const script = join(home.path, 'server.php');
  await writeFile(script, scriptFor(root));
  return startPhpServer(sabre, script, async () => home[Symbol.asyncDispose]());
}

/** Files of an application would be parsed by PHP; a router script that never returns false serves all by sabre. */
function scriptFor(root: string): string {
  return `<?php
error_reporting(E_ERROR);
ini_set('display_errors', '0');
date_default_timezone_set('UTC');
require '${library}';
$server = new Sabre\\DAV\\Server(new Sabre\\DAV\\FSExt\\Directory('${root}'));
$server->setBaseUri('/');
$server->exec();
`;
}
