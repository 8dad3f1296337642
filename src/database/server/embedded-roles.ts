import pg from 'pg';

/** A role that logs in with a password. */
export interface Login {
  role: string;
  password: string;
}

export interface Roles {
  /** Owns the schema `public` and all in it: applies migrations. */
  owner: Login;
  /** Reads and writes rows there, and makes schemas of its own (the queue's). */
  service: Login;
}

/**
 * Makes the roles of the embedded PostgreSQL, as its superuser, and gives them what is theirs, also in a cluster from
 * before there were roles. Done at every start: whatever is as it should be stays so.
 */
export async function prepareRoles(superuserUrl: string, { owner, service }: Roles): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query('BEGIN');
    // Another process may do the same just now.
    await client.query("SELECT pg_advisory_xact_lock(hashtext('roles of the embedded PostgreSQL'))");
    for (const login of [owner, service]) await client.query(await loginStatement(client, login));
    await client.query(`ALTER SCHEMA public OWNER TO ${owner.role}`);
    await handOver(client, { owner: owner.role, service: service.role });
    await client.query(grants(owner.role, service.role));
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}

async function loginStatement(client: pg.Client, { role, password }: Login): Promise<string> {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
  const verb = rowCount === 0 ? 'CREATE' : 'ALTER';
  return `${verb} ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD ${client.escapeLiteral(password)}`;
}

const grants = (owner: string, service: string) => `
  GRANT CREATE ON DATABASE postgres TO ${owner}, ${service};
  GRANT USAGE ON SCHEMA public TO ${service};
  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${service};
  GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${service};
  ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${service};
  ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA public GRANT USAGE ON SEQUENCES TO ${service}`;

/**
 * What a superuser made goes to the roles: `public` to its owner, other schemas to the service. REASSIGN OWNED refuses
 * to take anything from the superuser that initdb made. A sequence of a column follows its table.
 */
async function handOver(client: pg.Client, roles: { owner: string; service: string }): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(
    `WITH place AS (
       SELECT oid, nspname AS name, CASE nspname WHEN 'public' THEN $1 ELSE $2 END AS heir
       FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
     ), thing AS (
       SELECT oid AS place, nspowner AS owner, 'SCHEMA' AS kind, quote_ident(nspname) AS name FROM pg_namespace
       UNION ALL
       SELECT relnamespace, relowner, CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, oid::regclass::text
       FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'S')
         AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype IN ('a', 'i'))
       UNION ALL
       SELECT typnamespace, typowner, 'TYPE', oid::regtype::text FROM pg_type WHERE typtype IN ('e', 'd')
       UNION ALL
       SELECT pronamespace, proowner, 'ROUTINE', oid::regprocedure::text FROM pg_proc
     )
     SELECT format('ALTER %s %s OWNER TO %I', thing.kind, thing.name, place.heir) AS statement
     FROM thing JOIN place ON place.oid = thing.place WHERE thing.owner = current_user::regrole`,
    [roles.owner, roles.service],
  );
  for (const { statement } of rows) await client.query(statement);
}
