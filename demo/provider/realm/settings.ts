import type { ClientRow, DemoClient } from './client.ts';
import type { OfflineSession } from './offline-sessions.ts';
import type { RealmSettings, UserRow } from './realm.ts';

/**
 * What an administrator, a person or bad luck can do to the provider while it runs, each with what Keycloak makes of it.
 * People are named by user name; moments are seconds since the epoch by the provider's clock.
 */
export interface ProviderKnobs {
  /** Every refresh token issued so far, dead ones too, oldest first. */
  refreshTokens(): readonly string[];
  /** A moment after everything that was issued so far, for a not-before policy. */
  now(): number;

  settings(): RealmSettings;
  /** With `notBefore` older tokens are stale (0 lifts it); with `enabled: false` every endpoint answers 403. */
  setRealm(changes: Partial<RealmSettings>): void;
  /** A new key signs ID and access tokens; the old one stays published. */
  rollSigningKey(): Promise<void>;
  /** All keys are new, as after the realm was imported again: no older token counts. */
  replaceKeys(): Promise<void>;
  /** An administrator signs out all active sessions: everything issued so far is stale. Gives the logout tokens taken. */
  signOutAll(): Promise<number>;

  /** What the person has granted and not taken back, oldest first. */
  grantsOf(username: string): readonly GrantRow[];
  /** The person removes all access on their account page. Gives the number of consents that ended. */
  revokeGrants(username: string): number;
  /**
   * The person, or an administrator, takes a consent back: it is gone, and so are the offline sessions of that client.
   * A client that has a session in a browser gets a logout token. False where there was neither.
   */
  removeConsent(username: string, clientId: string): Promise<boolean>;
  /** The consent no longer covers one scope: a refresh answers `invalid_scope`, until the person consents again. */
  narrowConsent(username: string, clientId: string, scope: string): void;
  setUser(username: string, changes: Partial<Pick<UserRow, 'enabled' | 'offlineRole' | 'notBefore'>>): void;
  /** Without the role a code exchange answers `not_allowed`, and a refresh `invalid_grant` that spends nothing. */
  setOfflineRole(username: string, has: boolean): void;
  /** The account is gone, its offline sessions with it. */
  deleteUser(username: string): void;
  /**
   * An administrator signs the person out: their sessions in browsers end, clients get logout tokens, and every offline
   * token issued so far is stale, though its session stays. Gives the number of logout tokens taken.
   */
  signOut(username: string): Promise<number>;

  /** Adds a client, or replaces the one with its id. */
  register(client: DemoClient): void;
  setClient(clientId: string, changes: Partial<Omit<ClientRow, 'id'>>): void;
  deleteClient(clientId: string): void;
  /** Without the client scope an authorization request for offline access answers `invalid_scope`. */
  setOfflineScope(clientId: string, offered: boolean): void;
  setClientSecret(clientId: string, secret: string): void;

  /** Offline sessions that live now; of one person or client where named. */
  offlineSessions(of?: { username?: string; clientId?: string }): OfflineSession[];
  /** An administrator ends an offline session; its client gets a logout token. False where there was none. */
  endOfflineSession(sid: string, clientId: string): Promise<boolean>;
  /** Sends a logout token out of turn, and gives the status of the answer; 0 where there was none. */
  sendLogoutToken(
    username: string,
    clientId: string,
    what?: { sid?: string; revokeOffline?: boolean },
  ): Promise<number>;

  /** Connections are refused until `up`. */
  down(): Promise<void>;
  up(): Promise<void>;
}

/** A consent. */
export interface GrantRow {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly since: Date;
  /** When an offline token of it was last issued, where a session lives. */
  readonly lastUsed: Date | undefined;
}
