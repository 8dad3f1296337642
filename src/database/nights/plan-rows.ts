import type { Database } from '../client.ts';
import type { Plan, Prisma, User } from '../generated/client.ts';

/** A plan and its person, as the database has them: see src/flows/nights/sources-of.ts for what is believed of it. */
export type PlanWithPerson = Plan & { user: User };

/** The plan of a person's newest consent, or null. */
export async function findPlanWithPerson(database: Database, userId: string): Promise<PlanWithPerson | null> {
  return database.plan.findFirst({ where: { userId }, orderBy: { createdAt: 'desc' }, include: { user: true } });
}

/** The sources of a plan, as they are kept. */
export function readSources(value: Prisma.JsonValue): { name: string; url: string }[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return [];
    const { name, url } = item;
    return typeof name === 'string' && typeof url === 'string' ? [{ name, url }] : [];
  });
}
