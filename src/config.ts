import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { isValidZone } from './domain/nights.ts';
import { AppError, isAppError } from './errors.ts';
import type { Level } from './log.ts';

export type ClientAuthentication = 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';

/** Every setting, parsed once. Absent optional services mean the embedded default. */
export interface Config {
  publicUrl: URL;
  host: string;
  port: number;
  dataDir: string;
  databaseUrl?: string;
  redisUrl?: string;
  storeFolder: string;
  provider: {
    issuer: URL;
    clientId: string;
    authentication: ClientAuthentication;
    secrets: string[];
    /** One private key or several, the newest first. */
    privateKeyPem?: string;
    /** Whether tokens are bound to a key (RFC 9449); auto where absent. */
    dpop?: 'auto' | 'off' | 'required';
    extraScopes: string[];
  };
  /** WebDAV URL with claims in braces. */
  filesUrl: string;
  window: { zone: string; start: string; end: string };
  retention: { daily: number; weekly: number; monthly: number };
  offlineIdleMs: number;
  offlineMaxMs?: number;
  operatorRole: string;
  rolesClaim: string;
  logLevel: Level;
  concurrency: number;
  graceMs: number;
  keyring: string;
}

export type Environment = Record<string, string | undefined>;

/** The environment of this process; what it lacks is taken from `.env` in this folder, where there is one. */
export function readEnvironment(): Environment {
  try {
    return { ...(existsSync('.env') && parseEnv(readFileSync('.env', 'utf8'))), ...process.env };
  } catch (cause) {
    throw new AppError('config/invalid', '.env cannot be read. Make it a file that this user may read.', { cause });
  }
}

/** One row a setting: name, default (undefined: must be set; '' : may be absent), and what it is. README's table and .env.example say the same. */
export const settings = {
  PUBLIC_URL: ['http://localhost:3000', 'Address that browsers use'],
  HOST: ['127.0.0.1', 'Address to listen on'],
  PORT: ['3000', 'Port to listen on'],
  DATA_DIR: [
    '.nightkeep',
    'Folder of tokens that the database does not have yet, and of the embedded database, the store and the keyring, where those are not set',
  ],
  DATABASE_URL: ['', 'PostgreSQL; default: an embedded one in DATA_DIR'],
  REDIS_URL: ['', 'Redis for the queue; default: the queue lives in PostgreSQL'],
  STORE_URL: ['', 'Where the repositories are: file:///path; default: DATA_DIR/store'],
  KEYRING: ['', 'Keys that seal tokens, `id:base64url` a line, newest first; default: made once in DATA_DIR'],
  OIDC_ISSUER: [undefined, 'Issuer URL of the OpenID provider'],
  OIDC_CLIENT_ID: [undefined, 'Client id of Nightkeep at the provider'],
  OIDC_CLIENT_AUTH: [
    'client_secret_basic',
    'client_secret_basic, client_secret_post, private_key_jwt, or none for a public client',
  ],
  OIDC_CLIENT_SECRET: ['', 'Client secret; several, one a line, are tried in order'],
  OIDC_PRIVATE_KEY: ['', 'PEM (PKCS #8) for private_key_jwt; several, the newest first, are published at /jwks'],
  OIDC_DPOP: [
    'auto',
    'Tokens bound to a key (RFC 9449): auto for public clients where the provider offers it, off or required',
  ],
  OIDC_SCOPES: ['', 'Scopes asked for besides openid, profile, email and offline_access'],
  FILES_URL: [
    undefined,
    'WebDAV address of a person, claims in braces: https://cloud.example/dav/files/{preferred_username}/',
  ],
  WINDOW: ['01:00-05:00', 'When the nightly run starts, local time'],
  ZONE: ['UTC', 'IANA time zone of people whose provider says none'],
  RETENTION: ['daily=7,weekly=4,monthly=12', 'Which snapshots a person is told will be kept'],
  OFFLINE_IDLE: ['30d', 'Offline Session Idle of the provider: days, hours, minutes or seconds, as 30d, 12h, 30m, 90s'],
  OFFLINE_MAX: ['', 'Offline Session Max of the provider, where it is limited: written like OFFLINE_IDLE'],
  OPERATOR_ROLE: ['nightkeep-operator', 'Role that makes a person an operator'],
  ROLES_CLAIM: ['roles', 'Claim of the ID token that lists roles'],
  LOG_LEVEL: ['info', 'debug, info, warn or error'],
  CONCURRENCY: ['2', 'Runs at a time in one worker'],
  GRACE_SECONDS: ['30', 'How long running work may go on after SIGTERM'],
} as const satisfies Record<string, readonly [string | undefined, string]>;

type Name = keyof typeof settings;

