import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { Clock } from '../src/clock.ts';

/** Everything the demo's provider remembers, in memory, with the questions that its pages and knobs ask. */
export interface ProviderStore {
  /** What oidc-provider keeps its models in. */
  readonly adapter: (model: string) => Adapter;
  /** Client metadata by id; changing it takes effect at the next request. */
  readonly clients: Map<string, AdapterPayload>;
  /** Every refresh token ever issued, also those that are dead. */
  readonly refreshTokens: readonly string[];
  /** What the person with this subject has granted and not taken back, oldest first. */
  grantsOf(subject: string): GrantRow[];
  /** The grant, its tokens and its codes are gone. */
  revoke(grantId: string): void;
}

export interface GrantRow {
  readonly id: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly since: Date;
  /** When a refresh token of it was last issued, where one lives. */
  readonly lastUsed: Date | undefined;
}

interface Row {
  payload: AdapterPayload;
  savedAt: number;
}

/** `offlineIdleSeconds`: a refresh token that nobody exchanged for so long is gone, by the clock given. */
export function openStore(clock: Clock, offlineIdleSeconds: number): ProviderStore {
  const tables = new Map<string, Map<string, Row>>();
  const clients = new Map<string, AdapterPayload>();
  const refreshTokens: string[] = [];
  const table = (model: string) =>
    tables.get(model) ?? tables.set(model, new Map()).get(model) ?? new Map<string, Row>();
  const idle = (row: Row) => clock.now().getTime() - row.savedAt > offlineIdleSeconds * 1000;
  const first = (model: string, matches: (payload: AdapterPayload) => boolean) =>
    [...table(model).values()].find(({ payload }) => matches(payload))?.payload;

  const adapter = (model: string): Adapter => ({
    upsert: async (id, payload) => {
      if (model === 'RefreshToken' && !table(model).has(id)) refreshTokens.push(id);
      table(model).set(id, { payload, savedAt: clock.now().getTime() });
    },
    find: async (id) => {
      if (model === 'Client') return clients.get(id);
      const row = table(model).get(id);
      return row && model === 'RefreshToken' && idle(row) ? undefined : row?.payload;
    },
    findByUid: async (uid) => first(model, (payload) => payload.uid === uid),
    findByUserCode: async (userCode) => first(model, (payload) => payload.userCode === userCode),
    consume: async (id) => {
      const row = table(model).get(id);
      if (row) row.payload.consumed = Math.floor(clock.now().getTime() / 1000);
    },
    destroy: async (id) => {
      table(model).delete(id);
    },
    revokeByGrantId: async (grantId) => forget(table(model), grantId),
  });

  return {
    adapter,
    clients,
    refreshTokens,
    grantsOf: (subject) =>
      [...table('Grant')]
        .filter(([, { payload }]) => payload.accountId === subject)
        .map(([id, row]) =>
          describe(
            id,
            row,
            [...table('RefreshToken').values()].filter((token) => !idle(token)),
          ),
        ),
    revoke: (grantId) => {
      for (const model of tables.keys()) forget(table(model), grantId);
      table('Grant').delete(grantId);
    },
  };
}

function forget(rows: Map<string, Row>, grantId: string): void {
  for (const [id, row] of rows) if (row.payload.grantId === grantId) rows.delete(id);
}

function describe(id: string, { payload, savedAt }: Row, refreshTokens: Row[]): GrantRow {
  const uses = refreshTokens.filter((token) => token.payload.grantId === id && !token.payload.consumed);
  return {
    id,
    clientId: payload.clientId ?? '',
    scopes: scopesOf(payload.openid),
    since: payload.iat === undefined ? new Date(savedAt) : new Date(payload.iat * 1000),
    lastUsed: uses.length === 0 ? undefined : new Date(Math.max(...uses.map((token) => token.savedAt))),
  };
}

function scopesOf(openid: unknown): string[] {
  if (typeof openid !== 'object' || openid === null || !('scope' in openid)) return [];
  return String(openid.scope).split(' ');
}
