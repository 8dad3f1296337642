import type { BlockList } from 'node:net';
import { availableParallelism, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import type { ChannelAddress } from '../domain/channels.ts';
import { fixedPlaces, type Places, placesIn } from '../domain/places.ts';
import type { Rate } from '../domain/rate.ts';
import type { RetentionRule } from '../domain/retention/rule.ts';
import type { StoreAddress } from '../domain/store-address.ts';
import { lackOfKey } from '../domain/store-key.ts';
import { AppError, isAppError } from '../errors.ts';
import type { Level } from '../log.ts';
import { type Environment, textOf } from './environment.ts';
import { invalid } from './invalid.ts';
import { findKeyring, makeKeyring } from './keyring-file.ts';
import type { Reader } from './readers.ts';
import { type Name, names, settings, type Values } from './settings.ts';

/** How often one account or address may do something. */
interface Rates {
  signIns: Rate | undefined;
  recovery: Rate | undefined;
  downloads: Rate | undefined;
  runs: Rate | undefined;
}

interface SourceLimits {
  /** For one folder. */
  listing: { members: number; bytes: number; ms: number };
  fileBytes: number;
  transfer: { headerBytes: number; leastBytesPerSecond: number; requests: { least: number; most: number } };
}

/** What the web server takes of clients. */
interface WebLimits {
  /** At the same time, in all and of one address. */
  connections: number;
  perAddress: number;
  headersMs: number;
  /** Headers and body. */
  requestMs: number;
  /** Between two requests. */
  idleMs: number;
  /** While an answer is to be sent and nothing of it is taken. */
  stalledMs: number;
  /** For an answer that waits for its client, over each such time. */
  leastBytesPerSecond: number;
  headerBytes: number;
  bodyBytes: number;
}

/** Every setting, parsed once. Absent optional services mean the embedded default. */
export interface Config {
  publicUrl: URL;
  host: string;
  port: number;
  /** For a worker without pages. */
  healthPort?: number;
  dataDir: string;
  databaseUrl?: string;
  redisUrl?: string;
  store: StoreAddress;
  storeKeys: Values['STORE_KEYS'];
  /** Certificates in PEM that stores on servers may show. */
  storeCa?: string;
  provider: {
    issuer: URL;
    clientId: string;
    authentication: Values['OIDC_CLIENT_AUTH'];
    secrets: string[];
    /** One private key or several, the newest first. */
    privateKeyPem?: string;
    /** Whether tokens are bound to a key (RFC 9449); auto where absent. */
    dpop?: Values['OIDC_DPOP'];
    extraScopes: string[];
    /** Most bytes of one answer, decoded. */
    answerBytes?: number;
    /** How often tokens may be refreshed there, by all workers together; as often as needed where absent. */
    rate?: Rate;
    /** Networks inside which what it publishes may lie, besides those that its issuer allows. */
    networks?: BlockList;
    /** The make of provider, where the operator names it. */
    profile?: Values['OIDC_PROFILE'];
  };
  /** WebDAV URL with claims in braces. */
  filesUrl: string;
  /** The same for calendars and contacts; none are backed up where absent. */
  calendarsUrl?: string;
  contactsUrl?: string;
  /** IMAP URL with claims in braces. */
  mailUrl?: string;
  /** Origins besides theirs that plans may name. */
  filesOrigins: string[];
  window: { zone: string; start: string; end: string };
  /** Within which people may choose the hours of their nights; any where absent. */
  windowAllowed?: { start: string; end: string };
  windowGraceMs: number;
  retention: RetentionRule;
  /** How long records are kept: runs, restores and notices; uses of consents; events; the audit. */
  recordsKept: { runsMs: number; usesMs: number; eventsMs: number; auditMs: number };
  filesRedirects: Values['FILES_REDIRECTS'];
  /** Of other hosts those that are not on the internet; none where absent. */
  filesRedirectNetworks?: BlockList;
  /** Whether people may restore to the source. */
  filesWrite: Values['FILES_WRITE'];
  /** Asked for then, besides what a sign-in asks for. */
  writeScopes: string[];
  /** What one try of a run may take; memory is that of all runs of one process. */
  runLimits: { ms: number; members: number; memory: number };
  /** What WebDAV servers are held to. */
  sourceLimits: SourceLimits;
  /** For how many nights a folder may go unlisted on the word of its server. */
  fullWalkNights: number;
  /** Within how many days all data of a repository is verified. */
  verifyDays: number;
  /** How many nightly exports of Nightkeep's own state are kept in the store; 0: none are made. */
  stateExports: number;
  offlineIdleMs: number;
  offlineMaxMs?: number;
  operatorRole: string;
  rolesClaim: string;
  /** How long a web session lives unused, and in all. */
  session: { idleMs: number; maxMs: number };
  /** Whose word on who asks is believed. */
  proxies: BlockList;
  /** What is limited, by the setting that says how much; not limited where undefined. */
  rates: Rates;
  web: WebLimits;
  queueBoard: 'read-only' | 'writable' | 'off';
  metricsToken?: string;
  metricsFrom?: BlockList;
  metricsRestic: Values['METRICS_RESTIC'];
  /** The mail server and the sender. */
  mail?: { url: string; from: string };
  operatorMail?: string;
  operatorLanguage: Values['OPERATOR_LANGUAGE'];
  /** Where operators are told besides mail. */
  channels: ChannelAddress[];
  /** Where traces go. */
  tracing?: { endpoint: URL; headers: Record<string, string> };
  logLevel: Level;
  /** How long a run has a worker before others that wait go first. */
  turnMs: number;
  concurrency: number;
  /** How many of these may be ones that read much. */
  heavyRuns: number;
  graceMs: number;
  keyring: string;
}

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
  /** A sentence with its cure for each member, and each setting, that cannot be read; one wrong setting can spoil several members. */
  faults: ReadonlyMap<string, string>;
}

