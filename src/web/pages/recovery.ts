import { html } from 'hono/html';
import { findRepository } from '../../database/repositories/repositories.ts';
import { isAppError } from '../../errors.ts';
import { escapedName } from '../../file-name.ts';
import { findOtherKeys, removeForeignKey } from '../../flows/keys/foreign-keys.ts';
import { proveRecoveryKey, reissueRecoveryKey, revealRecoveryKey } from '../../flows/keys/recovery-key.ts';
import { letGoOf } from '../../flows/snapshots/let-go.ts';
import { erasingCard, isErasing } from '../erasing.ts';
import { freshForm } from '../fresh.ts';
import { form, type Html } from '../layout.ts';
import { plainName } from '../names.ts';
import { recoverySheet } from '../recovery-sheet.ts';
import { notFound, type PersonVisit, page, zoneOf } from '../visit.ts';

/** How to get everything back without Nightkeep. The key itself is only ever the answer to a form. */
export async function recovery(visit: PersonVisit): Promise<Response> {
  return visit.url.searchParams.get('reissue') === 'sure' ? askBeforeReissue(visit) : show(visit);
}

async function show(visit: PersonVisit, { wrong = false } = {}): Promise<Response> {
  const { resources, session, texts } = visit;
  const { clock, database, store } = resources;
  const t = texts.recovery;
  if (await isErasing(visit)) return page(visit, t.title, erasingCard(texts), { place: '/recovery' });
  const repository = await findRepository(database, session.userId);
  if (repository === null)
    return page(
      visit,
      t.title,
      html`<p class="lead">${t.lead}</p><p class="card soft">${t.none} <a href="/recovery/adopt">${t.adopt.link}</a></p>`,
      {
        place: '/recovery',
      },
    );
  const zone = await zoneOf(visit);
  const { location: folder, store: at } = repository;
  const { location, resticOptions } = store(folder, at);
  const sheet = {
    ...(repository.recoverySeenAt !== null && { recoveryKey: null }),
    folder,
    location,
    ...(resticOptions && { resticOptions }),
    at: texts.formats.time(clock.now(), zone),
  };
  const body = html`<p class="lead">${t.lead}</p>${standing(visit, repository, zone)}${repository.sealedRecoveryKey !== null && repository.recoverySeenAt !== null ? provePart(visit, { wrong }) : ''}
${await otherKeysPart(visit, zone)}${recoverySheet(texts, sheet)}${repository.recoverySeenAt === null ? '' : reissuePart(visit)}`;
  return page(visit, t.title, body, { place: '/recovery', status: wrong ? 400 : 200 });
}

type KeyState = Pick<
  NonNullable<Awaited<ReturnType<typeof findRepository>>>,
  'recoveryKeptAt' | 'recoverySeenAt' | 'sealedRecoveryKey'
>;

/** Whether the person has the key, as far as anybody can know. */
function standing(visit: PersonVisit, key: KeyState, zone: string): Html {
  const { show: button, state: t } = visit.texts.recovery;
  const { recoveryKeptAt: kept, recoverySeenAt: seen, sealedRecoveryKey: sealed } = key;
  const card = (tone: string, said: string, lead: string, end: Html | '' = '') =>
    html`<section class="card ${tone}"><p><strong>${said}</strong></p><p>${lead}</p>${end}</section>`;
  const show = (kind: string) =>
    freshForm(visit, {
      action: '/recovery',
      path: '/recovery',
      inner: html`<button class="${kind}">${button}</button>`,
    });
  if (kept !== null) return card('good', t.kept(visit.texts.formats.time(kept, zone)), t.keptLead);
  if (seen === null) return card('warn', t.unseen, t.unseenLead, show(''));
  if (sealed === null) return card('warn', t.lost(visit.texts.formats.time(seen, zone)), t.lostLead);
  return card('warn', t.seen(visit.texts.formats.time(seen, zone)), t.seenLead, show('quiet'));
}

/**
 * Shows the recovery key on its sheet. It stays here until its person shows that they kept it, so that a reload, or a printer
 * without paper, loses nothing. It is the answer to the form itself: no address shows a key.
 */
export async function revealKey(visit: PersonVisit): Promise<Response> {
  const { c, resources, session, texts } = visit;
  const t = texts.recovery;
  if (await isKept(visit)) return c.redirect('/recovery', 303);
  const revealed = await revealRecoveryKey(resources, session.userId);
  const at = texts.formats.time(resources.clock.now(), await zoneOf(visit));
  const body = html`<p class="lead unprinted">${t.sheet.hint}</p>${recoverySheet(texts, { ...revealed, at })}${provePart(visit)}`;
  return page(visit, t.sheet.title(plainName(session.name)), body, { place: '/recovery' });
}

/** Takes a part of the key as the proof that it was kept. */
export async function proveKey(visit: PersonVisit): Promise<Response> {
  const { c, resources, session } = visit;
  if (await isKept(visit)) return c.redirect('/recovery', 303);
  const { third, fifth } = await c.req.parseBody();
  const groups = [third, fifth].map((group) => (typeof group === 'string' ? group : ''));
  const kept = await proveRecoveryKey(resources, { userId: session.userId, groups });
  return kept ? c.redirect('/recovery', 303) : show(visit, { wrong: true });
}

