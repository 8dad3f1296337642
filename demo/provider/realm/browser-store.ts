import type { Adapter, AdapterPayload } from 'oidc-provider';
import { metadataOf } from './client.ts';
import type { Realm } from './realm.ts';
import type { Table, Tables } from './tables.ts';

/** A person's session in a browser, and the clients that they signed in to with it. */
export interface SignIn {
  readonly uid: string;
  readonly subject: string;
  readonly clientIds: readonly string[];
}

/** What a person agreed to for one client. */
export interface Consent {
  /** The id under which oidc-provider keeps it. */
  readonly id: string;
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Seconds since the epoch. */
  readonly since: number;
}

/** What oidc-provider stores: sessions in browsers, codes and consents. It expires by the realm's clock. */
export interface BrowserStore {
  readonly adapter: (model: string) => Adapter;
  /** Whether this device code existed and has expired. */
  isPastDeviceCode(code: string): boolean;
  signIns(): SignIn[];
  endSignIn(uid: string): void;
  consents(): Consent[];
  findConsent(subject: string, clientId: string): Consent | undefined;
  /** Removes one scope from a consent. */
  narrowConsent(subject: string, clientId: string, scope: string): void;
  /** False where there was none. */
  forgetConsent(subject: string, clientId: string): boolean;
}

interface Row {
  id: string;
  payload: AdapterPayload;
  savedAt: number;
  endsAt: number;
}

const never = Number.MAX_SAFE_INTEGER;

export function openBrowserStore(realm: Realm, tables: Tables): BrowserStore {
  const models = new Map<string, Table<Row>>();
  const table = (model: string) => {
    const rows = models.get(model) ?? tables.open<Row>(`oidc ${model}`);
    models.set(model, rows);
    return rows;
  };
  const live = (model: string) => [...table(model).rows()].filter((row) => isLive(realm, model, row));
  const first = (model: string, matches: (payload: AdapterPayload) => boolean) =>
    live(model).find(({ payload }) => matches(payload))?.payload;
  const consentIds = new Map(live('Grant').map(({ id, payload }) => [ownerOf(payload), id]));
  const consentRow = (subject: string, clientId: string) =>
    table('Grant').get(consentIds.get(ownerOf({ accountId: subject, clientId })) ?? '');

  const adapter = (model: string): Adapter => ({
    upsert: async (id, payload, expiresIn) => {
      const savedAt = table(model).get(id)?.savedAt ?? realm.now();
      const endsAt = expiresIn && model !== 'Grant' ? realm.now() + expiresIn : never;
      table(model).put(id, { id, payload, savedAt, endsAt });
      if (model === 'Grant') consentIds.set(ownerOf(payload), id);
    },
    find: async (id) => {
      if (model === 'Client') return findClient(realm, id);
      const row = table(model).get(id);
      return row && isLive(realm, model, row) ? row.payload : undefined;
    },
    findByUid: async (uid) => first(model, (payload) => payload.uid === uid),
    findByUserCode: async (userCode) => first(model, (payload) => payload.userCode === userCode),
    consume: async (id) => {
      const row = table(model).get(id);
      if (row) table(model).put(id, { ...row, payload: { ...row.payload, consumed: Math.floor(realm.now()) } });
    },
    destroy: async (id) => table(model).delete(id),
    revokeByGrantId: async (grantId) => {
      for (const { id, payload } of [...table(model).rows()]) if (payload.grantId === grantId) table(model).delete(id);
    },
  });

  return {
    adapter,
    isPastDeviceCode: (code) => {
      const row = table('DeviceCode').get(code);
      return row !== undefined && !isLive(realm, 'DeviceCode', row);
    },
    signIns: () => live('Session').flatMap(({ payload }) => signInOf(payload)),
    endSignIn: (uid) => {
      for (const { id, payload } of live('Session')) if (payload.uid === uid) table('Session').delete(id);
    },
    consents: () => live('Grant').map(consentOf),
    findConsent: (subject, clientId) => {
      const row = consentRow(subject, clientId);
      return row && consentOf(row);
    },
    narrowConsent: (subject, clientId, scope) => {
      const consent = consentRow(subject, clientId);
      if (!consent) return;
      const left = scopesOf(consent.payload.openid).filter((name) => name !== scope);
      const payload = { ...consent.payload, openid: { scope: left.join(' ') } };
      table('Grant').put(consent.id, { ...consent, payload });
    },
    forgetConsent: (subject, clientId) => {
      const consent = consentRow(subject, clientId);
      if (consent) table('Grant').delete(consent.id);
      return consent !== undefined;
    },
  };
}

/** A session also ends when the person's account is disabled or deleted. */
function isLive(realm: Realm, model: string, { payload, endsAt }: Row): boolean {
  const { accountId } = payload;
  const known = model !== 'Session' || accountId === undefined || realm.users.get(accountId)?.enabled === true;
  return known && realm.now() < endsAt;
}

function findClient(realm: Realm, id: string): AdapterPayload | undefined {
  const client = realm.clients.get(id);
  return client?.enabled ? metadataOf(client) : undefined;
}

const ownerOf = ({ accountId, clientId }: Pick<AdapterPayload, 'accountId' | 'clientId'>) => `${accountId} ${clientId}`;

const consentOf = ({ id, payload: { accountId = '', clientId = '', openid }, savedAt }: Row): Consent => ({
  id,
  subject: accountId,
  clientId,
  since: savedAt,
  scopes: scopesOf(openid),
});

function scopesOf(openid: unknown): string[] {
  if (typeof openid !== 'object' || openid === null || !('scope' in openid)) return [];
  return String(openid.scope).split(' ');
}

function signInOf({ uid, accountId, authorizations }: AdapterPayload): SignIn[] {
  if (uid === undefined || accountId === undefined) return [];
  return [{ uid, subject: accountId, clientIds: Object.keys(authorizations ?? {}) }];
}
