import { type Language, languageNamed } from '../../domain/language.ts';
import { type MailKind, mailKinds } from '../../domain/notices.ts';
import { saveAudit } from '../audit.ts';
import { type Database, inTransaction } from '../client.ts';
import { lockUser } from './users.ts';

/** What a person chose for what they read. */
export interface Preferences {
  /** Null: as their browser says. */
  readonly language: Language | null;
  /** Of which kinds they want no mail. */
  readonly mutedMails: readonly MailKind[];
}

/** What a person chose, and where they are mailed; throws where nobody has that id. */
export async function getPreferences(
  database: Database,
  userId: string,
): Promise<Preferences & { readonly email: string | null }> {
  const { email, language, mutedMails } = await database.user.findUniqueOrThrow({
    where: { id: userId },
    select: { email: true, language: true, mutedMails: true },
  });
  return {
    email,
    language: languageNamed(language),
    mutedMails: mailKinds.filter((kind) => mutedMails.includes(kind)),
  };
}

/** Saves what a person chose, and puts it on record where that changes something. */
export async function savePreferences(
  database: Database,
  { userId, change, at }: { userId: string; change: Partial<Preferences>; at: Date },
): Promise<void> {
  const { language, mutedMails } = change;
  const about = [
    ...(language === undefined ? [] : [`language: ${language ?? 'as the browser says'}`]),
    ...(mutedMails === undefined ? [] : [`no mail of: ${mutedMails.join(' ') || 'nothing'}`]),
  ].join(', ');
  await inTransaction(database, async (transaction) => {
    await lockUser(transaction, userId);
    const known = await transaction.user.findUniqueOrThrow({ where: { id: userId } });
    const isOther =
      (language !== undefined && language !== known.language) ||
      (mutedMails !== undefined && mutedMails.toSorted().join() !== known.mutedMails.toSorted().join());
    if (!isOther) return;
    await transaction.user.update({
      where: { id: userId },
      data: { ...(language !== undefined && { language }), ...(mutedMails && { mutedMails: [...mutedMails] }) },
    });
    await saveAudit(transaction, { at, by: `user:${userId}`, act: 'settings-changed', userId, about });
  });
}
