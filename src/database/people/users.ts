import { randomUUID } from 'node:crypto';
import { type Language, languageNamed } from '../../domain/language.ts';
import type { PersonFacts, RowSealing } from '../../domain/row-facts.ts';
import type { Database, Transaction } from '../client.ts';
import type { Prisma, User } from '../generated/client.ts';

export interface SignedIn {
  issuer: string;
  subject: string;
  username?: string | undefined;
  name?: string | undefined;
  email?: string | undefined;
  /** Those that source URLs may name. */
  claims: Record<string, string | number | boolean>;
  at: Date;
}

/**
 * Saves what the provider said of a person; a new person gets an id. Throws `seal/broken` where the row of that issuer and subject is
 * not as Nightkeep left it: it may be somebody else's.
 */
export async function saveUser(
  database: Transaction,
  { issuer, subject, at, ...said }: SignedIn,
  sealing: RowSealing<PersonFacts>,
): Promise<User> {
  const where = { issuer_subject: { issuer, subject } };
  const told = {
    username: said.username ?? null,
    name: said.name ?? null,
    email: said.email ?? null,
    claims: said.claims,
    lastSignedInAt: at,
  };
  const known = await database.user.findUnique({ where });
  if (known === null) {
    const id = randomUUID();
    const row = { id, issuer, subject, createdAt: at, ...told, seal: sealing.seal({ id, issuer, subject, ...told }) };
    await database.user.createMany({ data: [row], skipDuplicates: true });
  }
  const row = known ?? (await database.user.findUniqueOrThrow({ where }));
  const seal = sealing.reseal(row, { ...row, ...told });
  return database.user.update({ where: { id: row.id }, data: { ...told, seal } });
}

/** The claims that were kept of a person when they last signed in; none where nobody came yet by that subject. */
export async function findKnownClaims(
  database: Database,
  { issuer, subject }: Pick<SignedIn, 'issuer' | 'subject'>,
): Promise<Readonly<Record<string, unknown>>> {
  const user = await database.user.findUnique({
    where: { issuer_subject: { issuer, subject } },
    select: { claims: true },
  });
  return user === null ? {} : readPerson({ subject, claims: user.claims }).claims;
}

/** The row of a person. Throws where nobody has that id. */
export async function getUser(database: Database, userId: string): Promise<User> {
  return database.user.findUniqueOrThrow({ where: { id: userId } });
}

/** What source URLs may name of a person. */
export function readPerson({ subject, claims }: { subject: string; claims: Prisma.JsonValue }) {
  const sent = typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? claims : {};
  return { subject, claims: sent as Readonly<Record<string, unknown>> };
}

/**
 * Locks the row until the transaction ends, so that changes to one person's consent and repository come one after the other. It comes before any other
 * lock: who holds a row of a person and then needs this one, if only for a reference to it, waits for ever for who has it.
 */
export async function lockUser(transaction: Transaction, userId: string): Promise<void> {
  await transaction.$queryRaw`SELECT id FROM users WHERE id = ${userId}::uuid FOR UPDATE`;
}

/** The language that a person chose for pages and mails; null where they chose none, or nobody has that id. */
export async function languageOf(database: Transaction, userId: string): Promise<Language | null> {
  const user = await database.user.findUnique({ where: { id: userId }, select: { language: true } });
  return languageNamed(user?.language);
}

/** The language in which a person read what they agreed to last; null where they agreed to nothing, or nobody can tell. */
export async function languageAgreed(database: Transaction, userId: string): Promise<Language | null> {
  const consent = await database.consent.findFirst({
    where: { userId },
    orderBy: { agreedAt: 'desc' },
    select: { terms: true },
  });
  const terms = consent?.terms;
  const tag = typeof terms === 'object' && terms !== null && 'language' in terms ? terms.language : null;
  return languageNamed(typeof tag === 'string' ? tag : null);
}
