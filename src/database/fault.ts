/** What is wrong, and the cure. */
export type FaultWords = readonly [what: string, cure: string];

/** Why a database cannot be opened, by the driver's word for it. */
export const faultWords: Record<string, FaultWords> = {
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
};

/** The driver's word for why a database could not be opened, such as DatabaseDoesNotExist. */
export function kindOfFault(error: unknown): string | undefined {
  for (let link = error; typeof link === 'object' && link !== null; link = causeOf(link)) {
    if ('kind' in link && typeof link.kind === 'string') return link.kind;
  }
  return undefined;
}

/** Prisma puts what the driver said into `meta`. */
function causeOf(error: object): unknown {
  if ('meta' in error && error.meta) return error.meta;
  if ('driverAdapterError' in error && error.driverAdapterError) return error.driverAdapterError;
  return 'cause' in error ? error.cause : undefined;
}
