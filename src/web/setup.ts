import { randomBytes } from 'node:crypto';
import type { Hono } from 'hono';
import { html } from 'hono/html';
import type { Clock } from '../clock.ts';
import { surveySettings } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { type InForce, listInForce } from '../config/in-force.ts';
import { keyringFile } from '../config/keyring-file.ts';
import { examine } from '../doctor/doctor.ts';
import type { Finding } from '../doctor/finding.ts';
import { isAppError } from '../errors.ts';
import type { Adoption } from '../flows/adoption/adopt-repositories.ts';
import type { FoundRepository } from '../flows/adoption/find-repositories.ts';
import { faultsOfKeys } from '../flows/keys/faults-of-keys.ts';
import { parseKeyring } from '../vault/keyring.ts';
import { isSameSecret } from '../vault/same-secret.ts';
import { english } from './english.ts';
import { type Html, layout } from './layout.ts';
import { name as safeName } from './names.ts';
import { type Tone, tag } from './outcome.ts';
import { textsOf } from './spoken.ts';
import type { Texts } from './texts/en.ts';

export const setupPath = '/setup';

/**
 * The first-run page: what is set, what the doctor finds, and the keyring to save. It is open until an operator has signed in, and
 * only to whoever types the token that the start printed: an address of loopback proves nothing behind a proxy. No secret is on it.
 */
export interface Setup {
  readonly token: string;
  readonly environment: Environment;
  readonly clock: Clock;
  isOpen(): Promise<boolean>;
  /** The repositories in the store; absent where the settings do not say where that is. */
  readonly backups?: SetupBackups;
}

/** What a lost installation left in the store. */
export interface SetupBackups {
  /** Those that the database does not know. */
  find(): Promise<readonly FoundRepository[]>;
  /** When Nightkeep's own state was last exported into it; undefined where it was not, or the export does not open. */
  exportedAt(): Promise<Date | undefined>;
  /** Gives each to its person. */
  adopt(): Promise<readonly Adoption[]>;
}

/** A token where there is no keyring yet. */
export function newSetupToken(): string {
  return randomBytes(16).toString('base64url');
}

/** Answers `/setup` while it is open. A wrong token gets 403, and a closed page whatever else the app answers. */
export function addSetup(app: Hono, setup: Setup): void {
  const frame = (texts: Texts, body: Html) =>
    layout({ title: texts.setup.title, session: undefined, texts, body, here: setupPath });
  app.get(setupPath, async (c, next) => {
    const texts = textsOf(c);
    return (await setup.isOpen()) ? c.html(await frame(texts, ask(texts.setup))) : next();
  });
  app.post(setupPath, async (c, next) => {
    if (!(await setup.isOpen())) return next();
    const texts = textsOf(c);
    const { act, token } = await c.req.parseBody();
    if (typeof token !== 'string' || !isSameSecret(token.trim(), setup.token))
      return c.html(await frame(texts, ask(texts.setup, { wrong: true })), 403);
    if (act === 'adopt') await setup.backups?.adopt();
    return c.html(await frame(texts, await overview(texts, setup)));
  });
}

function ask(t: Texts['setup'], { wrong = false } = {}): Html {
  return html`<p class="lead">${t.lead}</p><section class="card">${wrong ? html`<p role="alert"><strong>${t.wrong}</strong></p>` : ''}
<form method="post" action="${setupPath}"><p><label for="token">${t.token}</label><br><input id="token" name="token" size="26" autocomplete="off" spellcheck="false" required></p><button>${t.show}</button></form>
<p class="soft">${t.whereToken}</p></section>`;
}

async function overview(texts: Texts, { backups, clock, environment }: Setup): Promise<Html> {
  const t = texts.setup;
  const { checks } = await examine(environment, clock);
  const [urgent, rest] = [checks.filter(isUrgent), checks.filter((finding) => !isUrgent(finding))];
  const wrong = checks.filter(({ state }) => state === 'wrong').length;
  const [set, usual] = [listInForce(environment).filter(isSet), listInForce(environment).filter((one) => !isSet(one))];
  const items = (findings: readonly Finding[]) =>
    html`<ul class="items">${findings.map((finding) => findingItem(texts, finding))}</ul>`;
  return html`<p class="lead">${wrong === 0 ? t.well : t.toDo(wrong)}</p>
<section class="card"><h2>${t.found}</h2>${items(urgent)}<details><summary>${t.rest(rest.length)}</summary>${items(rest)}</details></section>
${await backupsPart(texts, backups)}${await keyringPart(texts, environment)}
<section class="card"><h2>${t.settings}</h2>${settingsList(texts, set)}<details><summary>${t.usual(usual.length)}</summary>${settingsList(texts, usual)}</details></section>
${wrong > 0 ? '' : html`<section class="card"><h2>${t.next}</h2><p>${t.nextLead}</p><p><a class="button" href="/login">${t.signIn}</a></p></section>`}`;
}

