/**
 * The rules for errors.
 *
 * 1. What crosses a module border on purpose is an AppError; anything else is a bug and reads "Internal error" to people.
 * 2. The code is for machines (branch on it), the message is for people: what is wrong, then the cure. No secret in either.
 * 3. Evidence goes into `cause` and `detail`; operators see them in the log, people never do.
 * 4. The place that knows says whether trying again can help (`retry`); general code only obeys.
 * 5. An error is raised once and passed on; wrap it only to add what the lower place could not know.
 */

/** Every code that an AppError may carry, with the sentence that triggers it. */
export const errorCodes = {
  'config/invalid': 'A setting is missing or wrong; the service does not start.',
  'keyring/invalid': 'The keyring is missing, unreadable or not the one the database was sealed with.',
  'keyring/in-use': 'A key cannot be retired: something is sealed under it.',
  'seal/unknown-key': 'A sealed value names a key that the keyring does not hold.',
  'seal/broken': 'A sealed value does not open: altered, or moved to another owner.',
  'seal/replayed': 'A row of the database is older than one that was used before: somebody put it back.',
  'database/unavailable': 'PostgreSQL does not answer.',
  'database/not-migrated': 'The database lacks migrations that this version needs.',
  'queue/unavailable': 'The queue does not answer.',
  'queue/damaged': 'Redis answers, but holds something else where the queue is kept.',
  'provider/unavailable': 'The OpenID provider does not answer, or its answer is not valid.',
  'provider/refused-client': 'The provider refuses this client: its secret, its settings or its scopes.',
  'provider/refused': 'The provider refused the request for a reason that the person or an administrator can remove.',
  'provider/wrong-answer':
    'An answer of the provider arrived and failed a check: of its signature, issuer, audience, time, size or form.',
  'provider/not-the-same': 'Nothing proves that two addresses belong to the same provider.',
  'provider/circuit-open':
    'An operator must fix a problem with the provider or the client there; until then no other request is sent.',
  'provider/ambiguous': 'A token request was sent, and no complete answer arrived.',
  'consent/invalid-callback':
    'The answer to the authorization request does not belong to a transaction of this browser.',
  'consent/foreign-answer':
    'What the browser came back with is not an answer of the provider: its issuer or form is wrong, or it has no code. Nothing was sent anywhere.',
  'consent/denied': 'The person said no at the provider.',
  'consent/not-offline': 'The provider answered without an offline token.',
  'enroll/refused': 'The provider does not let this client or this person consent in that way.',
  'enroll/expired': 'Nobody said yes on the other device in time.',
  'logout/invalid-token': 'A logout token is not from the provider for this client, or was used before.',
  'grant/not-usable': 'The grant is withdrawn or needs consent again.',
  'grant/busy':
    'Another worker holds the lease of the grant and did not finish in time, or ended without the answer of the provider.',
  'grant/fenced': 'The lease of the grant was lost to another holder.',
  'grant/wrong-subject': 'The provider answered for another subject than the grant belongs to.',
  'run/lost-lease': 'The lease of the run was lost to another worker.',
  'run/lost-worker': 'The worker of the run stopped in the middle.',
  'run/gave-way': 'The run let others go first, and continues later.',
  'run/out-of-time': 'The run took longer than RUN_TIME; what it had finished is kept.',
  'run/stopped': 'The run was stopped: withdrawn, cancelled or the service shuts down.',
  'source/missing-claim':
    'The address of files needs a claim of the person that the provider did not send, or not in a usable form.',
  'source/unauthorized': 'The server refuses the access token even when it is fresh.',
  'source/forbidden': 'The server does not let the person read this.',
  'source/not-found': 'What was requested is gone.',
  'source/changed': 'What was requested changed while it was being read.',
  'source/unavailable': 'The server does not answer, or answers with an error that may pass.',
  'source/malformed': 'The server answered something that violates the protocol.',
  'source/too-large': 'A listing, a file or the head of an answer has more members, bytes or pages than allowed.',
  'source/too-slow':
    'The server sends fewer bytes a second than the least rate, or a listing takes longer than it may.',
  'source/too-deep': 'A folder is nested deeper than a restore could reach.',
  'source/loop': 'A folder contains itself.',
  'source/full': 'The server has no room left for what is written there.',
  'source/root-gone': 'The server no longer offers what was backed up before.',
  'source/foreign-origin': 'A plan names a server that the settings do not; the token is not sent there.',
  'source/refused-redirect': 'The server points to another host; the token is not sent there.',
  'store/unavailable': 'The store does not answer, or is read-only.',
  'store/full': 'The disk of the store, or of a requested file, is full, or its quota is used up.',
  'store/not-found': 'The store has no such file.',
  'store/exists': 'The store has that file already.',
  'store/may-not-delete': 'The key of the store may write but not delete.',
  'repository/not-found': 'There is no repository at this place.',
  'repository/wrong-password': 'No key of the repository opens with this password.',
  'repository/locked': 'Another program holds a lock on the repository.',
  'repository/lost-lock': 'The lock on the repository could not be refreshed in time.',
  'repository/damaged': 'A file of the repository is not what its name or its keys say.',
  'repository/not-usable':
    'A repository that was made cannot be opened any more: it is gone, or its config or key file is.',
  'repository/no-such-snapshot': 'The repository has no such snapshot.',
  'repository/no-such-path': 'The snapshot has no such path.',
  'restore/would-overwrite': 'The target of a restore exists already.',
  'restore/permission-ended': 'The access that a restore to the source was given has ended before the restore did.',
  'restore/too-large': 'A folder is nested deeper, or holds more, than one restore or archive may.',
  'restore/not-written': 'An entry could not be written to the target of a restore.',
  'notice/unavailable': 'The mail server or the channel does not accept a notice at the moment.',
  'notice/refused': 'The mail server or the channel refuses a notice for good.',
  'request/invalid': 'The request is malformed.',
  'request/wrong-method': 'The address exists, but accepts other methods only.',
  'request/wrong-type': 'The body of the request is of a type that is not accepted.',
  'request/forbidden': 'The request is not allowed for this person.',
  'request/operators-only': 'The page is for operators, and this person is not one.',
  'request/too-many': 'Somebody requests this more often than the settings allow.',
  'request/not-found': 'There is no such thing, or it is not yours.',
  'usage/invalid': 'The command line is wrong.',
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof errorCodes;

export interface AppErrorOptions {
  cause?: unknown;
  /** Named facts for the operator's log. Never a secret. */
  detail?: Record<string, unknown>;
  /** Whether the same call may succeed later, and when at the earliest. */
  retry?: { afterMs: number };
}

/** An error with a code for machines and a message for people that names the cure. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly detail: Record<string, unknown>;
  readonly retry: { afterMs: number } | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.detail = options.detail ?? {};
    this.retry = options.retry;
  }
}

/** Whether the error is an AppError, of that code where one is named. */
export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

/** What a person may read of any error. */
export function messageForPeople(error: unknown): string {
  return isAppError(error) ? error.message : 'Internal error. The operator finds the details in the log.';
}

/** The code of a failure as the machine names it, wherever in its causes, such as ECONNREFUSED; never a message. */
export function failureCode(error: unknown): string {
  return codeIn(error) ?? (error instanceof Error ? error.name : 'unknown');
}

/** The same; undefined where no cause has one. */
export function codeIn(error: unknown): string | undefined {
  for (let link = error; link instanceof Error; link = link.cause) {
    if ('code' in link && typeof link.code === 'string') return link.code;
    if (link.name === 'TimeoutError') return 'timeout';
    // Of a port that no browser asks either (WHATWG Fetch, "bad port"), the words alone tell.
    if (link.message === 'bad port') return 'blocked-port';
  }
  return undefined;
}

/** The sentence for operators where the machine lets this process open no more files and connections; undefined for any other failure. */
export function shortageWords(error: unknown): string | undefined {
  if (!/^E[MN]FILE$/.test(codeIn(error) ?? '')) return undefined;
  return 'This process may open no more files and connections. Raise that limit: ulimit -n, LimitNOFILE in systemd, ulimits in Docker.';
}
