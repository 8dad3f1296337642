import { html } from 'hono/html';
import { findGrantOfPerson } from '../../database/consent/grant-views.ts';
import { findHolding } from '../../database/nights/night-views.ts';
import { findCompared, listNightsOf } from '../../database/nights/snapshot-runs.ts';
import { acceptLosses, findVerification, type VerificationRow } from '../../database/repositories/verifications.ts';
import { type Damage, type DamageState, goneSince } from '../../domain/damage.ts';
import type { Protection } from '../../domain/protection.ts';
import type { NightReason } from '../../domain/protection-reasons.ts';
import { findProtection } from '../../flows/nights/find-protection.ts';
import { erasingCard, isErasing } from '../erasing.ts';
import { form, type Html } from '../layout.ts';
import { table } from '../table.ts';
import type { Texts } from '../texts/en.ts';
import { type PersonVisit, page, zoneOf } from '../visit.ts';
import { entryName } from './entry-name.ts';
import { causeOf } from './operator/causes.ts';
import { reasonPart } from './protection-words.ts';

/** How many snapshots are named for each file; where there are more, their number is given. */
const snapshotsNamed = 5;
const filesShown = 200;

/** Whether what is kept of the person can be restored: when it was verified, how, and what is damaged. */
export async function verification(visit: PersonVisit): Promise<Response> {
  const { resources, session, texts } = visit;
  const { userId } = session;
  const t = texts.verification;
  const place = { place: '/snapshots' };
  const [row, grant, protection, zone] = await Promise.all([
    findVerification(resources.database, userId),
    findGrantOfPerson(resources.database, { userId }),
    findProtection(resources, userId),
    zoneOf(visit),
  ]);
  const eraseAt = grant?.snapshots?.eraseAt ?? null;
  if (row === null) {
    if (await isErasing(visit)) return page(visit, t.title, erasingCard(texts), place);
    // The first verification comes some minutes after the first snapshot.
    const holding = await findHolding(resources.database, { userId });
    return page(visit, t.title, html`<p class="lead">${holding === null ? t.nothing : t.never}</p>`, place);
  }
  const body = html`${standing(visit, row, { eraseAt, protection, zone })}${await figures(visit, row, { eraseAt, zone })}${await damagePart(visit, row, zone)}`;
  return page(visit, t.title, body, place);
}

/** Puts on record that the person has looked at what is lost for good, as the page showed it. */
export async function acceptLost({ c, resources, session: { userId } }: PersonVisit): Promise<Response> {
  const { found } = await c.req.parseBody();
  const foundAt = (await findVerification(resources.database, userId))?.foundAt;
  const at = resources.clock.now();
  if (foundAt && foundAt.toISOString() === found)
    await acceptLosses(resources.database, { userId, foundAt, at, by: `user:${userId}` });
  return c.redirect('/verification', 303);
}

interface Standing {
  /** When the snapshots are to be erased: nobody verifies them from the choice on. */
  readonly eraseAt: Date | null;
  readonly protection: Protection;
  readonly zone: string;
}

function standing(
  { resources, session, texts }: PersonVisit,
  row: VerificationRow,
  { eraseAt, protection: { restorable }, zone }: Standing,
): Html {
  const t = texts.verification;
  const { clearedAt, damageState, foundAt, verifiedAt } = row;
  const knownSince = damageState === 'gone' ? goneSince(row) : foundAt;
  const time = (at: Date) => texts.formats.time(at, zone);
  const reason = damageState === null ? undefined : reasonsOf[damageState];
  const isOverdue = restorable.isOverdue && eraseAt === null;
  const isErased = eraseAt !== null && eraseAt <= resources.clock.now();
  const tone = reason !== undefined || isOverdue ? 'warn' : verifiedAt === null ? '' : 'good';
  return html`<section class="card ${tone}"><p class="lead">${verified(texts, row, { eraseAt, time })}</p>
${reason === undefined ? '' : html`${reasonPart(texts, { reason, until: null, retry: null }, zone)}${knownSince ? html`<p>${t.foundAt(time(knownSince))}</p>` : ''}`}
${damageState === 'gone' && foundAt && row.damage !== null && foundAt !== knownSince ? html`<p>${t.damagedBefore(time(foundAt))}</p>` : ''}
${isOverdue ? reasonPart(texts, { reason: 'unverified', until: null, retry: null }, zone) : ''}
${damageState === 'key' && !isErased ? html`<p><a class="button" href="/recovery">${texts.home.renewKey}</a></p>` : ''}
${(damageState === 'lost' || damageState === 'removed') && foundAt && !isErased ? form(session, '/verification/looked', html`<input type="hidden" name="found" value="${foundAt.toISOString()}"><button>${t.looked}</button>`) : ''}
${damageState === 'accepted' ? html`<p>${t.accepted}</p>` : ''}${damageState === 'superseded' ? html`<p>${t.superseded}</p>` : ''}${(damageState === null || damageState === 'superseded') && clearedAt ? html`<p>${t.healedAt(time(clearedAt))}</p>` : ''}
<p class="soft">${eraseAt === null ? t.what(resources.config.verifyDays) : isErased ? texts.retention.erasing : t.ended(time(eraseAt))}</p></section>`;
}

