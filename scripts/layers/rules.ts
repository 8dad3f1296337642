import { readFileSync } from 'node:fs';

/** Who may import whom, and who may open which door: each rule with its reason. Paths are regular expressions. */

interface LayerRule {
  layer: string;
  /** The files of the layer. The first rule that matches a file is its layer. */
  files: RegExp;
  /** Which of our own files the layer may import, besides its own. */
  mayImport: RegExp;
  reason: string;
}

interface DoorRule {
  /** Packages, builtins, globals or methods behind the door. */
  opens: RegExp;
  /** The files that hold it. */
  keepers: RegExp;
  reason: string;
  /** Names anybody may take all the same. */
  free?: RegExp;
}

const ground = String.raw`src/(errors|abort|clock|connection-fault|count-words|durations|file-name|gathered-bytes|json-pieces|log|make-folders|memory-budget|meters|nearest|pieces|place-once|release|thread|thread-time|tracing|uuid|version)\.ts$`;
const domain = 'src/domain/';
const wings = 'src/(oidc|vault|database|sources|store|notify)/';
const texts = 'src/web/texts/';
const held = String.raw`src/(queues/|(repository-)?resources\.ts$|config/)`;
const any = (...parts: string[]) => new RegExp(`^(${parts.join('|')})`);

export const layers: LayerRule[] = [
  {
    layer: 'ground',
    files: any(ground),
    mayImport: any(ground),
    reason: 'The ground imports nothing of our own code but itself, so that everything may import it.',
  },
  {
    layer: 'domain',
    files: any(domain),
    mayImport: any(ground),
    reason: 'The domain is pure: it is tested without a database, a provider or a clock of its own.',
  },
  {
    layer: 'store/format',
    files: any('src/store/format/'),
    mayImport: any(ground),
    reason: 'The repository format is bytes in and bytes out: no I/O, nothing but the ground below it.',
  },
  {
    layer: 'store/backend',
    files: any('src/store/backend/'),
    mayImport: any(ground),
    reason: 'A backend keeps bytes under names and knows nothing of blobs, so that another one is easily written.',
  },
  {
    layer: 'store/repository',
    files: any('src/store/repository/'),
    mayImport: any(ground, 'src/store/(format|backend)/'),
    reason:
      'Inside the store, the repository stands on format and backend; archiver and restorer stand on the repository.',
  },
  ...['archiver', 'restorer'].map((name) => ({
    layer: `store/${name}`,
    files: any(`src/store/${name}/`),
    mayImport: any(ground, 'src/store/format/'),
    reason: `The ${name} declares itself what it needs of a repository, so that it can be tried without one.`,
  })),
  {
    layer: 'store/history',
    files: any('src/store/history/'),
    mayImport: any(ground, domain, 'src/store/(format|backend|repository|restorer)/'),
    reason:
      'The history looks at all snapshots of an opened repository: it reads as the restorer does, and writes nothing.',
  },
  ...['oidc', 'vault', 'database', 'sources', 'store', 'notify'].map((name) => ({
    layer: name,
    files: any(`src/${name}/`),
    mayImport: any(ground, domain),
    reason: `A wing talks to one outside thing; what must meet another wing or the settings meets in a flow, not in ${name}.`,
  })),
  {
    layer: 'config',
    files: any('src/config/'),
    mayImport: any(ground, domain),
    reason: 'Settings are parsed before anything is opened: config hands plain values on and opens nothing.',
  },
  {
    layer: 'queues',
    files: any('src/queues/'),
    mayImport: any(ground, domain, String.raw`src/database/(connection|fault)\.ts$`),
    reason:
      'The queue carries ids only; it needs to know nothing of what the ids stand for, but how to connect to PostgreSQL where it lives there, and what that says of a fault.',
  },
  {
    layer: 'resources',
    files: any(String.raw`src/(repository-)?resources\.ts$`),
    mayImport: any(ground, domain, wings, held),
    reason: 'Resources open and close the wings; flows and rooms use them, not the other way round.',
  },
  {
    layer: 'texts',
    files: any(texts),
    mayImport: any(ground, domain, texts),
    reason: 'What people read stands in one place, for pages and mails alike; it knows what is told, not how.',
  },
  {
    layer: 'flows',
    files: any('src/flows/'),
    mayImport: any(ground, domain, wings, held, texts),
    reason: 'A flow is told by rooms of many kinds, so it knows none of them.',
  },
  {
    layer: 'doctor',
    files: any('src/doctor/'),
    mayImport: any(ground, domain, wings, held, 'src/flows/'),
    reason: 'The doctor examines what flows and wings do; rooms ask it, it asks no room.',
  },
  {
    layer: 'web',
    files: any('src/web/'),
    mayImport: any(ground, domain, wings, held, 'src/(flows|doctor)/'),
    reason: 'Rooms stand beside each other: what two of them do is a flow.',
  },
  {
    layer: 'worker',
    files: any('worker/'),
    mayImport: any(ground, domain, wings, held, 'src/flows/'),
    reason: 'Rooms stand beside each other: what two of them do is a flow.',
  },
  {
    layer: 'cli',
    files: any('src/cli/'),
    mayImport: any(
      ground,
      domain,
      wings,
      held,
      'src/(flows|doctor)/',
      texts,
      String.raw`src/web/(main|app|server|setup)\.ts$`,
      String.raw`worker/main\.ts$`,
    ),
    reason:
      'Rooms stand beside each other: a command starts the others by their entry file (main.ts), and what it writes for people has the words of the pages.',
  },
  {
    layer: 'main',
    files: any(String.raw`src/main\.ts$`),
    mayImport: any('src/cli/', ground),
    reason: 'The command is a dozen lines that hand over to cli/.',
  },
  {
    layer: 'demo',
    files: any('demo/'),
    mayImport: any('src/', 'worker/'),
    reason: 'The demo is tried out by the tests and the bench, so it knows neither.',
  },
  {
    layer: 'prisma',
    files: any('prisma/'),
    mayImport: any('src/(database/|config/|errors.ts)'),
    reason: 'What makes and writes the schema stands on the database wing only.',
  },
  {
    layer: 'tests, bench and scripts',
    files: any('test/', 'bench/', 'scripts/', String.raw`[^/]+\.ts$`),
    mayImport: any('src/', 'worker/', 'demo/', 'test/', 'bench/', 'scripts/', 'prisma/'),
    reason: '',
  },
];

