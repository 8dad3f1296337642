import { html } from 'hono/html';
import { getOwner } from '../../database/repositories/adoptions.ts';
import { findRepository } from '../../database/repositories/repositories.ts';
import { adoptByRecoveryKey, type Refusal, refusalOf } from '../../flows/adoption/adopt-by-recovery-key.ts';
import { erasingCard, isErasing } from '../erasing.ts';
import { freshForm } from '../fresh.ts';
import type { Html } from '../layout.ts';
import { type PersonVisit, page } from '../visit.ts';

const path = '/recovery/adopt';
/** A key has 35 characters; folders are called by ids. */
const mostCharacters = 255;

/** Where somebody whose repository is in the store, and of an installation that is lost, shows with their recovery key that it is theirs. */
export async function adoption(visit: PersonVisit): Promise<Response> {
  return show(visit);
}

/** Gives the repository to whoever shows its recovery key, or says why not. */
export async function adopt(visit: PersonVisit): Promise<Response> {
  const { c, resources, session } = visit;
  const { folder, key } = await c.req.parseBody();
  const typed = (field: typeof key) => (typeof field === 'string' ? field.trim().slice(0, mostCharacters) : '');
  try {
    await adoptByRecoveryKey(resources, {
      owner: await getOwner(resources.database, session.userId),
      recoveryKey: typed(key),
      folder: typed(folder),
      at: null,
      by: `user:${session.userId}`,
    });
    return c.redirect('/', 303);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    // Whoever guesses learns of no folder whether it is there.
    return show(visit, { refusal: refusal === 'absent' ? 'wrong' : refusal, folder: typed(folder) });
  }
}

async function show(
  visit: PersonVisit,
  refused?: { refusal: Exclude<Refusal, 'absent'>; folder: string },
): Promise<Response> {
  const { resources, session, texts } = visit;
  const t = texts.recovery.adopt;
  const [erasing, repository] = await Promise.all([
    isErasing(visit),
    findRepository(resources.database, session.userId),
  ]);
  const alert: Html | '' =
    refused === undefined ? '' : html`<p role="alert"><strong>${t.refused[refused.refusal]}</strong></p>`;
  const inner = html`<p><label for="folder">${t.folder}</label><br><input id="folder" name="folder" size="36" maxlength="${mostCharacters}" value="${refused?.folder ?? ''}" autocomplete="off" autocapitalize="none" spellcheck="false" required></p>
<p><label for="key">${t.key}</label><br><input id="key" name="key" size="36" maxlength="${mostCharacters}" autocomplete="off" autocapitalize="none" spellcheck="false" required></p><p><button>${t.button}</button></p>`;
  const body = erasing
    ? erasingCard(texts)
    : repository !== null
      ? html`<section class="card">${alert}<p>${t.has}</p></section>`
      : html`<section class="card">${alert}<p>${t.where}</p>${freshForm(visit, { action: path, path, inner })}<p class="soft">${t.after}</p></section>`;
  return page(visit, t.title, html`<p class="lead">${t.lead}</p>${body}<p><a href="/recovery">${t.back}</a></p>`, {
    place: '/recovery',
    status: refused === undefined ? 200 : 400,
  });
}