/** When it was last found whole, or that it never was. */
function verified(
  { verification: t }: Texts,
  { checkedAt, damageState, verifiedAt }: VerificationRow,
  { eraseAt, time }: Pick<Standing, 'eraseAt'> & { readonly time: (at: Date) => string },
): string {
  if (verifiedAt !== null)
    return damageState === 'accepted' ? t.verifiedButLost(time(verifiedAt)) : t.verified(time(verifiedAt));
  if (checkedAt !== null) return t.notWhole(time(checkedAt));
  return eraseAt === null ? t.never : t.neverWas;
}

const reasonsOf = {
  gone: 'repository_gone',
  healing: 'damaged',
  lost: 'lost',
  key: 'key_damaged',
  mending: 'repository_damaged',
  removed: 'snapshots_removed',
  superseded: undefined,
  accepted: undefined,
} as const satisfies Record<DamageState, NightReason | undefined>;

async function figures(
  { resources, session: { userId }, texts }: PersonVisit,
  { checkedAt, errorCode, errorFiles, filesRead, nextAt, packsRead }: VerificationRow,
  { eraseAt, zone }: Pick<Standing, 'eraseAt' | 'zone'>,
): Promise<Html> {
  const t = texts.verification;
  const { formats } = texts;
  const compared = await findCompared(resources.database, { userId });
  const comparedIn =
    compared === null ? t.comparedNever : t.comparedIn(compared.files, formats.time(compared.at, zone));
  const fact = (label: string, value: Html | string) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`;
  const next = nextAt > resources.clock.now() ? formats.time(nextAt, zone) : t.soon;
  return html`<section class="card"><dl class="facts">${fact(t.checked, checkedAt === null ? texts.home.never : formats.time(checkedAt, zone))}
${checkedAt === null ? '' : html`${fact(t.packs, formats.number(packsRead))}${fact(t.sample, formats.number(filesRead))}`}
${fact(t.compared, comparedIn)}${errorCode === null ? '' : fact(t.failed, html`${causeOf({ state: 'failed', errorCode }, texts)} <code class="soft small">${[errorCode, ...errorFiles].join(' ')}</code>`)}${eraseAt === null ? fact(t.next, next) : ''}</dl></section>`;
}

async function damagePart(
  { resources, session: { userId }, texts }: PersonVisit,
  { damage }: VerificationRow,
  zone: string,
): Promise<Html | ''> {
  if (damage === null) return '';
  const { removed = [] } = damage;
  const ids = [...new Set([...damage.snapshots, ...removed, ...damage.files.flatMap(({ snapshots }) => snapshots)])];
  const takenAt = await listNightsOf(resources.database, { userId, snapshotIds: ids });
  const name = (id: string) => {
    const at = takenAt.get(id);
    return at === undefined ? html`<code>${id.slice(0, 8)}</code>` : texts.formats.time(at, zone);
  };
  const { whole, removed: gone } = texts.verification;
  return html`${snapshotList(damage.snapshots, whole, name)}${snapshotList(removed, gone, name)}${lostFiles(texts, damage, name)}`;
}

function snapshotList(
  snapshots: readonly string[],
  say: (count: number) => string,
  name: (id: string) => Html | string,
): Html | '' {
  if (snapshots.length === 0) return '';
  const items = snapshots.slice(0, filesShown).map((id) => html`<li>${name(id)}</li>`);
  return html`<section class="card warn"><p>${say(snapshots.length)}</p><ul>${items}</ul></section>`;
}

function lostFiles(texts: Texts, { files }: Damage, name: (id: string) => Html | string): Html | '' {
  const t = texts.verification;
  if (files.length === 0) return '';
  const rows = files.slice(0, filesShown).map(({ path, snapshots }) => {
    const left = snapshots.length - snapshotsNamed;
    const named = snapshots.toReversed().slice(0, snapshotsNamed);
    const list = named.map((id, place) => html`${place === 0 ? '' : '; '}${name(id)}`);
    const what = entryName(texts, path.replace(/^\/|\/$/g, ''), { isFolder: path.endsWith('/') });
    return [what, html`${list}${left > 0 ? html` ${t.more(left)}` : ''}`];
  });
  const columns = [{ label: t.file }, { label: t.snapshots }];
  return html`<h2>${t.files}</h2><div class="card">${table({ caption: t.files, columns, rows })}${files.length > filesShown ? html`<p>${t.some}</p>` : ''}</div>`;
}
