import { languages } from '../domain/language.ts';
import { profileNames } from '../domain/providers/profiles.ts';
import {
  address,
  addressOfPerson,
  asWritten,
  bearerToken,
  certificates,
  channels,
  databaseAddress,
  duration,
  durationFrom,
  headers,
  host,
  issuer,
  lines,
  mailAddress,
  mailboxAddress,
  networks,
  oneOf,
  optional,
  orAuto,
  origins,
  type Reader,
  rate,
  redisAddress,
  retention,
  serviceAddress,
  size,
  storeAddress,
  storeKeys,
  whole,
  window,
  words,
  zone,
} from './readers.ts';

/** One setting. Without `default` and `absent` it must be set. */
export interface Setting {
  read: Reader<unknown>;
  /** Markdown. */
  help: string;
  /** The text that counts where nothing is set. */
  default?: string;
  /** What happens where nothing is set, for a setting that has no text for it. Markdown. */
  absent?: string;
  /** Never shown, or of an address not its password. */
  secret?: 'whole' | 'password';
  /** Stands in `.env.example` to be replaced. */
  fillIn?: string;
  /** Stands in `.env.example` behind a `#`, in place of the default. */
  example?: string;
}

/** Every setting, a row each. README's table, `.env.example` and `nightkeep settings` are made of these. */
export const settings = {
  OIDC_ISSUER: {
    read: issuer,
    help: 'Issuer URL of the OpenID provider',
    fillIn: 'https://keycloak.example/realms/people',
  },
  OIDC_CLIENT_ID: { read: asWritten, help: 'Client ID of Nightkeep at the provider', fillIn: 'nightkeep' },
  OIDC_CLIENT_SECRET: {
    read: lines,
    help: 'Client secret; several, one per line, are tried in order',
    absent: 'none, but required for `client_secret_basic` and `client_secret_post`',
    secret: 'whole',
    fillIn: 'change-me',
  },
  FILES_URL: {
    read: addressOfPerson,
    help: 'WebDAV address of a person, with claims in braces: `https://cloud.example/remote.php/dav/files/{preferred_username}/`',
    fillIn: 'https://cloud.example/remote.php/dav/files/{preferred_username}/',
  },
  CALENDARS_URL: {
    read: optional(addressOfPerson),
    help: 'CalDAV address: of the server (`https://cloud.example/remote.php/dav/`, or `https://cloud.example/.well-known/caldav`), which then says where the calendars of a person are; or of the person, with claims in braces. They are backed up with the consent of whoever agrees from then on',
    absent: 'none: no calendars are backed up',
    example: 'https://cloud.example/remote.php/dav/',
  },
  CONTACTS_URL: {
    read: optional(addressOfPerson),
    help: 'CardDAV address, of the server or of the person, for their address books; otherwise as `CALENDARS_URL`',
    absent: 'none: no contacts are backed up',
    example: 'https://cloud.example/remote.php/dav/',
  },
  MAIL_URL: {
    read: optional(mailboxAddress),
    help: 'IMAP address of a person, with the claim by which the mail server knows them in braces: `imaps://{preferred_username}@imap.example.org`, with a port where it is not 993 (`imap://`, without TLS and with port 143, only within a network that nobody else is on). The server must accept the provider’s tokens (OAUTHBEARER or XOAUTH2). Mail is backed up with the consent of whoever agrees from then on',
    absent: 'none: no mail is backed up',
    example: 'imaps://{preferred_username}@imap.example.org',
  },
  FILES_ORIGINS: {
    read: origins,
    help: 'Other servers than those of `FILES_URL`, `CALENDARS_URL`, `CONTACTS_URL` and `MAIL_URL` that existing plans may name, such as the previous one until `nightkeep files move`; access tokens are sent to no others',
    absent: 'none',
    example: 'https://old-cloud.example',
  },
  PUBLIC_URL: { read: address('http:', 'https:'), default: 'http://localhost:3000', help: 'Address that browsers use' },
  HOST: { read: host, default: '127.0.0.1', help: 'Address to listen on' },
  PORT: { read: whole(0, 65_535), default: '3000', help: 'Port to listen on; 0 takes a free one' },
  HEALTH_PORT: {
    read: optional(whole(0, 65_535)),
    help: 'Port on which a worker without pages serves `/livez`, `/readyz` and `/metrics`; with pages they are served at `PORT`',
    absent: 'none: it does not listen',
    example: '3001',
  },
  DATA_DIR: {
    read: asWritten,
    default: '.nightkeep',
    help: 'Folder for tokens that are not in the database yet, and for the embedded database, the store and the keyring unless they are set elsewhere',
  },
  DATABASE_URL: {
    read: optional(databaseAddress),
    help: 'PostgreSQL; with several servers (`host:port,host:port`) the one that accepts writes is used, after a failover the promoted one',
    absent: 'an embedded one in `DATA_DIR`',
    secret: 'password',
    example: 'postgres://nightkeep:password@127.0.0.1:5432/nightkeep',
  },
  REDIS_URL: {
    read: optional(redisAddress),
    help: 'Redis for the queue',
    absent: 'none: the queue is in PostgreSQL',
    secret: 'password',
    example: 'redis://127.0.0.1:6379',
  },
  STORE_URL: {
    read: optional(storeAddress),
    help: 'Where the repositories are: `file:///path`; or `s3://bucket/prefix?endpoint=https://s3.example.org&region=…&style=path` (or `virtual`) for any server that speaks S3, Amazon without `endpoint`; or `rest:https://user@host:8000/prefix/` for one that speaks the REST protocol of restic',
    absent: '`DATA_DIR/store`',
    example: 'file:///srv/nightkeep/store',
  },
  STORE_KEYS: {
    read: storeKeys,
    help: 'Credentials for stores on servers, one per line: `ID SECRET` for S3, or `BUCKET ID SECRET` for one bucket only; `USER PASSWORD` for REST, or `HOST:PORT USER PASSWORD`',
    absent: 'none, but required for an S3 store, and for a REST store with a user',
    secret: 'whole',
    example: 'access-key-id secret-access-key',
  },
  STORE_CA: {
    read: optional(certificates),
    help: 'PEM certificates that stores on servers may use besides those of well-known authorities',
    absent: 'none',
  },
  KEYRING: {
    read: optional(asWritten),
    help: 'Keys that seal tokens, one `id:base64url` per line, newest first. Keep a copy: without it nothing that is sealed can be opened again',
    absent: 'generated once in `DATA_DIR`',
    secret: 'whole',
    example: 'k1:base64url-of-32-bytes',
  },
  OIDC_CLIENT_AUTH: {
    read: oneOf('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'),
    default: 'client_secret_basic',
    help: 'How Nightkeep authenticates at the provider: `client_secret_basic`, `client_secret_post`, `private_key_jwt`, or `none` for a public client',
  },
  OIDC_PRIVATE_KEY: {
    read: optional(asWritten),
    help: 'PEM (PKCS #8) for `private_key_jwt`; several, newest first; their public halves are served at `/jwks`',
    absent: 'none, but required for `private_key_jwt`',
    secret: 'whole',
  },
  OIDC_DPOP: {
    read: oneOf('auto', 'off', 'required'),
    default: 'auto',
    help: 'Tokens bound to a key (RFC 9449): `auto` for public clients if the provider offers it, `off` or `required`',
  },
  OIDC_NETWORKS: {
    read: optional(networks),
    help: "Addresses and networks besides the internet where the provider's endpoints may be, if they are on another host than `OIDC_ISSUER`",
    absent: 'none, but private networks if the issuer is in one, and this machine if the issuer runs on it',
    example: '10.1.0.0/16',
  },
  OIDC_PROFILE: {
    read: optional(oneOf(...profileNames)),
    help: 'Make of the provider, if it is not recognised or its windows were changed (`generic` relies on settings and answers only): see docs/providers.md',
    absent: 'recognised by its issuer and by what it publishes',
    example: 'keycloak',
  },
  OIDC_SCOPES: {
    read: words,
    help: 'Scopes to request besides `openid`, `profile`, `email` and `offline_access`',
    absent: 'none',
    example: 'roles',
  },
  OIDC_RATE: {
    read: rate,
    default: 'off',
    help: 'How often all workers together may refresh tokens at the provider, as `50/1s`; `off` for no limit',
    example: '50/1s',
  },
  WINDOW: {
    read: window,
    default: '01:00-05:00',
    help: 'When nightly backups start, local time; people who agreed before keep their hours',
  },
  WINDOW_GRACE: {
    read: duration,
    default: '90m',
    help: 'How long after its window a failed backup is still tried again; one that was requested, or comes after its window, is tried for four hours',
  },
  WINDOW_ALLOWED: {
    read: optional(window),
    help: 'Hours from which people may choose those of their own nights, local time',
    absent: 'any',
    example: '20:00-08:00',
  },
  ZONE: { read: zone, default: 'UTC', help: 'IANA time zone of people whose provider does not send one' },
  RETENTION: {
    read: retention,
    default: 'daily=7,weekly=4,monthly=12',
    help: 'Which snapshots stay, in the words of `restic forget`: any of last, hourly, daily, weekly, monthly and yearly, within=14d, tag=NAME; or `all`. People agree to it with their consent',
  },
  RUNS_KEPT: {
    read: durationFrom('400d'),
    default: '400d',
    help: 'How long the results of backups, notices and restores stay on record, 400 days or more; a backup whose snapshot exists is kept longer',
  },
  USES_KEPT: {
    read: durationFrom('400d'),
    default: '400d',
    help: 'How long people can see what their consent was used for, 400 days or more',
  },
  EVENTS_KEPT: {
    read: durationFrom('30d'),
    default: '90d',
    help: 'How long changes of state stay on record, 30 days or more; the audit keeps longer who did what',
  },
  AUDIT_KEPT: {
    read: durationFrom('365d'),
    default: '1095d',
    help: 'How long the audit keeps what people did and what was done with their data, 365 days or more; what it says about the service stays',
  },
  FILES_REDIRECTS: {
    read: oneOf('follow', 'refuse'),
    default: 'follow',
    help: 'Files that the WebDAV server redirects to another host (an object store): `follow` fetches them, without the access token and only from https addresses on the internet; `refuse` does not',
  },
  FILES_REDIRECT_NETWORKS: {
    read: optional(networks),
    help: 'Addresses and networks besides the internet to which such redirects are followed, over https: for an object store in the same network as Nightkeep',
    absent: 'none: nothing on this machine, in private networks or at link-local addresses',
    example: '10.1.0.0/16 fd00:1::/64',
  },
  FILES_WRITE: {
    read: oneOf('on', 'off'),
    default: 'on',
    help: 'Whether people may restore to the source (a new folder among their files, a new calendar, a new address book or new mailboxes), with an access that they grant for that only; `off` if the server accepts no changes with tokens of the provider',
  },
  FILES_WRITE_SCOPES: {
    read: words,
    help: 'Scopes to request for such an access besides those of a sign-in',
    absent: 'none',
    example: 'files.write',
  },
  FULL_WALK_NIGHTS: {
    read: whole(1, 365),
    default: '7',
    help: 'Every so many nights all folders are listed, even those in which nothing changed according to the server; 1 lists all of them every night',
  },
  VERIFY_DAYS: {
    read: whole(1, 365),
    default: '30',
    help: 'Within so many days all data of every repository is read again and verified, a part of it each day; folders, indexes and key files are checked every day',
  },
  STATE_EXPORTS: {
    read: whole(0, 365),
    default: '7',
    help: "How many nightly exports of Nightkeep's own state are kept in the store, sealed and without offline tokens; 0 makes none",
  },
  OFFLINE_IDLE: {
    read: duration,
    default: '30d',
    help: 'Offline Session Idle of the provider',
  },
  OFFLINE_MAX: {
    read: optional(duration),
    help: 'Offline Session Max of the provider, if it is limited',
    absent: 'not limited',
    example: '60d',
  },
  OPERATOR_ROLE: {
    read: asWritten,
    default: 'nightkeep-operator',
    help: "Role of operators, who see the night, everybody's consent and the queue, but no file names",
  },
  QUEUE_BOARD: {
    read: oneOf('read-only', 'writable', 'off'),
    default: 'read-only',
    help: 'Bull Board for operators at `/operator/queues/board`; `writable` lets them retry, remove and add jobs',
  },
  ROLES_CLAIM: { read: asWritten, default: 'roles', help: 'Claim of the ID token that lists roles' },
  SESSION_IDLE: {
    read: duration,
    default: '2h',
    help: 'How long somebody stays signed in without opening a page',
  },
  SESSION_MAX: {
    read: duration,
    default: '12h',
    help: 'How long somebody stays signed in at most',
  },
  PROXIES: {
    read: networks,
    default: '127.0.0.1 ::1',
    help: 'Addresses and networks of the proxies in front, whose `X-Forwarded-For` is trusted; from anywhere else it is ignored',
  },
  RATE_SIGN_INS: {
    read: rate,
    default: '60/1m',
    help: 'How often one address may begin to sign in (all of them at once if they like), or `off`. Everybody behind one NAT has one address; of IPv6 the first 64 bits count. People who are signed in are counted by account',
  },
  RATE_RECOVERY: {
    read: rate,
    default: '20/1h',
    help: 'How often one person may have the recovery key shown, proven or renewed, or try one to get a repository back',
  },
  RATE_DOWNLOADS: {
    read: rate,
    default: '1200/10m',
    help: 'How many downloads and previews one person may begin',
  },
  RATE_RUNS: {
    read: rate,
    default: '6/1h',
    help: 'How many backups, and how many restores to the source, one person may request',
  },
  WEB_CONNECTIONS: {
    read: whole(10, 100_000),
    default: '1000',
    help: 'How many connections of clients may be open; more are closed without an answer',
  },
  WEB_PER_ADDRESS: {
    read: whole(1, 100_000),
    default: '100',
    help: 'How many of them one address may have (of IPv6 its first 64 bits). For clients behind `PROXIES`, requests in progress are counted instead, and more are answered with 429',
  },
  WEB_HEADERS_TIME: {
    read: duration,
    default: '15s',
    help: 'How long a client may take to send the headers of a request',
  },
  WEB_REQUEST_TIME: {
    read: duration,
    default: '1m',
    help: 'How long a client may take to send a whole request',
  },
  WEB_IDLE_TIME: {
    read: duration,
    default: '5s',
    help: 'How long an idle connection is kept open',
  },
  WEB_STALLED_TIME: {
    read: duration,
    default: '5m',
    help: 'A client that reads nothing of an answer for this long, or up to twice as long, is disconnected',
  },
  WEB_LEAST_RATE: {
    read: size('1', '1m'),
    default: '1k',
    help: 'Bytes per second that a client must read of an answer that is waiting for it, on average over each `WEB_STALLED_TIME`; a slower one is disconnected',
  },
  WEB_HEADER_BYTES: {
    read: size('8k', '1m'),
    default: '16k',
    help: 'The address and headers of a request together must be smaller than this',
  },
  WEB_BODY_BYTES: {
    read: size('16k', '1m'),
    default: '16k',
    help: 'Limit for the body of a request',
  },
  METRICS_TOKEN: {
    read: optional(bearerToken),
    help: 'Bearer token that Prometheus sends to `/metrics`, 32 characters or more',
    absent: 'none: without `METRICS_FROM` either, there is no `/metrics`',
    secret: 'whole',
  },
  METRICS_FROM: {
    read: optional(networks),
    help: 'Addresses and networks that may read `/metrics` and `/status.json` without a token, if no proxy is in between',
    absent: 'none: the token is required',
    example: '127.0.0.1 ::1 10.1.0.0/16',
  },
  METRICS_RESTIC: {
    read: oneOf('on', 'off'),
    default: 'off',
    help: '`on` adds `restic_…` metrics for each repository to `/metrics`, for dashboards of restic exporters',
  },
  SMTP_URL: {
    read: optional(serviceAddress('smtp:', 'smtps:')),
    help: 'Mail server, for mails to people about what they can fix and to `OPERATOR_MAIL` about what operators can',
    absent: 'none: no mail is sent',
    secret: 'password',
    example: 'smtp://user:password@mail.example:587',
  },
  MAIL_FROM: {
    read: optional(mailAddress),
    help: 'Sender of these mails',
    absent: 'none, but required for `SMTP_URL`',
    example: 'Nightkeep <nightkeep@example.org>',
  },
  OPERATOR_MAIL: {
    read: optional(mailAddress),
    help: 'Mail address of the operators',
    absent: 'none: operators get no mail',
    example: 'operators@example.org',
  },
  OPERATOR_LANGUAGE: {
    read: oneOf(...languages),
    default: 'en',
    help: 'Language of mails and messages to operators: `en` or `de`',
  },
  NOTIFY_URLS: {
    read: channels,
    help: 'Channels of the operators, one address per line, prefixed with its kind: `json+`, `ntfy+`, `slack+`, `apprise+`, `healthchecks+` or `kuma+`, and `https://…`; followed, for a channel that is not told everything, by what it is told: `digest`, `circuit`, `rotation_lost`, `repositories`, `forecast`, `night_begun`, `night_over`',
    absent: 'none',
    secret: 'whole',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    read: optional(address('http:', 'https:')),
    help: 'OpenTelemetry collector that receives traces (OTLP over HTTP); `/v1/traces` is appended',
    absent: 'none: no traces are sent',
    example: 'http://127.0.0.1:4318',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    read: headers,
    help: 'Headers sent to the collector: `name=value,name=value`',
    absent: 'none',
    secret: 'whole',
  },
  LOG_LEVEL: {
    read: oneOf('debug', 'info', 'warn', 'error'),
    default: 'info',
    help: 'How much is logged: `debug`, `info`, `warn` or `error`',
  },
  PROVIDER_ANSWER_BYTES: {
    read: size('64k', '64m'),
    default: '1m',
    help: 'Limit for one answer of the provider, decoded; reading stops there',
  },
  LISTING_MEMBERS: {
    read: whole(1_000, 5_000_000),
    default: '200000',
    help: 'Limit for the files and folders in one folder; a larger folder keeps its copy of the night before and is reported as a problem. Each takes about 1 KiB of memory',
  },
  LISTING_BYTES: {
    read: size('1m', '4g'),
    default: '256m',
    help: 'Limit for the listing of one folder',
  },
  LISTING_TIME: {
    read: duration,
    default: '15m',
    help: 'How long the listing of one folder may take, with all its pages',
  },
  LEAST_RATE: {
    read: size('1', '1m'),
    default: '1k',
    help: 'Bytes per second that a WebDAV or mail server must send, on average over each minute; a slower answer is broken off and reported as a problem',
  },
  FILE_BYTES: {
    read: size('1m', '1000000g'),
    default: '1024g',
    help: 'Limit for one file; a larger one is reported as a problem',
  },
  HEADER_BYTES: {
    read: size('8k', '1m'),
    default: '16k',
    help: 'Limit for all headers of one answer of a WebDAV server',
  },
  LEAST_REQUESTS: {
    read: whole(1, 1_000),
    default: '16',
    help: 'How many requests at a time all runs of one worker together send to one WebDAV server at least. The number adapts: it rises while answers come as quickly as the quickest did, and falls as they come later. A run whose requests the server refuses (429, 503) or does not answer sends fewer for a while',
  },
  MOST_REQUESTS: {
    read: whole(1, 1_000),
    default: '128',
    help: 'How many they send at most; a run that finds them all in use may still send up to four',
  },
  TURN: {
    read: durationFrom('1s'),
    default: '1m',
    help: 'How long a run may keep a worker, at most, while others wait that have had less (shorter if most runs take less). It keeps what it has read, and each of its turns is as long as all previous ones together',
  },
  RUN_TIME: {
    read: duration,
    default: '12h',
    help: 'How long a backup may run without a break, by the clock, waiting for the server or the processor included; it starts anew after the run has let others go first. What was read by then is kept, and the next attempt, or the next night, continues from there',
  },
  RUN_MEMBERS: {
    read: whole(1_000, 1_000_000_000),
    default: '20000000',
    help: 'Limit for the files and folders in one backup, whose further folders keep the copy of the night before, and in one restore, zip or tar file, which leaves out what is in further folders; both report it',
  },
  LISTINGS_MEMORY: {
    read: size('16m', '64g'),
    default: '512m',
    help: 'Memory of one worker for the folders that it is processing, shared evenly by up to `CONCURRENCY` runs; a folder for which there is none left is reported as a problem',
  },
  CONCURRENCY: {
    read: orAuto(whole(1, 64)),
    default: 'auto',
    help: 'Runs at a time in one worker; `auto` goes by memory and what runs need: many at a time if their last backups read little, few first backups',
  },
  GRACE_SECONDS: {
    read: whole(0, 3_600),
    default: '30',
    help: 'How many seconds running work may take to finish after SIGTERM',
  },
} as const satisfies Record<string, Setting>;

export type Name = keyof typeof settings;

/** Whether there is a setting of this name. */
export function isName(text: string): text is Name {
  return Object.hasOwn(settings, text);
}

/** The names of all settings, in the order of the README. */
export const names: readonly Name[] = Object.keys(settings).filter(isName);

/** Of Markdown the text alone. */
export function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}

/** The row of a setting, with all that a row may have. */
export function rowOf(name: Name): Setting {
  return settings[name];
}

/** What each setting is read as. */
export type Values = { [Key in Name]: ReturnType<(typeof settings)[Key]['read']> };
