/** What is wrong, and the cure. */
export type FaultWords = readonly [what: string, cure: string];

/** Why a database cannot be opened, by the driver's word for it. */
export const faultWords = {
  DatabaseNotReachable: [
    'Nothing answers where DATABASE_URL points.',
    'Start PostgreSQL, or correct host and port in DATABASE_URL.',
  ],
  DatabaseDoesNotExist: ['PostgreSQL has no database of that name.', 'Create it, or correct the name in DATABASE_URL.'],
  DatabaseAccessDenied: [
    'PostgreSQL does not let this user in.',
    'Correct user and password in DATABASE_URL, or grant the user CONNECT.',
  ],
  AuthenticationFailed: ['PostgreSQL does not take this password.', 'Correct user and password in DATABASE_URL.'],
  TlsConnectionError: [
    'The connection to PostgreSQL could not be secured.',
    'Correct sslmode in DATABASE_URL, or the certificate of the server.',
  ],
  TooManyConnections: ['PostgreSQL has no connection left.', 'Raise max_connections, or stop what holds the others.'],
  DiskFull: ['The disk of PostgreSQL is full.', 'Make room there: work goes on by itself then.'],
} as const satisfies Record<string, FaultWords>;

export type Fault = keyof typeof faultWords;

/** PostgreSQL's own word for a disk without room (`disk_full`). */
const diskFull = '53100';

/** Why a database could not be opened, or a statement be done, by the driver's word for it; undefined for any other reason. */
export function kindOfFault(error: unknown): Fault | undefined {
  for (let link = error; typeof link === 'object' && link !== null; link = causeOf(link)) {
    if ('code' in link && link.code === diskFull) return 'DiskFull';
    if (link instanceof Error && link.message.includes(`Code: \`${diskFull}\``)) return 'DiskFull';
    if ('kind' in link && typeof link.kind === 'string' && isFault(link.kind)) return link.kind;
  }
  return undefined;
}

function isFault(kind: string): kind is Fault {
  return Object.hasOwn(faultWords, kind);
}

/** Where PostgreSQL answers and refuses, by its own words, which drivers pass on. */
const refusals: readonly (readonly [said: RegExp, words: (said: string) => FaultWords])[] = [
  [
    /permission denied for (?:relation|table|view|sequence|schema|function|database) "?[\w.]+|must be owner of \w+ "?[\w.]+/,
    (said) => [
      `PostgreSQL refuses the user of DATABASE_URL (${said}).`,
      'Grant that user the rights of the one that ran nightkeep migrate, or let DATABASE_URL name that one.',
    ],
  ],
  [
    /The server takes no writes|in a read-only transaction/,
    () => ['PostgreSQL accepts no writes: it is a standby, or set to read-only.', 'Let DATABASE_URL name the primary.'],
  ],
];

/** What PostgreSQL, which answers, does not do, and the cure; undefined where the error says nothing of the kind. */
export function postgresRefusal(error: unknown): FaultWords | undefined {
  const kind = kindOfFault(error);
  if (kind === 'DiskFull' || kind === 'TooManyConnections') return faultWords[kind];
  const message = error instanceof Error ? error.message : '';
  for (const [said, words] of refusals) {
    const [found] = said.exec(message) ?? [];
    if (found !== undefined) return words(found);
  }
  return undefined;
}

/** Prisma puts what the driver said into `meta`. */
function causeOf(error: object): unknown {
  if ('meta' in error && error.meta) return error.meta;
  if ('driverAdapterError' in error && error.driverAdapterError) return error.driverAdapterError;
  return 'cause' in error ? error.cause : undefined;
}
