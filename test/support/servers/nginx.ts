import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificate } from '../fixtures/certificate.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { requireProgram } from './programs.ts';
import { type RunningServer, startServerProcess } from './server-process.ts';

const install = 'apt-get install nginx-extras';
const davModule = '/usr/lib/nginx/modules/ngx_http_dav_ext_module.so';

/** Undefined (after a loud word) where nginx or its WebDAV module is missing. */
export const nginx = requireProgram(davModule, install) && requireProgram('nginx', install);

/** nginx dav-ext: no ETags in listings, another form of them in a GET. */
export function startNginx({ root }: { root: string }): Promise<RunningServer> {
  return start(
    (port) => `
  server {
    listen 127.0.0.1:${port};
    root ${root};
    location / { dav_ext_methods PROPFIND OPTIONS; }
  }`,
  );
}

export interface TlsFront {
  /** Where it passes everything on to, by HTTP/1.1 over connections that stay open. */
  readonly to: string;
  readonly certificate: Certificate;
  /** It offers HTTP/2 beside HTTP/1.1. */
  readonly http2: boolean;
}

/** A front of another server that speaks TLS; its address begins with https. */
export async function startTlsFront({ to, certificate, http2 }: TlsFront): Promise<RunningServer> {
  const { host } = new URL(to);
  const server = await start(
    (port) => `
  upstream behind { server ${host}; keepalive 256; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port} ssl${http2 ? ' http2' : ''};
    ssl_certificate ${certificate.certFile};
    ssl_certificate_key ${certificate.keyFile};
    http2_max_concurrent_streams 256;
    location / {
      proxy_pass http://behind;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_max_temp_file_size 0;
    }
  }`,
  );
  return { ...server, url: server.url.replace('http:', 'https:') };
}

async function start(servers: (port: number) => string): Promise<RunningServer> {
  if (nginx === undefined) throw new Error(`nginx is missing. Install it with: ${install}`);
  const home = await temporaryFolder('nginx');
  const configuration = join(home.path, 'nginx.conf');
  return startServerProcess(
    async (port) => {
      await writeFile(configuration, configurationFor(home.path, servers(port)));
      return { command: nginx, args: ['-c', configuration, '-p', home.path, '-e', join(home.path, 'error.log')] };
    },
    async () => home[Symbol.asyncDispose](),
  );
}

function configurationFor(home: string, servers: string): string {
  return `
load_module ${davModule};
daemon off;
${process.getuid?.() === 0 ? 'user www-data;' : ''}
worker_processes 1;
pid ${home}/nginx.pid;
events { worker_connections 2048; }
http {
  access_log off;
  client_body_temp_path ${home}/body;
  proxy_temp_path ${home}/proxy;
  fastcgi_temp_path ${home}/fastcgi;
  uwsgi_temp_path ${home}/uwsgi;
  scgi_temp_path ${home}/scgi;
  keepalive_requests 100000;
${servers}
}
`;
}
