import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { requireProgram } from './programs.ts';
import { type RunningServer, startServerProcess } from './server-process.ts';

const install = 'apt-get install lighttpd lighttpd-mod-webdav';
const modules = '/usr/lib/lighttpd';

/** Undefined (after a loud word) where lighttpd or its WebDAV module is missing. */
export const lighttpd = requireProgram(`${modules}/mod_webdav.so`, install) && requireProgram('lighttpd', install);

/** lighttpd mod_webdav: ETags made of whole-second mtimes, and none in a GET. */
export async function startLighttpd({ root }: { root: string }): Promise<RunningServer> {
  if (lighttpd === undefined) throw new Error(`lighttpd is missing. Install it with: ${install}`);
  const home = await temporaryFolder('lighttpd');
  const configuration = join(home.path, 'lighttpd.conf');
  return startServerProcess(
    async (port) => {
      await writeFile(configuration, configurationFor(home.path, root, port));
      return { command: lighttpd, args: ['-D', '-f', configuration, '-m', modules] };
    },
    async () => home[Symbol.asyncDispose](),
  );
}

function configurationFor(home: string, root: string, port: number): string {
  return `
server.modules = ("mod_webdav")
server.bind = "127.0.0.1"
server.port = ${port}
server.document-root = "${root}"
server.errorlog = "${home}/error.log"
server.max-keep-alive-requests = 100000
mimetype.assign = ("" => "application/octet-stream")
webdav.activate = "enable"
webdav.is-readonly = "enable"
`;
}
