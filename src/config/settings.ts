import { languages } from '../domain/language.ts';
import { profileNames } from '../domain/providers/profiles.ts';
import {
  address,
  addressOfPerson,
  asWritten,
  bearerToken,
  channels,
  databaseAddress,
  duration,
  durationFrom,
  headers,
  lines,
  mailAddress,
  networks,
  oneOf,
  optional,
  orAuto,
  origins,
  type Reader,
  rate,
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
    read: address('http:', 'https:'),
    help: 'Issuer URL of the OpenID provider',
    fillIn: 'https://keycloak.example/realms/people',
  },
  OIDC_CLIENT_ID: { read: asWritten, help: 'Client id of Nightkeep at the provider', fillIn: 'nightkeep' },
  OIDC_CLIENT_SECRET: {
    read: lines,
    help: 'Client secret; several, one a line, are tried in order',
    absent: 'none, but needed for `client_secret_basic` and `client_secret_post`',
    secret: 'whole',
    fillIn: 'change-me',
  },
  FILES_URL: {
    read: addressOfPerson,
    help: 'WebDAV address of a person, claims in braces: `https://cloud.example/remote.php/dav/files/{preferred_username}/`',
    fillIn: 'https://cloud.example/remote.php/dav/files/{preferred_username}/',
  },
  FILES_ORIGINS: {
    read: origins,
    help: 'Servers besides the one of `FILES_URL` that plans may name, such as the one it named before, until `nightkeep files move`: an access token is sent to no other',
    absent: 'none',
    example: 'https://old-cloud.example',
  },
  PUBLIC_URL: { read: address('http:', 'https:'), default: 'http://localhost:3000', help: 'Address that browsers use' },
  HOST: { read: asWritten, default: '127.0.0.1', help: 'Address to listen on' },
  PORT: { read: whole(0, 65_535), default: '3000', help: 'Port to listen on; 0 takes a free one' },
  HEALTH_PORT: {
    read: optional(whole(0, 65_535)),
    help: 'Port on which a worker without pages answers `/livez`, `/readyz` and `/metrics`, as the pages do at `PORT`',
    absent: 'it does not listen',
    example: '3001',
  },
  DATA_DIR: {
    read: asWritten,
    default: '.nightkeep',
    help: 'Folder for tokens that the database does not have yet, and for the embedded database, the store and the keyring where those are not set',
  },
  DATABASE_URL: {
    read: optional(databaseAddress),
    help: 'PostgreSQL; of several servers, `host:port,host:port`, the one that takes writes is used, and after a failover the promoted one',
    absent: 'an embedded one in `DATA_DIR`',
    secret: 'password',
    example: 'postgres://nightkeep:password@127.0.0.1:5432/nightkeep',
  },
  REDIS_URL: {
    read: optional(serviceAddress('redis:', 'rediss:')),
    help: 'Redis for the queue',
    absent: 'none: the queue lives in PostgreSQL',
    secret: 'password',
    example: 'redis://127.0.0.1:6379',
  },
  STORE_URL: {
    read: optional(storeAddress),
    help: 'Where the repositories are: `file:///path`, or `s3://bucket/prefix?endpoint=https://s3.example.org&region=…&style=path` (or `virtual`) on any server that speaks S3, Amazon where no `endpoint` is named, or `rest:https://user@host:8000/prefix/` on one that speaks the REST protocol of restic',
    absent: '`DATA_DIR/store`',
    example: 'file:///srv/nightkeep/store',
  },
  STORE_KEYS: {
    read: storeKeys,
    help: 'Keys of stores on servers, one a line: of S3 `ID SECRET`, or `BUCKET ID SECRET` for one bucket alone; of REST `USER PASSWORD`, or `HOST:PORT USER PASSWORD`',
    absent: 'none, but needed for an S3 store, and for a REST store with a user',
    secret: 'whole',
    example: 'access-key-id secret-access-key',
  },
  STORE_CA: {
    read: optional(asWritten),
    help: 'Certificates in PEM that stores on servers may show besides those of well-known authorities',
    absent: 'none',
  },
  KEYRING: {
    read: optional(asWritten),
    help: 'Keys that seal tokens, `id:base64url` a line, newest first. Keep a copy: without it nothing that is sealed opens again',
    absent: 'made once in `DATA_DIR`',
    secret: 'whole',
    example: 'k1:base64url-of-32-bytes',
  },
  OIDC_CLIENT_AUTH: {
    read: oneOf('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'),
    default: 'client_secret_basic',
    help: 'How it authenticates there: `client_secret_basic`, `client_secret_post`, `private_key_jwt`, or `none` for a public client',
  },
  OIDC_PRIVATE_KEY: {
    read: optional(asWritten),
    help: 'PEM (PKCS #8) for `private_key_jwt`; several, the newest first; their public halves are at `/jwks`',
    absent: 'none, but needed for `private_key_jwt`',
    secret: 'whole',
  },
  OIDC_DPOP: {
    read: oneOf('auto', 'off', 'required'),
    default: 'auto',
    help: 'Tokens bound to a key (RFC 9449): `auto` for public clients where the provider offers it, `off` or `required`',
  },
  OIDC_NETWORKS: {
    read: optional(networks),
    help: 'Addresses and networks besides the internet that the endpoints of the provider may be in, where another host than that of `OIDC_ISSUER` has them',
    absent: 'none, but private networks where the issuer itself is in one, and this machine where it is there',
    example: '10.1.0.0/16',
  },
  OIDC_PROFILE: {
    read: optional(oneOf(...profileNames)),
    help: 'Make of the provider, where it is not recognised or its windows were changed (`generic` goes by settings and answers alone): see docs/providers.md',
    absent: 'recognised by its issuer and what it publishes',
    example: 'keycloak',
  },
  OIDC_SCOPES: {
    read: words,
    help: 'Scopes asked for besides `openid`, `profile`, `email` and `offline_access`',
    absent: 'none',
    example: 'roles',
  },
  OIDC_RATE: {
    read: rate,
    default: 'off',
    help: 'How often tokens may be refreshed at the provider at most, by all workers together, as `50/1s`; `off` for as often as there is something to do',
    example: '50/1s',
  },
  WINDOW: { read: window, default: '01:00-05:00', help: 'When the nightly run starts, local time' },
  WINDOW_GRACE: {
    read: duration,
    default: '90m',
    help: 'How long after its window a run that could not go well is still tried again, written like `OFFLINE_IDLE`; a run that was asked for, or that comes after its window, is tried for four hours',
  },
  WINDOW_ALLOWED: {
    read: optional(window),
    help: 'Hours within which people may choose those of their own nights, local time',
    absent: 'they may choose any',
    example: '20:00-08:00',
  },
  ZONE: { read: zone, default: 'UTC', help: 'IANA time zone of people whose provider says none' },
  RETENTION: {
    read: retention,
    default: 'daily=7,weekly=4,monthly=12',
    help: 'Which snapshots stay, in the words of `restic forget`: any of last, hourly, daily, weekly, monthly and yearly, within=14d, tag=NAME; or `all`. People agree to it with their consent',
  },
  RUNS_KEPT: {
    read: durationFrom('400d'),
    default: '400d',
    help: 'How long it is kept on record what backups came to, written like `OFFLINE_IDLE`, 400 days or more; of a backup whose snapshot is there it is kept longer. Also how long notices and restores are',
  },
  USES_KEPT: {
    read: durationFrom('400d'),
    default: '400d',
    help: 'How long people can see what their consent was used for, written like `OFFLINE_IDLE`, 400 days or more',
  },
  EVENTS_KEPT: {
    read: durationFrom('30d'),
    default: '90d',
    help: 'How long each change of a state is kept on record, written like `OFFLINE_IDLE`, 30 days or more; what was done and by whom the audit keeps for longer',
  },
  AUDIT_KEPT: {
    read: durationFrom('365d'),
    default: '1095d',
    help: 'How long the audit says what people did, and what was done with their data, written like `OFFLINE_IDLE`, 365 days or more; what it says of the service stays',
  },
  FILES_REDIRECTS: {
    read: oneOf('follow', 'refuse'),
    default: 'follow',
    help: 'Files that the WebDAV server redirects to another host for (an object store): `follow` fetches them, without the access token and from https addresses on the internet only; `refuse` does not',
  },
  FILES_REDIRECT_NETWORKS: {
    read: optional(networks),
    help: 'Addresses and networks besides the internet to which such redirects are followed, over https: where the object store is in the same network as Nightkeep',
    absent: 'none: nothing on this machine, in private networks or at link-local addresses is asked',
    example: '10.1.0.0/16 fd00:1::/64',
  },
  FILES_WRITE: {
    read: oneOf('on', 'off'),
    default: 'on',
    help: 'Whether people may restore into their files at the source, with an access that they give for that alone; `off` where the server takes no changes with tokens of the provider',
  },
  FILES_WRITE_SCOPES: {
    read: words,
    help: 'Scopes that such an access is asked for besides those of a sign-in',
    absent: 'none',
    example: 'files.write',
  },
  FULL_WALK_NIGHTS: {
    read: whole(1, 365),
    default: '7',
    help: 'Every so many nights each folder is listed, even where the server says that nothing in it changed; 1 lists all of them every night',
  },
  VERIFY_DAYS: {
    read: whole(1, 365),
    default: '30',
    help: 'Within so many days all data of every repository is read again and verified, a part of it each day; folders, indexes and key files are checked each day',
  },
  STATE_EXPORTS: {
    read: whole(0, 365),
    default: '7',
    help: "How many nightly exports of Nightkeep's own state are kept in the store, sealed and without offline tokens; 0 makes none",
  },
  OFFLINE_IDLE: {
    read: duration,
    default: '30d',
    help: 'Offline Session Idle of the provider: days, hours, minutes or seconds, as `30d`, `12h`, `30m`, `90s`',
  },
  OFFLINE_MAX: {
    read: optional(duration),
    help: 'Offline Session Max of the provider, where it is limited: written like `OFFLINE_IDLE`',
    absent: 'not limited',
    example: '60d',
  },
  OPERATOR_ROLE: {
    read: asWritten,
    default: 'nightkeep-operator',
    help: "Role of operators, who see the night, everybody's consent and the queue, and no names of files",
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
    help: 'How long somebody stays signed in here without opening a page, written like `OFFLINE_IDLE`',
  },
  SESSION_MAX: {
    read: duration,
    default: '12h',
    help: 'How long somebody stays signed in here at most, written like `OFFLINE_IDLE`',
  },
  PROXIES: {
    read: networks,
    default: '127.0.0.1 ::1',
    help: 'Addresses and networks of the proxies in front, whose `X-Forwarded-For` says who asks; from anywhere else it is not believed',
  },
  RATE_SIGN_INS: {
    read: rate,
    default: '60/1m',
    help: 'How often one address may begin to sign in, as many at once as within the time, or `off`: everybody behind one NAT has one address, of IPv6 it is the first 64 bits. Of people who are signed in each account is counted by itself',
  },
  RATE_RECOVERY: {
    read: rate,
    default: '20/1h',
    help: 'How often one person may have the recovery key shown, proven or renewed, and may try one to get a repository back, written like `RATE_SIGN_INS`',
  },
  RATE_DOWNLOADS: {
    read: rate,
    default: '1200/10m',
    help: 'How many downloads and previews one person may begin, written like `RATE_SIGN_INS`',
  },
  RATE_RUNS: {
    read: rate,
    default: '6/1h',
    help: 'How many backups, and how many restores to the source, one person may ask for, written like `RATE_SIGN_INS`',
  },
  WEB_CONNECTIONS: {
    read: whole(10, 100_000),
    default: '1000',
    help: 'How many connections of clients there are at a time; more are closed unanswered',
  },
  WEB_PER_ADDRESS: {
    read: whole(1, 100_000),
    default: '100',
    help: 'How many of these one address may have, of IPv6 its first 64 bits. Of those who come through `PROXIES` their requests under way are counted instead, and more are answered 429',
  },
  WEB_HEADERS_TIME: {
    read: duration,
    default: '15s',
    help: 'How long the headers of a request may take to come, written like `OFFLINE_IDLE`',
  },
  WEB_REQUEST_TIME: {
    read: duration,
    default: '1m',
    help: 'How long a whole request may take to come, written like `OFFLINE_IDLE`',
  },
  WEB_IDLE_TIME: {
    read: duration,
    default: '5s',
    help: 'How long a connection is kept on which nothing more is asked, written like `OFFLINE_IDLE`',
  },
  WEB_STALLED_TIME: {
    read: duration,
    default: '5m',
    help: 'A client that takes nothing of an answer for as long, or up to twice that, is let go of: written like `OFFLINE_IDLE`',
  },
  WEB_LEAST_RATE: {
    read: size('1', '1m'),
    default: '1k',
    help: 'How many bytes a second a client takes of an answer at least, over each `WEB_STALLED_TIME` in which some of it waits for the client, written like `PROVIDER_ANSWER_BYTES`; one that takes less is let go of',
  },
  WEB_HEADER_BYTES: {
    read: size('8k', '1m'),
    default: '16k',
    help: 'Less than so many bytes of address and headers of a request together are taken, written like `PROVIDER_ANSWER_BYTES`',
  },
  WEB_BODY_BYTES: {
    read: size('16k', '1m'),
    default: '16k',
    help: 'Most bytes of what is posted, written like `PROVIDER_ANSWER_BYTES`',
  },
  METRICS_TOKEN: {
    read: optional(bearerToken),
    help: 'Bearer token that Prometheus sends to `/metrics`: 32 characters or more',
    absent: 'without `METRICS_FROM` too there is no `/metrics`',
    secret: 'whole',
  },
  METRICS_FROM: {
    read: optional(networks),
    help: 'Addresses and networks that may read `/metrics` and `/status.json` without a token, where no proxy is in between',
    absent: 'only who sends the token may',
    example: '127.0.0.1 ::1 10.1.0.0/16',
  },
  METRICS_RESTIC: {
    read: oneOf('on', 'off'),
    default: 'off',
    help: '`on` adds a set of `restic_…` figures for each repository to `/metrics`, for dashboards made for exporters of restic',
  },
  SMTP_URL: {
    read: optional(serviceAddress('smtp:', 'smtps:')),
    help: 'Mail server: people are mailed what they can mend, and `OPERATOR_MAIL` what operators can',
    absent: 'no mail is sent',
    secret: 'password',
    example: 'smtp://user:password@mail.example:587',
  },
  MAIL_FROM: {
    read: optional(mailAddress),
    help: 'Sender of these mails',
    absent: 'none, but needed for `SMTP_URL`',
    example: 'Nightkeep <nightkeep@example.org>',
  },
  OPERATOR_MAIL: {
    read: optional(mailAddress),
    help: 'Where operators are mailed',
    absent: 'operators are not mailed',
    example: 'operators@example.org',
  },
  OPERATOR_LANGUAGE: {
    read: oneOf(...languages),
    default: 'en',
    help: 'Language of mails and channels to operators: `en` or `de`',
  },
  NOTIFY_URLS: {
    read: channels,
    help: 'Where operators are told, one address a line, with its kind in front: `json+`, `ntfy+`, `slack+`, `apprise+`, `healthchecks+` or `kuma+`, and `https://…`; behind it, where it is not told of all, of what: `digest`, `circuit`, `rotation_lost`, `repositories`, `night_begun`, `night_over`',
    absent: 'no channel is called',
    secret: 'whole',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    read: optional(address('http:', 'https:')),
    help: 'Collector of OpenTelemetry that gets traces by OTLP over HTTP; `/v1/traces` is added',
    absent: 'nothing is traced',
    example: 'http://127.0.0.1:4318',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    read: headers,
    help: 'Sent to it along: `name=value,name=value`',
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
    help: 'Most bytes of one answer of the provider, decoded, written like `900k`, `16m` or `2g`; a longer one is not read to its end',
  },
  LISTING_MEMBERS: {
    read: whole(1_000, 5_000_000),
    default: '200000',
    help: 'Most files and folders in one folder; a larger one keeps the copy of the night before, and is told as a problem. Each takes about 1 KiB of memory',
  },
  LISTING_BYTES: {
    read: size('1m', '4g'),
    default: '256m',
    help: 'Most bytes of the listing of one folder, written like `PROVIDER_ANSWER_BYTES`',
  },
  LISTING_TIME: {
    read: duration,
    default: '15m',
    help: 'How long the listing of one folder may take, all its pages together, written like `OFFLINE_IDLE`',
  },
  LEAST_RATE: {
    read: size('1', '1m'),
    default: '1k',
    help: 'How many bytes a second a server of files sends at least, over each minute, written like `PROVIDER_ANSWER_BYTES`; what comes more slowly is broken off and told as a problem',
  },
  FILE_BYTES: {
    read: size('1m', '1000000g'),
    default: '1024g',
    help: 'Most bytes of one file, written like `PROVIDER_ANSWER_BYTES`; a larger one is told as a problem',
  },
  HEADER_BYTES: {
    read: size('8k', '1m'),
    default: '16k',
    help: 'Most bytes of all headers of an answer of a server of files together, written like `PROVIDER_ANSWER_BYTES`',
  },
  LEAST_REQUESTS: {
    read: whole(1, 1_000),
    default: '16',
    help: 'How many requests at once one server of files is sent at least, by all runs of one worker together, where it does not refuse them; how many there are finds its own level: more while answers come as quickly as the quickest did, fewer as they come later. A run whose requests it refuses (429, 503) or does not answer gets by with fewer for a while',
  },
  MOST_REQUESTS: {
    read: whole(1, 1_000),
    default: '128',
    help: 'How many it is sent at most; a run that finds them all taken has up to four all the same',
  },
  TURN: {
    read: durationFrom('1s'),
    default: '1m',
    help: 'How long a run has a worker, at most, before it lets others go first who wait and have had less (it does so sooner where most runs take less), written like `OFFLINE_IDLE`; what it read is kept, and each of its turns is as long as all before',
  },
  RUN_TIME: {
    read: duration,
    default: '12h',
    help: 'How long a backup may go on at a stretch, by the clock, written like `OFFLINE_IDLE`: time in which the server or the processor lets it wait counts, and after it has let others go first it begins anew; what it has read by then is kept, and the next try, or the next night, goes on from there',
  },
  RUN_MEMBERS: {
    read: whole(1_000, 1_000_000_000),
    default: '20000000',
    help: 'Most files and folders in one backup, where folders beyond keep the copy of the night before, and in one restore, zip or tar file, which leave out what is in folders beyond; both tell of it',
  },
  LISTINGS_MEMORY: {
    read: size('16m', '64g'),
    default: '512m',
    help: 'Memory of one worker for the folders that it goes through at the same time, of which each run may take its part of `CONCURRENCY`, written like `PROVIDER_ANSWER_BYTES`; a folder for which none is left is told as a problem',
  },
  CONCURRENCY: {
    read: orAuto(whole(1, 64)),
    default: 'auto',
    help: 'Runs at a time in one worker; `auto`: by memory and what runs need, many of people whose last backup brought little, few of first nights',
  },
  GRACE_SECONDS: {
    read: whole(0, 3_600),
    default: '30',
    help: 'How long running work may go on after SIGTERM, in seconds',
  },
} as const satisfies Record<string, Setting>;

export type Name = keyof typeof settings;

export function isName(text: string): text is Name {
  return Object.hasOwn(settings, text);
}

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
