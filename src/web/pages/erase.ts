import { randomUUID } from 'node:crypto';
import type { Context } from 'hono';
import { html } from 'hono/html';
import { findErasureReceipt } from '../../database/people/person-erasures.ts';
import { erasePerson } from '../../flows/erasure/erase-person.ts';
import { isUuid } from '../../uuid.ts';
import { freshForm } from '../fresh.ts';
import type { Html } from '../layout.ts';
import { clearSession } from '../session.ts';
import { type PersonVisit, page, type Visit } from '../visit.ts';

/** The step before everything about a person is erased: what goes, what stays, and a word to type. */
export async function erasureStep(visit: PersonVisit): Promise<Response> {
  return show(visit);
}

/** Erases everything about the person who typed the word, and leads to the receipt. */
export async function eraseMe(visit: PersonVisit): Promise<Response> {
  const { c, resources, session, texts } = visit;
  const { word } = await c.req.parseBody();
  if (typeof word !== 'string' || word.trim().toLowerCase() !== texts.settings.erase.word)
    return show(visit, { wrong: true });
  const receipt = await erasePerson(resources, { userId: session.userId, receipt: await receiptIn(c) });
  clearSession(c);
  return c.redirect(`/erased/${receipt}`, 303);
}

/** The receipt of an erasure whose form is sent once more: whoever pressed its button twice is not signed in any more the second time. */
export async function receiptOfForm({ c, resources }: Visit): Promise<string | undefined> {
  const id = await receiptIn(c);
  const found = id === undefined ? null : await findErasureReceipt(resources.database, id);
  return found === null ? undefined : `/erased/${found.id}`;
}

/** The id that the form has for its receipt. */
async function receiptIn(c: Context): Promise<string | undefined> {
  const { receipt } = await c.req.parseBody();
  return typeof receipt === 'string' && isUuid(receipt) ? receipt : undefined;
}

async function show(visit: PersonVisit, { wrong = false } = {}): Promise<Response> {
  const { erase: t, data } = visit.texts.settings;
  const inner = html`<input type="hidden" name="receipt" value="${randomUUID()}"><p><label for="word">${t.type(t.word)}</label><br><input id="word" name="word" autocomplete="off" autocapitalize="none" spellcheck="false" required></p><p><button class="danger">${t.button}</button></p>`;
  const alert: Html | '' = wrong ? html`<p role="alert"><strong>${t.wrong}</strong></p>` : '';
  const body = html`<section class="card bad">${alert}<p class="lead">${t.all}</p><ul>${t.atOnce.map((one) => html`<li>${one}</li>`)}</ul><p>${t.later}</p><p>${t.stays}</p>
<p>${t.keep} <a href="/settings/data.json">${data.title}</a>, <a href="/snapshots">${visit.texts.menu.snapshots}</a>.</p>
${freshForm(visit, { action: '/settings/erase', path: '/settings/erase', inner })}</section><p><a href="/settings">${t.back}</a></p>`;
  return page(visit, t.stepTitle, body, { place: '/settings', status: wrong ? 400 : 200 });
}
