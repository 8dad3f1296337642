import type { Database } from '../client.ts';

/** Whether a provider believes the client, or whether a refresh token is active. */
export type Question = 'client' | 'refresh_token';

interface Asked {
  issuer: string;
  clientId: string;
  question: Question;
}

/** Whether the provider answered this client truly before, when the answer was known. */
export async function isProven(database: Database, { issuer, clientId, question }: Asked): Promise<boolean> {
  return (await database.provenQuestion.count({ where: { issuer, clientId, question } })) > 0;
}

/** Records that it did. */
export async function saveProven(database: Database, proven: Asked & { provenAt: Date }): Promise<void> {
  await database.provenQuestion.createMany({ data: proven, skipDuplicates: true });
}