/** Reads what can be read, and makes nothing: a keyring that the first start will make is absent. */
export function surveySettings(environment: Environment): Survey {
  const value: Value = (name) => readSetting(environment, name);
  const faults = new Map<string, string>();
  const provider = gather(providerMembers(value), faults);
  const rest = gather(members(value), faults);
  // A member that needs two settings reports the first that is wrong; this reports the other.
  for (const name of names) gather({ [name]: () => value(name) }, faults);
  return { settings: { ...rest, provider }, faults };
}

/** One setting alone, for what needs no other. Throws `config/invalid`. */
export function readSetting<N extends Name>(environment: Environment, name: N): Values[N] {
  return readers[name].read(textOf(environment, name), name);
}

const readers: { [N in Name]: { read: Reader<Values[N]> } } = settings;

type Value = <N extends Name>(name: N) => Values[N];
/** How each member comes from the settings; undefined leaves an optional one out. */
type Members<T> = { [Key in keyof T]-?: () => T[Key] | undefined };

/** In a container, the memory of the container counts. */
function placesOf(concurrency: number | 'auto'): Places {
  if (concurrency !== 'auto') return fixedPlaces(concurrency);
  const limit = process.constrainedMemory() || totalmem();
  return placesIn({ memoryBytes: Math.min(limit, totalmem()), processors: availableParallelism() });
}

function members(value: Value): Members<Omit<Config, 'provider'>> {
  const dataDir = () => resolve(value('DATA_DIR'));
  const places = () => placesOf(value('CONCURRENCY'));
  return {
    publicUrl: () => value('PUBLIC_URL'),
    host: () => value('HOST'),
    port: () => value('PORT'),
    healthPort: () => value('HEALTH_PORT'),
    dataDir,
    databaseUrl: () => value('DATABASE_URL'),
    redisUrl: () => value('REDIS_URL'),
    store: () => value('STORE_URL') ?? { kind: 'folder', folder: join(dataDir(), 'store') },
    storeKeys: () => {
      const [keys, store] = [value('STORE_KEYS'), value('STORE_URL')];
      const lack = store !== undefined && store.kind !== 'folder' ? lackOfKey(store, keys) : undefined;
      if (lack !== undefined) throw invalid('STORE_KEYS', `${lack} (STORE_URL names it)`);
      return keys;
    },
    storeCa: () => value('STORE_CA'),
    filesUrl: () => value('FILES_URL'),
    calendarsUrl: () => value('CALENDARS_URL'),
    contactsUrl: () => value('CONTACTS_URL'),
    mailUrl: () => value('MAIL_URL'),
    filesOrigins: () => value('FILES_ORIGINS'),
    window: () => ({ ...value('WINDOW'), zone: value('ZONE') }),
    windowAllowed: () => value('WINDOW_ALLOWED'),
    windowGraceMs: () => value('WINDOW_GRACE'),
    retention: () => value('RETENTION'),
    recordsKept: () => ({
      runsMs: value('RUNS_KEPT'),
      usesMs: value('USES_KEPT'),
      eventsMs: value('EVENTS_KEPT'),
      auditMs: value('AUDIT_KEPT'),
    }),
    filesRedirects: () => value('FILES_REDIRECTS'),
    filesRedirectNetworks: () => value('FILES_REDIRECT_NETWORKS'),
    filesWrite: () => value('FILES_WRITE'),
    writeScopes: () => value('FILES_WRITE_SCOPES'),
    runLimits: () => ({ ms: value('RUN_TIME'), members: value('RUN_MEMBERS'), memory: value('LISTINGS_MEMORY') }),
    sourceLimits: () => ({
      listing: { members: value('LISTING_MEMBERS'), bytes: value('LISTING_BYTES'), ms: value('LISTING_TIME') },
      fileBytes: value('FILE_BYTES'),
      transfer: {
        headerBytes: value('HEADER_BYTES'),
        leastBytesPerSecond: value('LEAST_RATE'),
        requests: { least: value('LEAST_REQUESTS'), most: value('MOST_REQUESTS') },
      },
    }),
    fullWalkNights: () => value('FULL_WALK_NIGHTS'),
    verifyDays: () => value('VERIFY_DAYS'),
    stateExports: () => value('STATE_EXPORTS'),
    offlineIdleMs: () => value('OFFLINE_IDLE'),
    offlineMaxMs: () => value('OFFLINE_MAX'),
    operatorRole: () => value('OPERATOR_ROLE'),
    proxies: () => value('PROXIES'),
    rates: () => ({
      signIns: value('RATE_SIGN_INS'),
      recovery: value('RATE_RECOVERY'),
      downloads: value('RATE_DOWNLOADS'),
      runs: value('RATE_RUNS'),
    }),
    web: () => webLimits(value),
    queueBoard: () => value('QUEUE_BOARD'),
    rolesClaim: () => value('ROLES_CLAIM'),
    session: () => ({ idleMs: value('SESSION_IDLE'), maxMs: value('SESSION_MAX') }),
    metricsToken: () => value('METRICS_TOKEN'),
    metricsFrom: () => value('METRICS_FROM'),
    metricsRestic: () => value('METRICS_RESTIC'),
    mail: () => {
      const [url, from] = [value('SMTP_URL'), value('MAIL_FROM')];
      if (url === undefined) return undefined;
      if (from === undefined) throw invalid('MAIL_FROM', 'is missing: SMTP_URL needs it');
      return { url, from };
    },
    operatorMail: () => {
      const address = value('OPERATOR_MAIL');
      if (address !== undefined && value('SMTP_URL') === undefined)
        throw invalid('SMTP_URL', 'is missing: OPERATOR_MAIL needs it');
      return address;
    },
    operatorLanguage: () => value('OPERATOR_LANGUAGE'),
    channels: () => value('NOTIFY_URLS'),
    tracing: () => {
      const endpoint = value('OTEL_EXPORTER_OTLP_ENDPOINT');
      return endpoint && { endpoint, headers: value('OTEL_EXPORTER_OTLP_HEADERS') };
    },
    logLevel: () => value('LOG_LEVEL'),
    turnMs: () => value('TURN'),
    concurrency: () => places().concurrency,
    heavyRuns: () => places().heavyRuns,
    graceMs: () => value('GRACE_SECONDS') * 1000,
    keyring: () => value('KEYRING') ?? findKeyring(dataDir()),
  };
}

