import type { Clock } from '../clock.ts';
import type { ProviderSession } from '../database/ended-sessions.ts';
import type { ExchangeView, GrantView } from '../database/grant-views.ts';
import type { HomeView, RunView } from '../database/views.ts';
import type { ConsentTransaction } from '../flows/consent/give-consent.ts';
import type { EraseChoice } from '../flows/erasure/erase-choice.ts';
import type { Log } from '../log.ts';
import type { AuthorizationTransaction } from '../oidc/authorization.ts';
import type { Node } from '../store/format/node.ts';
import type { SavedSnapshot } from '../store/repository/snapshots.ts';
import type { FileRange, OpenedFile } from '../store/restorer/read-file.ts';

/** Who came back from the provider. */
export interface Signed {
  readonly userId: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly provider: ProviderSession;
}

/** What a person is asked to agree to. */
export interface Terms {
  readonly files: string;
  readonly window: { readonly zone: string; readonly start: string; readonly end: string };
  readonly retention: { readonly daily: number; readonly weekly: number; readonly monthly: number };
}

/** The first leg of a walk to the provider: where to send the browser, and what it must bring back. */
export interface Begun<Transaction> {
  readonly url: URL;
  readonly transaction: Transaction;
}

/** A person's repository, opened for reading. */
export interface Shelf {
  list(): Promise<readonly SavedSnapshot[]>;
  /** These three throw `repository/no-such-snapshot` and `repository/no-such-path`. */
  browse(snapshotId: string, path: string): Promise<readonly Node[]>;
  openFile(snapshotId: string, path: string, range?: FileRange): Promise<OpenedFile>;
  zip(snapshotId: string, path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

/** All that the pages ask of the house. Whatever belongs to a person is asked for with that person's id. */
export interface House {
  readonly publicUrl: URL;
  readonly providerOrigin: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly operatorRole: string;
  sealCookie(kind: string, text: string): string;
  /** Undefined where it was altered, or sealed for another use. */
  openCookie(kind: string, sealed: string): string | undefined;
  /** Throws `database/unavailable`. */
  ready(): Promise<void>;
  /** What the provider checks our client assertions with; nothing of it is private. */
  publicKeys(): Promise<{ keys: Record<string, unknown>[] }>;
  beginSignIn(returnTo: string): Promise<Begun<AuthorizationTransaction>>;
  finishSignIn(callback: URL, transaction: AuthorizationTransaction): Promise<Signed>;
  /** Whether the provider ended a session that began then. */
  isSessionEnded(session: ProviderSession, began: Date): Promise<boolean>;
  /** Takes a logout token of the provider. Throws `logout/invalid-token`, or what keeps it from being looked at. */
  endSession(logoutToken: string): Promise<void>;
  /** With the person's own names in the address, as far as they are known before consent. */
  termsFor(userId: string): Promise<Terms>;
  beginConsent(userId: string, returnTo: string): Promise<Begun<ConsentTransaction>>;
  /** Takes the offline token into custody and asks for the first run. */
  finishConsent(userId: string, callback: URL, transaction: ConsentTransaction): Promise<void>;
  withdrawConsent(userId: string, snapshots: EraseChoice): Promise<void>;
  /** Asks the provider at once whether it accepts the consent again. Throws `provider/…` where it gives no answer. */
  askAgain(userId: string): Promise<void>;
  /** Throws `request/forbidden` while the consent lives. */
  chooseErasure(userId: string, snapshots: EraseChoice): Promise<void>;
  requestRun(planId: string): Promise<string>;
  findHome(userId: string): Promise<HomeView>;
  findRun(userId: string, runId: string): Promise<RunView | null>;
  findGrant(userId: string): Promise<GrantView | null>;
  /** Newest first, those before the one with the id `before`. */
  listExchanges(userId: string, page: { before?: string | undefined; limit: number }): Promise<readonly ExchangeView[]>;
  openShelf(userId: string): Promise<Shelf>;
  revealRecoveryKey(userId: string): Promise<RecoverySheet>;
  reissueRecoveryKey(userId: string): Promise<RecoverySheet>;
}

export interface RecoverySheet {
  readonly recoveryKey: string;
  readonly location: string;
}