/** Reads every setting; throws `config/invalid` that names all that are wrong, each with the cure. Secrets may come as NAME_FILE. */
export function readConfig(environment: Environment): Config {
  const { settings: read, faults } = surveySettings(environment);
  if (faults.size > 0) throw new AppError('config/invalid', [...new Set(faults.values())].join('\n'));
  const config = { ...read, keyring: read.keyring ?? makeKeyring(read.dataDir ?? '') };
  if (!isWhole<Config>(config, faults)) throw new Error('A setting is missing that no reader missed.');
  return config;
}

export interface Survey {
  /** What can be read. */
  settings: Partial<Omit<Config, 'provider'>> & { provider: Partial<Config['provider']> };
  /** A sentence with its cure for each member that cannot be read; one wrong setting can spoil several members. */
  faults: ReadonlyMap<string, string>;
}

/** Reads what can be read, and makes nothing: a keyring that the first start will make is absent. */
export function surveySettings(environment: Environment): Survey {
  const text: Text = (name) => readSetting(environment, name);
  const dataDir = () => resolve(text('DATA_DIR'));
  const faults = new Map<string, string>();
  const provider = gather<Config['provider']>(providerReaders(text), faults);
  const settings = gather<Omit<Config, 'provider'>>(
    {
      publicUrl: () => url('PUBLIC_URL', text('PUBLIC_URL'), ['http:', 'https:']),
      host: () => text('HOST'),
      port: () => whole('PORT', text('PORT'), 0, 65_535),
      dataDir,
      databaseUrl: () => serviceUrl('DATABASE_URL', text('DATABASE_URL'), ['postgres:', 'postgresql:']),
      redisUrl: () => serviceUrl('REDIS_URL', text('REDIS_URL'), ['redis:', 'rediss:']),
      storeFolder: () => storeFolder(text('STORE_URL'), dataDir()),
      filesUrl: () => filesUrl(text('FILES_URL')),
      window: () => readWindow(text('WINDOW'), text('ZONE')),
      retention: () => readRetention(text('RETENTION')),
      offlineIdleMs: () => duration('OFFLINE_IDLE', text('OFFLINE_IDLE')),
      offlineMaxMs: () => (text('OFFLINE_MAX') === '' ? undefined : duration('OFFLINE_MAX', text('OFFLINE_MAX'))),
      operatorRole: () => text('OPERATOR_ROLE'),
      rolesClaim: () => text('ROLES_CLAIM'),
      logLevel: () => oneOf('LOG_LEVEL', text('LOG_LEVEL'), ['debug', 'info', 'warn', 'error']),
      concurrency: () => whole('CONCURRENCY', text('CONCURRENCY'), 1, 64),
      graceMs: () => whole('GRACE_SECONDS', text('GRACE_SECONDS'), 0, 3_600) * 1000,
      keyring: () => text('KEYRING') || keptKeyring(dataDir()),
    },
    faults,
  );
  return { settings: { ...settings, provider }, faults };
}

type Text = (name: Name) => string;
/** How each member is read; undefined leaves an optional one out. */
type Readers<T> = { [Key in keyof T]-?: () => T[Key] | undefined };

/** Reads every member, so that all that is wrong is told at once. */
function gather<T extends object>(readers: Readers<T>, faults: Map<string, string>): Partial<T> {
  const read: Partial<T> = {};
  for (const key in readers) {
    try {
      const value = readers[key]();
      if (value !== undefined) read[key] = value;
    } catch (error) {
      if (!isAppError(error, 'config/invalid')) throw error;
      faults.set(key, error.message);
    }
  }
  return read;
}

/** Where no reader found fault, nothing that must be there is missing. */
function isWhole<T extends object>(_read: unknown, faults: Survey['faults']): _read is T {
  return faults.size === 0;
}

function readSetting(environment: Environment, name: Name): string {
  const file = environment[`${name}_FILE`];
  if (environment[name] && file) throw invalid(name, `is set twice: take ${name} or ${name}_FILE away`);
  const value = file ? readSecret(name, file) : environment[name];
  const fallback: string | undefined = settings[name][0];
  if (value !== undefined && value !== '') return value;
  if (fallback === undefined) throw invalid(name, `is missing: ${settings[name][1]}`);
  return fallback;
}

function readSecret(name: string, file: string): string {
  return readText(`${name}_FILE names ${file}`, file).trim();
}

function readText(what: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AppError('config/invalid', `${what}, which cannot be read. Check the path and its permissions.`, {
      cause,
    });
  }
}