/** Whether its person has shown that they kept the key, by the same button pressed twice or in another tab: the page says so. */
async function isKept({ resources, session }: PersonVisit): Promise<boolean> {
  const repository = await findRepository(resources.database, session.userId);
  return repository !== null && repository.sealedRecoveryKey === null && repository.recoveryKeptAt !== null;
}

function provePart({ session, texts }: PersonVisit, { wrong = false } = {}): Html {
  const t = texts.recovery.prove;
  const field = (name: 'third' | 'fifth') =>
    html`<p><label for="${name}">${t[name]}</label><br><input id="${name}" name="${name}" size="8" maxlength="8" autocomplete="off" autocapitalize="none" spellcheck="false" required></p>`;
  const inner = html`${field('third')}${field('fifth')}<button>${t.button}</button>`;
  return html`<section class="card unprinted"><h2>${t.title}</h2>${wrong ? html`<p role="alert"><strong>${t.wrong}</strong></p>` : ''}<p>${t.lead}</p>
${form(session, '/recovery/kept', inner)}</section>`;
}

/** Recovery keys of before that still open the repository, and keys that Nightkeep did not make, each with when it came and a way to remove it. */
async function otherKeysPart(visit: PersonVisit, zone: string): Promise<Html | ''> {
  const { resources, session, texts } = visit;
  const t = texts.recovery.foreign;
  const keys = await findOtherKeys(resources, session.userId).catch((error: unknown) => {
    if (!isAppError(error)) throw error;
    resources.log.warn('recovery.keys-unknown', { userId: session.userId, error });
    return undefined;
  });
  if (keys === undefined) return html`<p class="card soft unprinted">${t.unknown}</p>`;
  const { foreign, replaced } = keys;
  const before =
    replaced === 0 ? '' : html`<p class="card warn unprinted">${texts.recovery.reissue.stays(replaced)}</p>`;
  if (foreign.length === 0) return before;
  const rows = foreign.map(({ id, createdAt, by }) => {
    const inner = html`<input type="hidden" name="key" value="${id}"><button class="quiet danger">${t.button}</button>`;
    const at = createdAt === null ? t.noDate : texts.formats.time(createdAt, zone);
    return html`<section class="card warn"><p><strong>${t.added}</strong> ${at}</p><p><strong>${t.by}</strong> ${escapedName(by)}</p>
${freshForm(visit, { action: '/recovery/remove', path: '/recovery', inner })}</section>`;
  });
  return html`${before}<section class="unprinted"><h2>${t.title}</h2><p>${t.lead}</p>${rows}</section>`;
}

/** Removes a key that Nightkeep did not make. */
export async function removeKey(visit: PersonVisit): Promise<Response> {
  const { c, resources, session } = visit;
  const { key } = await c.req.parseBody();
  const named = { userId: session.userId, keyId: typeof key === 'string' ? key : '' };
  // Of one that is gone, by the same button pressed twice or in another tab, the page says so.
  await removeForeignKey(resources, named).catch((error: unknown) => {
    if (!isAppError(error, 'request/not-found')) throw error;
  });
  return c.redirect('/recovery', 303);
}

function reissuePart(visit: PersonVisit): Html {
  const t = visit.texts.recovery.reissue;
  const inner = html`<button class="quiet">${t.button}</button>`;
  return html`<section class="card unprinted"><h2>${t.title}</h2><p>${t.lead}</p>${freshForm(visit, { action: '/recovery/reissue', path: '/recovery', inner })}</section>`;
}

/** Ends the old recovery key and makes a new one, once it was asked twice; the new one waits to be shown. */
export async function reissueKey(visit: PersonVisit): Promise<Response> {
  const { c, resources, session } = visit;
  const { userId } = session;
  const { sure, former } = await c.req.parseBody();
  if ((await findRepository(resources.database, userId)) === null) throw notFound();
  if (sure !== 'yes') return c.redirect('/recovery?reissue=sure', 303);
  await reissueRecoveryKey(resources, userId, typeof former === 'string' ? former || null : undefined);
  letGoOf(resources, userId);
  return c.redirect('/recovery', 303);
}

/** The second question: under an address of its own, so that going back to it, or reloading it, sends no form again. */
async function askBeforeReissue(visit: PersonVisit): Promise<Response> {
  const repository = await findRepository(visit.resources.database, visit.session.userId);
  if (repository === null) return show(visit);
  const t = visit.texts.recovery.reissue;
  const inner = html`<input type="hidden" name="former" value="${repository.recoveryKeyFile ?? ''}"><input type="hidden" name="sure" value="yes"><button class="danger">${t.sure}</button>`;
  const body = html`<div class="card warn"><p class="lead">${t.sureLead}</p>${freshForm(visit, { action: '/recovery/reissue', path: '/recovery', inner })}</div><p><a href="/recovery">${t.back}</a></p>`;
  return page(visit, t.sureTitle, body, { place: '/recovery' });
}
