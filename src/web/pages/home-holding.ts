import { html } from 'hono/html';
import type { Holding } from '../../database/nights/night-views.ts';
import type { HomeView, Person } from '../../database/nights/views.ts';
import { readActor } from '../../domain/audit.ts';
import { numbersIn } from '../../domain/run-counts.ts';
import { isSourceName, type SourceAddress, type SourceName } from '../../domain/source-names.ts';
import { previewUrl } from '../../domain/url-template.ts';
import type { FoundChoice } from '../../flows/consent/choose-sources.ts';
import type { Html } from '../layout.ts';
import { name as safeName } from '../names.ts';
import { outcome, tag } from '../outcome.ts';
import type { Texts } from '../texts/en.ts';
import { goneFoldersPart } from './gone-folders.ts';

interface Held {
  readonly texts: Texts;
  readonly view: HomeView;
  /** The newest snapshot, where there is one. */
  readonly holding: Holding | null;
  readonly person: Person;
  readonly choice: FoundChoice | null;
  /** Whether there is a consent to go on with. */
  readonly goesOn: boolean;
}

/**
 * What is backed up, and what is not: sources, what could not be read, roots that are missing, and the recovery key. Once the consent has ended, what
 * was backed up; nothing where no snapshot is left of that.
 */
export function holdingCard(held: Held): Html | '' {
  const { texts, holding, goesOn } = held;
  const t = texts.holding;
  if (!goesOn && holding === null) return '';
  const missing = (name: string) => item(safeName(topName(texts, name)), t.missing, tag(t.notOffered, 'warn', 'dash'));
  return html`<section class="card"><h2>${goesOn ? t.title : t.titleOfEnded}</h2><ul class="items">${sources(held)}
${holding?.missingRoots.map(missing)}${goesOn ? html`${leftOut(held)}<li><p>${t.nothingElse}</p></li>` : ''}${key(held)}</ul></section>`;
}

/** What the top of a snapshot is called on pages. */
function topName({ holding: t }: Texts, name: string): string {
  return isSourceName(name) ? t[name] : name;
}

/** One item for all sources together, since a run counts them together. */
function sources({ texts, view: { plan }, holding, person }: Held): Html | '' {
  const t = texts.holding;
  const list = plan?.sources ?? [];
  const aside = holding === null ? t.nothing : contents(texts, holding);
  const sign = holding === null ? '' : outcome(holding.state, texts);
  const nameOf = ({ name }: SourceAddress) => topName(texts, name);
  const address = ({ url }: SourceAddress) => html`<br>${previewUrl(url, person)}`;
  const named = (source: SourceAddress) => html`<br>${nameOf(source)}: ${previewUrl(source.url, person)}`;
  const inTitle = (source: SourceAddress, at: number) => (at === 0 ? nameOf(source) : nameWithin(texts, source.name));
  const title = texts.formats.list(list.map(inTitle));
  return list.length === 0 ? '' : item(title, html`${aside}${list.map(list.length === 1 ? address : named)}`, sign);
}

/** What a source is called within a sentence. */
function nameWithin({ home }: Texts, name: string): string {
  return isSourceName(name) ? home.sources[name] : name;
}

/** What is not backed up by somebody's choice: nothing is missing. */
function leftOut({ texts, view: { plan }, choice }: Held): Html | '' {
  const t = texts.holding;
  if (choice === null) return '';
  const names = [...choice.choosable.filter(({ isChosen }) => !isChosen).map(({ name }) => name), ...choice.leftOut];
  const why = (name: SourceName) => {
    const since = choice.leftOutSince.find((one) => one.name === name);
    if (since === undefined) return t.leftOut;
    const at = texts.formats.time(since.at, plan?.zone);
    return readActor(since.by).kind === 'user' ? t.leftOutByYou(at) : t.leftOutByOperator(at);
  };
  const change = html`<a href="/settings#sources">${t.change}</a>`;
  return html`${names.map((name) => item(t[name], html`${why(name)} ${change}`, ''))}`;
}

function contents(texts: Texts, holding: Holding): Html {
  const { id, counts, problemCount, unreadFolders, unreadRoots } = holding;
  const t = texts.holding;
  const n = numbersIn(counts);
  const all = (n.entries ?? 0) + (n.entriesKept ?? 0);
  const { filesNew: added, filesChanged: differ = 0, entriesGone: gone = 0 } = n;
  // Where all is new and nothing gone, there was no snapshot before, or an empty one.
  const changed = added === undefined || (added === all && gone === 0) ? '' : t.changes(added, differ, gone);
  const entries = unreadEntries(holding);
  const roots = unreadRoots.map((name) => nameWithin(texts, name));
  const ofRoots = roots.length === 0 ? '' : ` ${t.unreadRoots(texts.formats.list(roots))}`;
  const below = unreadFolders + entries === 0 ? '' : ` ${t.unread(unreadFolders, entries)}`;
  const goneWhole = goneFoldersPart(texts, holding);
  const unread = html`${ofRoots}${below} <a href="/runs/${id}">${t.which}</a>`;
  const empty = all === 0 && problemCount === 0 ? ` ${t.empty}` : '';
  return html`${t.entries(all, texts.formats.bytes(n.totalBytes ?? 0))}. ${changed}${empty}${problemCount > 0 ? unread : ''}${goneWhole === '' ? '' : html`<br>${goneWhole}`}`;
}

/** How many single entries could not be read: neither roots nor folders. */
function unreadEntries({ missingRoots, problemCount, unreadFolders, unreadRoots }: Holding): number {
  return Math.max(0, problemCount - missingRoots.length - unreadRoots.length - unreadFolders);
}

/** The same where nothing but single entries could not be read; undefined where more is missing, or nothing. */
export function onlyEntriesUnread(holding: Holding): number | undefined {
  const entries = unreadEntries(holding);
  return entries > 0 && entries === holding.problemCount ? entries : undefined;
}

function key({ texts, view: { repository, grant, plan } }: Held): Html | '' {
  const t = texts.holding;
  if (repository === null || repository.eraseAt !== null || grant?.state === 'withdrawn') return '';
  const { recoveryKeptAt: kept, recoverySeenAt: seen } = repository;
  if (kept !== null) return item(t.key, t.keyKept(texts.formats.time(kept, plan?.zone)), '');
  const button = html`<a class="button quiet" href="/recovery">${seen === null ? t.keyShow : t.keyProve}</a>`;
  return item(t.key, seen === null ? t.keyUnseen : t.keySeen(texts.formats.time(seen, plan?.zone)), button);
}

function item(name: Html | string, aside: Html | string, end: Html | ''): Html {
  return html`<li><div><strong>${name}</strong>${aside === '' ? '' : html`<p>${aside}</p>`}</div>${end}</li>`;
}