/** Whose doors are watched: our own code. Tests, demo, bench and scripts may open any. */
export const ownCode = any('src/', 'worker/');

/** The tables, as Prisma names them in code. */
const models = Array.from(readFileSync('prisma/schema.prisma', 'utf8').matchAll(/^model (\w)(\w*)/gm))
  .map(([, first = '', rest = '']) => first.toLowerCase() + rest)
  .join('|');
const rawQueries = String.raw`\$(queryRaw|executeRaw|transaction)\w*`;
const prismaVerbs = String.raw`(find|create|update|delete)(Unique|First|Many)\w*`;
const plainVerbs = 'create|update|upsert|delete|count|aggregate|groupBy';

const sources = 'src/sources/';
const oidc = 'src/oidc/';
const s3 = 'src/store/backend/s3/';

export const doors: DoorRule[] = [
  {
    opens: /^(process\.env|node:process)$/,
    keepers: any('src/config/'),
    reason: 'Settings are read, checked and explained in one place: src/config/.',
  },
  {
    opens:
      /^(Date\.now|new Date\(\)|Date\(\)|performance\.now|process\.hrtime|Temporal\.Now|(globalThis\.)?set(Timeout|Interval)(\(\))?|node:timers)$/,
    keepers: any(String.raw`src/clock\.ts$`),
    reason: 'Time comes from a Clock that is passed in, so that tests turn it: use src/clock.ts.',
  },
  {
    opens: /^(@prisma\/.*|prisma|pg|src\/database\/generated\/.*)$/,
    keepers: any('src/database/', 'src/queues/'),
    reason:
      'Prisma and SQL stay in src/database/, one SQL verb a function (pg also for the queue that lives in PostgreSQL).',
  },
  {
    opens: new RegExp(String.raw`^\w*\.(${rawQueries}|${prismaVerbs})$|^(${models})\.(${plainVerbs})$`),
    keepers: any('src/database/'),
    reason: 'Queries stand in src/database/ only: make it a verb there, and call that.',
  },
  {
    opens: /^\w*\.\$transaction$/,
    keepers: any(String.raw`src/database/client\.ts$`),
    reason: 'Transactions have one door, inTransaction in src/database/client.ts, so that all have the same limits.',
  },
  {
    opens: /^openid-client$/,
    keepers: any(oidc),
    reason: 'OpenID Connect is spoken in src/oidc/ only; others get its verdicts, never its answers.',
  },
  {
    opens: /^jose$/,
    keepers: any(oidc, 'src/vault/'),
    reason: 'Keys and tokens are handled in src/oidc/ and src/vault/ only.',
  },
  {
    opens: /^(bullmq|ioredis)$/,
    keepers: any('src/queues/', 'worker/'),
    reason:
      'The queue is a cache with one door, src/queues/: PostgreSQL is the truth, and flows must run without a queue.',
  },
  {
    opens: /^@opentelemetry\/.*$/,
    keepers: any(String.raw`src/tracing\.ts$`),
    reason:
      'Traces are sent by src/tracing.ts only, which loads the libraries where a collector is named; others say `traced`.',
  },
  {
    opens: /^nodemailer$/,
    keepers: any(String.raw`src/notify/mail\.ts$`),
    reason: 'Mail is sent in src/notify/mail.ts only.',
  },
  {
    opens: /^saxes$/,
    keepers: any(sources, s3),
    reason: 'XML from outside is parsed by the sources and the backend for S3 only.',
  },
  {
    opens: /^undici$/,
    keepers: any(sources, oidc, 'src/store/backend/http/', String.raw`src/undici\.d\.ts$`),
    reason: 'HTTP with connections of its own belongs to sources, the provider and the backends on servers.',
  },
  {
    opens: /^aws4fetch$/,
    keepers: any(s3),
    reason: 'Requests to S3 are signed in src/store/backend/s3/ only.',
  },
  {
    opens: /^(hono|@hono\/.*)$/,
    keepers: any('src/web/'),
    reason: 'Pages and requests belong to src/web/; flows take and return plain values.',
  },
  {
    opens: /^@bull-board\/.*$/,
    keepers: any(String.raw`src/web/queue-board\.ts$`),
    reason: 'Bull Board is opened in src/web/queue-board.ts only, by the first request for it.',
  },
  {
    opens: /^prom-client$/,
    keepers: any(String.raw`src/(meters|web/metrics)\.ts$`),
    reason: 'The Prometheus text format is written in src/web/metrics.ts; src/meters.ts counts for it.',
  },
  {
    opens: /^qr$/,
    keepers: any('src/cli/', String.raw`src/web/recovery-sheet\.ts$`),
    reason: 'QR codes are drawn for the terminal by commands, and for paper by the recovery sheet.',
  },
  { opens: /^node-cron$/, keepers: any('worker/'), reason: 'Only the worker is woken by the clock on the wall.' },
  {
    opens: /^sodium-native$/,
    keepers: any('src/store/format/'),
    reason: 'Raw cryptography stays in src/vault/ and src/store/format/.',
  },
  {
    opens: /^node:crypto$/,
    free: /^(randomUUID|randomBytes|randomInt|createHash|hash|(type )?[A-Z]\w+)$/,
    keepers: any('src/vault/', 'src/store/format/'),
    reason:
      'Ciphers, key derivation, MACs and signatures stay in src/vault/ and src/store/format/; elsewhere name randomUUID, randomBytes, randomInt or createHash; secrets are compared by src/vault/same-secret.ts.',
  },
  {
    opens: /^crypto\.subtle$/,
    keepers: any('src/vault/', 'src/store/format/'),
    reason: 'Raw cryptography stays in src/vault/ and src/store/format/.',
  },
  {
    opens: /^node:fs$/,
    keepers: any(
      String.raw`src/store/backend/local(-folder)?\.ts$`,
      String.raw`src/make-folders\.ts$`,
      String.raw`src/place-once\.ts$`,
      String.raw`src/vault/(spool|whole-file)\.ts$`,
      'src/store/restorer/',
      'src/config/',
      'src/cli/',
      'src/database/',
      String.raw`src/web/assets\.ts$`,
    ),
    reason:
      'Files are touched by make-folders, place-once, the local backend and the look at its folder, the spool of answers, sealed files, the restore to a folder, config, cli, database/ (migrations, embedded server) and web/assets only.',
  },
];

export const forbiddenNames = {
  pattern: /(^|\/)(utils?|helpers?|services?|managers?|common|shared|misc|lib)(\/|\.ts$)/i,
  reason: 'Such a name says nothing: put the code with the thing it belongs to, or name what it does.',
};

export const barrels = {
  reason:
    'A file that passes on what another one exports hides where things live and makes cycles: import from the owner.',
};

export const returnsInUse = {
  reason:
    'What `using` holds is closed as soon as the function returns, while a promise that it returned still runs on it: await it. What is no promise gets a name first.',
};

export const cycles = {
  reason: 'Files that need each other, types included, cannot be read or tried alone: move what both need below them.',
};

export const unknownPackage = {
  reason: 'Each outside package has one door: add a rule to scripts/layers/rules.ts that names its keepers.',
};

/** Builtins without a door: pure computation, or plumbing that every layer may use. */
export const freeBuiltins =
  /^node:(assert|async_hooks|buffer|child_process|diagnostics_channel|dns|events|http|https|http2|module|net|os|path|perf_hooks|punycode|querystring|stream|string_decoder|tls|url|util|v8|worker_threads|zlib)$/;