function isUrgent({ state }: Finding): boolean {
  return state === 'wrong' || state === 'warn';
}

/** Whether it was set, or must be. */
function isSet({ fault, from }: InForce): boolean {
  return from !== 'default' || fault !== undefined;
}

const signs = {
  ok: ['good', 'check'],
  warn: ['warn', 'dash'],
  wrong: ['bad', 'cross'],
  unknown: ['calm', 'ring'],
} as const satisfies Record<Finding['state'], readonly [Tone, Parameters<typeof tag>[2]]>;

function findingItem(texts: Texts, { cure, finding, name, state }: Finding): Html {
  const [tone, shape] = signs[state];
  return html`<li><div><strong>${english(texts, name)}</strong><p>${english(texts, finding)}</p>${cure === undefined ? '' : html`<p>→ ${english(texts, cure)}</p>`}</div>${tag(texts.setup.states[state], tone, shape)}</li>`;
}

const mostShown = 100;

/** What was found in the store, whose it is, and the button that gives it back; what cannot be read with the cure. */
async function backupsPart(texts: Texts, backups: SetupBackups | undefined): Promise<Html | ''> {
  const t = texts.setup;
  // A store that cannot be read is what the doctor tells of.
  const found = await backups?.find().catch((error: unknown) => (isAppError(error) ? [] : Promise.reject(error)));
  if (found === undefined || found.length === 0) return '';
  const exportedAt = await backups?.exportedAt();
  const readable = found.filter(({ card }) => card !== undefined).length;
  const items = found.slice(0, mostShown).map(({ card, location, problem }) => {
    const name = card === undefined ? location : (card.owner.username ?? card.owner.subject);
    return html`<li><div><strong>${safeName(name)}</strong><p>${problem === undefined ? location : english(texts, problem)}</p></div></li>`;
  });
  const more = found.length > mostShown ? html`<p class="soft">${t.moreBackups(found.length - mostShown)}</p>` : '';
  const button = html`<form method="post" action="${setupPath}"><input type="hidden" name="act" value="adopt"><p><label for="again">${t.token}</label><br><input id="again" name="token" size="26" autocomplete="off" spellcheck="false" required></p><button>${t.adopt}</button></form>`;
  return html`<section class="card warn"><h2>${t.backups}</h2><p>${t.backupsLead(found.length)}</p>${exportedAt === undefined ? '' : html`<p>${t.exported(texts.formats.time(exportedAt, 'UTC'))}</p><pre tabindex="0"><code>nightkeep import --from-store latest --confirm</code></pre>`}<ul class="items">${items}</ul>${more}${readable === 0 ? '' : button}</section>
`;
}

/** Where the keyring is and how to save it; never the keyring, since pages travel and are kept in more places than files. */
async function keyringPart(texts: Texts, environment: Environment): Promise<Html> {
  const t = texts.setup;
  const { settings } = surveySettings(environment);
  const { dataDir = '', keyring } = settings;
  const fault = (await faultsOfKeys(settings)).get('KEYRING');
  const set = listInForce(environment).find(({ name }) => name === 'KEYRING');
  const given = set !== undefined && set.from !== 'default';
  const where = given ? t.keyringSet(set.file ?? set.from) : t.keyringMade(keyringFile(dataDir));
  const ids = keyring === undefined || fault !== undefined ? [] : [...parseKeyring(keyring).keys.keys()];
  const command = `cp ${set?.file ?? keyringFile(dataDir)} /media/safe/nightkeep-keyring`;
  return html`<section class="card warn"><h2>${t.keyring}</h2><p>${t.keyringLead}</p><p>${keyring === undefined ? t.keyringNone : where}</p>${fault === undefined ? '' : html`<p><strong>${english(texts, fault)}</strong></p>`}
${ids.length === 0 ? '' : html`<p>${t.keyringKeys(ids.join(', '))}</p>`}${keyring === undefined || (given && set.file === undefined) ? '' : html`<pre tabindex="0"><code>${command}</code></pre>`}</section>`;
}

function settingsList(texts: Texts, settings: readonly InForce[]): Html {
  const told = ({ absent, fault, value }: InForce) =>
    fault === undefined ? english(texts, value ?? absent ?? '') : html`<strong>${english(texts, fault)}</strong>`;
  const origin = ({ file, from }: InForce) => html` <span class="soft">(${file ?? from})</span>`;
  return html`<dl>${settings.map((one) => html`<dt><code>${one.name}</code></dt><dd>${told(one)}${isSet(one) && one.from !== 'default' ? origin(one) : ''}</dd>`)}</dl>`;
}
