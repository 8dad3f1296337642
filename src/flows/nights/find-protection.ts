import { findProtectionFacts, listProtectionFacts, type PersonFacts } from '../../database/protection.ts';
import { judgeProtection, type Protection } from '../../domain/protection.ts';
import type { Resources } from '../../resources.ts';

type Needs = Pick<Resources, 'clock' | 'database'>;

/** The verdict on one person's data, which pages and commands alike tell. */
export async function findProtection({ clock, database }: Needs, userId: string): Promise<Protection> {
  return judgeProtection(await findProtectionFacts(database, userId), clock.now());
}

/** Somebody, and the verdict on their data. */
export interface JudgedPerson extends Omit<PersonFacts, 'facts'> {
  /** When their consent ends whatever is done. */
  maxDeadline: Date | null;
  protection: Protection;
}

/** The same of everybody whose consent was not withdrawn. */
export async function listProtections({ clock, database }: Needs): Promise<JudgedPerson[]> {
  const at = clock.now();
  const people = await listProtectionFacts(database);
  return people.map(({ facts, ...person }) => ({
    ...person,
    maxDeadline: facts.consent?.maxDeadline ?? null,
    protection: judgeProtection(facts, at),
  }));
}
