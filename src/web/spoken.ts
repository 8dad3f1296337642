import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { type Language, languageNamed } from '../domain/language.ts';
import { daySeconds } from '../durations.ts';
import { AppError } from '../errors.ts';
import { cookieAttributes } from './cookies.ts';
import { localPath, refuseForeign } from './security.ts';
import type { Session } from './session.ts';
import type { Texts } from './texts/en.ts';
import { textsFor } from './texts/languages.ts';

const cookie = 'nightkeep-language';
const yearSeconds = 365 * daySeconds;

/** The texts of a visit, in the language of whoever makes it. */
export function textsOf(c: Context, session?: Pick<Session, 'language'>): Texts {
  return textsFor({
    person: session?.language,
    browser: getCookie(c, cookie, 'host'),
    accepted: c.req.header('accept-language'),
  });
}

/**
 * What the buttons at the foot of a page sent: the language, which this browser speaks for a year from now on, and where they lead
 * back to. Throws `request/forbidden` where a page of somebody else sent it, `request/invalid` where it is no language of ours.
 */
export async function takeLanguage(c: Context, publicUrl: URL): Promise<{ language: Language; returnTo: string }> {
  refuseForeign(c.req.raw.headers, publicUrl);
  const { language: tag, returnTo } = await c.req.parseBody();
  const language = languageNamed(typeof tag === 'string' ? tag : null);
  if (language === null) throw new AppError('request/invalid', 'Choose one of the languages that are offered.');
  setCookie(c, cookie, language, { ...cookieAttributes, maxAge: yearSeconds });
  return { language, returnTo: localPath(typeof returnTo === 'string' ? returnTo : undefined, publicUrl) };
}
