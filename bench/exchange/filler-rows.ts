import type { Database } from '../../src/database/client.ts';

/** Inserts people with one grant each, none of which is due. No key opens their tokens. */
export async function insertGrants(database: Database, grants: number): Promise<void> {
  await database.$executeRaw`
    INSERT INTO users (id, issuer, subject, created_at)
    SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'https://idp.example', n::text, now()
    FROM generate_series(1, ${grants}::int) n`;
  await database.$executeRaw`
    INSERT INTO grants (id, user_id, issuer, client_id, subject, scope, last_exchanged_at, idle_deadline, next_exchange_at, created_at)
    SELECT id, id, issuer, 'nightkeep', subject, 'openid offline_access', now(), now() + interval '20 days' + random() * interval '10 days',
      now() + interval '1 day' + random() * interval '7 days', now()
    FROM users WHERE issuer = 'https://idp.example'`;
}

/** Makes the first `due` of these grants due. */
export async function makeDue(database: Database, due: number): Promise<void> {
  await database.$executeRaw`
    UPDATE grants SET next_exchange_at = now() - interval '1 minute'
    WHERE issuer = 'https://idp.example' AND subject::int <= ${due}::int`;
}

/** Inserts past exchanges for each of these grants, so that PostgreSQL plans its queries as for tables in use. */
export async function insertExchanges(database: Database, exchanges: number): Promise<void> {
  await database.$executeRaw`
    INSERT INTO token_generations (grant_id, number, state, sealed, key_id, fingerprint, fence, received_at)
    SELECT id, n, (CASE WHEN n = 1 THEN 'current' ELSE 'superseded' END)::generation_state, decode(repeat('00', 1000), 'hex'), 'bench',
      decode(repeat('00', 32), 'hex'), n, now()
    FROM grants, generate_series(1, ${exchanges}::int) n WHERE issuer = 'https://idp.example'`;
  await database.$executeRaw`
    INSERT INTO exchanges (id, grant_id, generation, fence, holder, purpose, started_at, answered_at, verdict, status)
    SELECT gen_random_uuid(), grant_id, number, fence, 'bench', 'run', now() - number * interval '1 day', now() - number * interval '1 day', 'ok', 200
    FROM token_generations WHERE key_id = 'bench'`;
}
