import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface Service {
  image?: string;
  build?: string;
  command?: string[];
  user?: string;
  restart?: string;
  profiles?: string[];
  privileged?: boolean;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  ulimits?: { core?: number };
  mem_limit?: string;
  pids_limit?: number;
  stop_grace_period?: string;
  environment?: Record<string, string>;
  network_mode?: string;
  networks?: string[] | Record<string, { aliases?: string[] }>;
  ports?: string[];
  volumes?: string[];
  healthcheck?: { disable?: boolean; test?: string[] };
  depends_on?: Record<string, { condition: string; required?: boolean }>;
}

interface Compose {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean } | null>;
  volumes: Record<string, unknown>;
}

export const text = readFileSync('docker-compose.yml', 'utf8');

/** The file as it is where `.env` holds these values. Throws where a variable has neither a value nor a default. */
export function readCompose(dotEnv: Record<string, string> = {}): Compose {
  const filled = text.replaceAll(/(?<!\$)\$\{(\w+)(?::-([^}]*))?\}/g, (_all, name: string, fallback?: string) => {
    const value = dotEnv[name] || fallback;
    if (value === undefined) throw new Error(`docker-compose.yml: ${name} has no default.`);
    return value;
  });
  return parse(filled, { merge: true });
}

/** The networks that a service is in, and by which names it is reached there. */
export function namesOf(name: string, { networks = [] }: Service): Map<string, string[]> {
  if (Array.isArray(networks)) return new Map(networks.map((network) => [network, [name]]));
  return new Map(Object.entries(networks).map(([network, { aliases = [] }]) => [network, [name, ...aliases]]));
}

export interface Mount {
  source: string;
  target: string;
  readOnly: boolean;
}

export function mountsOf({ volumes = [] }: Service): Mount[] {
  return volumes.map((volume) => {
    const [source = '', target = '', mode] = volume.split(':');
    return { source, target, readOnly: mode === 'ro' };
  });
}

/** Whether somebody asks how the service is: the file does, or its image. */
export function hasHealthcheck({ healthcheck, build }: Service): boolean {
  if (healthcheck?.disable === true) return false;
  if (healthcheck?.test !== undefined) return true;
  return build !== undefined && /^HEALTHCHECK /m.test(readFileSync(join(build, 'Dockerfile'), 'utf8'));
}

/** Runs deploy/secrets.sh with a folder in place of the volumes; answers where a service finds a file of its own. */
export function makeSecrets(compose: Compose, folder: string, environment: Record<string, string> = {}) {
  const made = new Map<string, string>();
  for (const { source, target } of mountsOf(compose.services.secrets ?? {}))
    if (target.startsWith('/secrets/')) made.set(source, join(folder, target.slice('/secrets/'.length)));
  for (const path of made.values()) mkdirSync(path, { recursive: true });
  execFileSync('bash', ['deploy/secrets.sh'], { env: { PATH: process.env.PATH, SECRETS: folder, ...environment } });
  return (service: Service, path: string): string => {
    const mount = mountsOf(service).find(({ target }) => path.startsWith(`${target}/`));
    const file = join(made.get(mount?.source ?? '') ?? '/nowhere', path.slice((mount?.target ?? '').length));
    if (!existsSync(file)) throw new Error(`${path} is not made by deploy/secrets.sh.`);
    return file;
  };
}
