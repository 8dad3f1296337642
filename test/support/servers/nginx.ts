import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { requireProgram } from './programs.ts';
import { type RunningServer, startServerProcess } from './server-process.ts';

const install = 'apt-get install nginx-extras';
const davModule = '/usr/lib/nginx/modules/ngx_http_dav_ext_module.so';

/** Undefined (after a loud word) where nginx or its WebDAV module is missing. */
export const nginx = requireProgram(davModule, install) && requireProgram('nginx', install);

/** nginx dav-ext: no ETags in listings, another form of them in a GET. */
export async function startNginx({ root }: { root: string }): Promise<RunningServer> {
  if (nginx === undefined) throw new Error(`nginx is missing. Install it with: ${install}`);
  const home = await temporaryFolder('nginx');
  const configuration = join(home.path, 'nginx.conf');
  return startServerProcess(
    async (port) => {
      await writeFile(configuration, configurationFor(home.path, root, port));
      return { command: nginx, args: ['-c', configuration, '-p', home.path, '-e', join(home.path, 'error.log')] };
    },
    async () => home[Symbol.asyncDispose](),
  );
}

function configurationFor(home: string, root: string, port: number): string {
  return `
load_module ${davModule};
daemon off;
${process.getuid?.() === 0 ? 'user www-data;' : ''}
worker_processes 1;
pid ${home}/nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${home}/body;
  proxy_temp_path ${home}/proxy;
  fastcgi_temp_path ${home}/fastcgi;
  uwsgi_temp_path ${home}/uwsgi;
  scgi_temp_path ${home}/scgi;
  keepalive_requests 100000;
  server {
    listen 127.0.0.1:${port};
    root ${root};
    location / { dav_ext_methods PROPFIND OPTIONS; }
  }
}
`;
}
