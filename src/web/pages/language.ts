import { savePreferences } from '../../database/people/preferences.ts';
import { takeLanguage } from '../spoken.ts';
import type { Visit } from '../visit.ts';

/** Speaks another language from now on: in this browser, and to whoever is signed in everywhere, in mails too. */
export async function speak({ c, resources, session }: Visit): Promise<Response> {
  const { clock, config, database } = resources;
  const { language, returnTo } = await takeLanguage(c, config.publicUrl);
  if (session !== undefined)
    await savePreferences(database, { userId: session.userId, change: { language }, at: clock.now() });
  return c.redirect(returnTo, 303);
}
