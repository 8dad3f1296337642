import { saveHours, savePause, saveResumed } from '../../database/nights/plans.ts';
import { savePreferences } from '../../database/people/preferences.ts';
import { endWebSession, endWebSessionsOf } from '../../database/people/web-sessions.ts';
import { faultOfHours } from '../../domain/hours.ts';
import { languageNamed } from '../../domain/language.ts';
import { addDays, dateIn, startOfDay } from '../../domain/nights.ts';
import { mailKinds } from '../../domain/notices.ts';
import { AppError } from '../../errors.ts';
import { chooseSources } from '../../flows/consent/choose-sources.ts';
import { letGoOfSignedOut } from '../../flows/snapshots/let-go.ts';
import { type PersonVisit, zoneOf } from '../visit.ts';
import { mostPausedDays, showSettings } from './settings.ts';

/**
 * What a person changes on their settings page. Each change leads back to it and says what is set now. Somebody who presses a button twice
 * reads only the second answer, so it says the same as the first.
 */

/** Their nights are in other hours from the next one on. */
export async function changeHours(visit: PersonVisit): Promise<Response> {
  const { clock, config, database } = visit.resources;
  const [windowStart, windowEnd, zone] = await fieldsOf(visit, 'start', 'end', 'zone');
  const hours = { windowStart, windowEnd, zone };
  const fault = faultOfHours(hours, config.windowAllowed);
  if (fault !== undefined) return showSettings(visit, { hours: { fault, typed: hours } });
  const saved = await saveHours(database, { ...actOf(visit), hours, at: clock.now() });
  return back(visit, saved === 'none' ? 'no-plan' : 'hours');
}

/** No night begins until a day. */
export async function pauseNights(visit: PersonVisit): Promise<Response> {
  const { clock, database } = visit.resources;
  const [date] = await fieldsOf(visit, 'until');
  const [at, zone] = [clock.now(), await zoneOf(visit)];
  const today = dateIn(zone, at);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(date) && !Number.isNaN(Date.parse(date));
  if (!isDay || date <= today || date > addDays(today, mostPausedDays)) return showSettings(visit, { pause: true });
  const until = startOfDay(zone, date);
  const paused = await savePause(database, { ...actOf(visit), until, at });
  return back(visit, paused === 'held' || paused === 'ended' ? paused : 'paused');
}

/** The nights go on before that day. */
export async function resumeNights(visit: PersonVisit): Promise<Response> {
  const { clock, database } = visit.resources;
  const resumed = await saveResumed(database, { ...actOf(visit), own: true, at: clock.now() });
  return back(visit, resumed === 'held' || resumed === 'ended' ? resumed : 'resumed');
}

/** What of that which they agreed to is backed up from the next backup on. */
export async function chooseWhat(visit: PersonVisit): Promise<Response> {
  const { source = [] } = await visit.c.req.parseBody({ all: true });
  const names = [source].flat().filter((name) => typeof name === 'string');
  const made = await chooseSources(visit.resources, { ...actOf(visit), names });
  if (made === 'none') return showSettings(visit, { sources: 'fault' });
  if (made === 'not-agreed') return showSettings(visit, { sources: 'notAgreed' });
  return back(visit, made === 'ended' ? made : 'sources');
}

/** In which language pages and mails are written for them. */
export async function chooseLanguage(visit: PersonVisit): Promise<Response> {
  const { clock, database } = visit.resources;
  const [tag] = await fieldsOf(visit, 'language');
  const language = languageNamed(tag);
  if (language === null && tag !== '') throw new AppError('request/invalid', 'Choose one of the languages offered.');
  const change = { userId: visit.session.userId, change: { language }, at: clock.now() };
  await savePreferences(database, change);
  return back(visit, 'language');
}

/** They get mail of the kinds that are ticked. */
export async function chooseMails(visit: PersonVisit): Promise<Response> {
  const { clock, database } = visit.resources;
  const { mail = [] } = await visit.c.req.parseBody({ all: true });
  const wanted = [mail].flat();
  const mutedMails = mailKinds.filter((kind) => !wanted.includes(kind));
  const change = { userId: visit.session.userId, change: { mutedMails }, at: clock.now() };
  await savePreferences(database, change);
  return back(visit, 'mails');
}

/** Signs one of their browsers out. */
export async function endOwnSession(visit: PersonVisit): Promise<Response> {
  const { resources, session } = visit;
  const [id] = await fieldsOf(visit, 'session');
  const ended = await endWebSession(resources.database, { id, userId: session.userId });
  if (ended) await letGoOfSignedOut(resources);
  return back(visit, ended ? 'session-ended' : 'no-session');
}

/** Signs all their browsers out but this one. */
export async function endOtherSessions(visit: PersonVisit): Promise<Response> {
  const { clock, database } = visit.resources;
  await endWebSessionsOf(database, { ...actOf(visit), at: clock.now(), except: visit.session.id });
  return back(visit, 'sessions-ended');
}

function actOf({ session: { userId } }: PersonVisit) {
  return { userId, by: `user:${userId}` };
}

/** What a form sent under these names; empty where it sent no text. */
async function fieldsOf<const T extends readonly string[]>(
  { c }: PersonVisit,
  ...names: T
): Promise<{ [Index in keyof T]: string }> {
  const sent = await c.req.parseBody();
  const text = (name: string) => (typeof sent[name] === 'string' ? sent[name] : '');
  return names.map(text) as { [Index in keyof T]: string };
}

function back({ c }: PersonVisit, told: string): Response {
  return c.redirect(`/settings?told=${told}`, 303);
}
