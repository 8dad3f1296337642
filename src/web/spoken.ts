import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import type { Language } from '../domain/language.ts';
import { cookieAttributes } from './cookies.ts';
import type { Session } from './session.ts';
import type { Texts } from './texts/en.ts';
import { textsFor } from './texts/languages.ts';

const cookie = 'nightkeep-language';
const yearSeconds = 365 * 86_400;

/** The texts of a visit, in the language of whoever makes it. */
export function textsOf(c: Context, session?: Pick<Session, 'language'>): Texts {
  return textsFor({
    person: session?.language,
    browser: getCookie(c, cookie, 'host'),
    accepted: c.req.header('accept-language'),
  });
}

/** Keeps in this browser for a year which language it speaks, for whoever is not signed in. */
export function rememberLanguage(c: Context, language: Language): void {
  setCookie(c, cookie, language, { ...cookieAttributes, maxAge: yearSeconds });
}