function providerReaders(text: Text): Readers<Config['provider']> {
  const authentication = () =>
    oneOf('OIDC_CLIENT_AUTH', text('OIDC_CLIENT_AUTH'), [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'none',
    ]);
  return {
    issuer: () => url('OIDC_ISSUER', text('OIDC_ISSUER'), ['http:', 'https:']),
    clientId: () => text('OIDC_CLIENT_ID'),
    authentication,
    secrets: () => {
      const secrets = lines(text('OIDC_CLIENT_SECRET'));
      const method = authentication();
      if (!method.startsWith('client_secret') || secrets.length > 0) return secrets;
      throw invalid('OIDC_CLIENT_SECRET', `is missing: ${method} needs it (or OIDC_CLIENT_SECRET_FILE)`);
    },
    privateKeyPem: () => {
      const pem = text('OIDC_PRIVATE_KEY');
      if (pem === '' && authentication() === 'private_key_jwt')
        throw invalid('OIDC_PRIVATE_KEY', 'is missing: private_key_jwt needs it (or OIDC_PRIVATE_KEY_FILE)');
      return pem === '' ? undefined : pem;
    },
    dpop: () => oneOf('OIDC_DPOP', text('OIDC_DPOP'), ['auto', 'off', 'required']),
    extraScopes: () => text('OIDC_SCOPES').split(/\s+/).filter(Boolean),
  };
}

function lines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean);
}

function readWindow(window: string, zone: string): Config['window'] {
  const match = /^((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)$/.exec(window);
  const [, start, end] = match ?? [];
  if (start === undefined || end === undefined || start === end)
    throw invalid('WINDOW', `is "${window}": write it as 01:00-05:00`);
  if (!isValidZone(zone)) throw invalid('ZONE', `is "${zone}", which is no IANA time zone: write it as Europe/Berlin`);
  return { zone, start, end };
}

function readRetention(text: string): Config['retention'] {
  const counts = { daily: 0, weekly: 0, monthly: 0 };
  for (const part of text.split(',')) {
    const match = /^\s*(daily|weekly|monthly)=(\d{1,4})\s*$/.exec(part);
    if (match === null) throw invalid('RETENTION', `has "${part.trim()}": write it as daily=7,weekly=4,monthly=12`);
    Object.assign(counts, { [String(match[1])]: Number(match[2]) });
  }
  return counts;
}

function filesUrl(text: string): string {
  url('FILES_URL', text.replace(/\{\w+\}/g, 'x'), ['http:', 'https:']);
  return text;
}

function storeFolder(text: string, dataDir: string): string {
  if (text === '') return join(dataDir, 'store');
  const parsed = url('STORE_URL', text, ['file:']);
  try {
    return fileURLToPath(parsed);
  } catch {
    throw invalid(
      'STORE_URL',
      `is "${text}", which is no folder of this machine: write it as file:///srv/nightkeep/store`,
    );
  }
}

function url(name: Name, text: string, protocols: readonly string[]): URL {
  const parsed = URL.parse(text);
  if (parsed === null || !protocols.includes(parsed.protocol)) {
    throw invalid(
      name,
      `is not a usable address: it must begin with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    );
  }
  return parsed;
}

/** Left as written: a parsed one would encode what drivers expect raw. */
function serviceUrl(name: Name, text: string, protocols: readonly string[]): string | undefined {
  if (text === '') return undefined;
  url(name, text, protocols);
  return text;
}

function whole(name: Name, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw invalid(name, `is "${text}": it must be a whole number from ${least} to ${most}`);
  return value;
}

const unitMs: Record<string, number> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 };

function duration(name: Name, text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,8})([dhms])$/.exec(text) ?? [];
  const ms = Number(count) * (unitMs[unit] ?? Number.NaN);
  if (!(ms <= 36_500 * 86_400_000)) throw invalid(name, `is "${text}": write it as 30d, 12h, 30m or 90s`);
  return ms;
}

function oneOf<const T extends string>(name: Name, text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found === undefined) throw invalid(name, `is "${text}": it must be one of ${words.join(', ')}`);
  return found;
}

const keyringFile = (dataDir: string) => join(dataDir, 'keyring');

function keptKeyring(dataDir: string): string | undefined {
  const file = keyringFile(dataDir);
  return existsSync(file) ? readText(`The keyring is kept in ${file}`, file) : undefined;
}

/** Without a KEYRING the first start makes one, readable by this user only; of several that start at once, one. */
function makeKeyring(dataDir: string): string {
  const file = keyringFile(dataDir);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    placeOnce(file, `k1:${randomBytes(32).toString('base64url')}\n`);
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const what = `The keyring cannot be made in ${dataDir}. Make DATA_DIR a folder that this user may write to.`;
    throw new AppError('config/invalid', what, { cause });
  }
}

/** Whole or not at all, and never over one that is there: everything is sealed with it from now on. */
function placeOnce(file: string, text: string): void {
  const draft = `${file}-${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flush: true });
    linkSync(draft, file);
  } catch (error) {
    if (!existsSync(file)) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function invalid(name: string, what: string): AppError {
  return new AppError('config/invalid', `${name} ${what}.`);
}