/** What the web server takes of clients, where nothing else may be set yet. Throws `config/invalid`. */
export function readWebLimits(environment: Environment): WebLimits {
  return webLimits((name) => readSetting(environment, name));
}

function webLimits(value: Value): WebLimits {
  const [headersMs, requestMs] = [value('WEB_HEADERS_TIME'), value('WEB_REQUEST_TIME')];
  if (requestMs < headersMs) throw invalid('WEB_REQUEST_TIME', 'must be no shorter than WEB_HEADERS_TIME');
  return {
    connections: value('WEB_CONNECTIONS'),
    perAddress: value('WEB_PER_ADDRESS'),
    headersMs,
    requestMs,
    idleMs: value('WEB_IDLE_TIME'),
    stalledMs: value('WEB_STALLED_TIME'),
    leastBytesPerSecond: value('WEB_LEAST_RATE'),
    headerBytes: value('WEB_HEADER_BYTES'),
    bodyBytes: value('WEB_BODY_BYTES'),
  };
}

function providerMembers(value: Value): Members<Config['provider']> {
  const authentication = () => value('OIDC_CLIENT_AUTH');
  return {
    issuer: () => value('OIDC_ISSUER'),
    clientId: () => value('OIDC_CLIENT_ID'),
    authentication,
    secrets: () => {
      const secrets = value('OIDC_CLIENT_SECRET');
      const method = authentication();
      if (!method.startsWith('client_secret') || secrets.length > 0) return secrets;
      throw invalid('OIDC_CLIENT_SECRET', `is missing: ${method} needs it (or OIDC_CLIENT_SECRET_FILE)`);
    },
    privateKeyPem: () => {
      const pem = value('OIDC_PRIVATE_KEY');
      if (pem === undefined && authentication() === 'private_key_jwt')
        throw invalid('OIDC_PRIVATE_KEY', 'is missing: private_key_jwt needs it (or OIDC_PRIVATE_KEY_FILE)');
      return pem;
    },
    dpop: () => value('OIDC_DPOP'),
    extraScopes: () => value('OIDC_SCOPES'),
    answerBytes: () => value('PROVIDER_ANSWER_BYTES'),
    rate: () => value('OIDC_RATE'),
    networks: () => value('OIDC_NETWORKS'),
    profile: () => value('OIDC_PROFILE'),
  };
}

/** Reads every member, so that all that is wrong is told at once. */
function gather<T extends object>(read: Members<T>, faults: Map<string, string>): Partial<T> {
  const found: Partial<T> = {};
  for (const key in read) {
    try {
      const value = read[key]();
      if (value !== undefined) found[key] = value;
    } catch (error) {
      if (!isAppError(error, 'config/invalid')) throw error;
      faults.set(key, error.message);
    }
  }
  return found;
}

/** Where no reader found fault, nothing that must be there is missing. */
function isWhole<T extends object>(_read: unknown, faults: Survey['faults']): _read is T {
  return faults.size === 0;
}
