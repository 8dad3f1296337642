import { savePreferences } from '../../database/preferences.ts';
import { languageNamed } from '../../domain/language.ts';
import { AppError } from '../../errors.ts';
import { localPath, refuseForeign } from '../security.ts';
import { rememberLanguage } from '../spoken.ts';
import type { Visit } from '../visit.ts';

/** Speaks another language from now on: in this browser, and to whoever is signed in everywhere, in mails too. */
export async function speak({ c, resources, session }: Visit): Promise<Response> {
  const { clock, config, database } = resources;
  refuseForeign(c.req.raw.headers, config.publicUrl);
  const { language: tag, returnTo } = await c.req.parseBody();
  const language = languageNamed(typeof tag === 'string' ? tag : null);
  if (language === null) throw new AppError('request/invalid', 'Choose one of the languages that are offered.');
  rememberLanguage(c, language);
  if (session !== undefined)
    await savePreferences(database, { userId: session.userId, change: { language }, at: clock.now() });
  return c.redirect(localPath(typeof returnTo === 'string' ? returnTo : undefined, config.publicUrl), 303);
}
