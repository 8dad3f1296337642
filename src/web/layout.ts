import { html } from 'hono/html';
import { version } from '../version.ts';
import { type IconName, icon } from './icons.ts';
import { name as safeName } from './names.ts';
import { formToken } from './security.ts';
import type { Session } from './session.ts';
import { faviconPath, stylesheetPath } from './stylesheet.ts';
import type { Texts } from './texts/en.ts';
import { listTexts } from './texts/languages.ts';

export type Html = ReturnType<typeof html>;

interface Page {
  readonly title: string;
  /** The address of the menu entry that this page belongs to. */
  readonly place?: string;
  readonly session: Session | undefined;
  readonly texts: Texts;
  readonly body: Html;
  /** The body has a heading of its own. */
  readonly headed?: boolean;
  /** What else belongs into the head. */
  readonly head?: Html | '';
  /** The address to come back to in another language; without it none is offered. */
  readonly here?: string;
}

interface MenuEntry {
  readonly href: string;
  readonly name: keyof Texts['menu'];
  readonly icon: IconName;
}

const menu: readonly MenuEntry[] = [
  { href: '/', name: 'home', icon: 'home' },
  { href: '/snapshots', name: 'snapshots', icon: 'snapshots' },
  { href: '/grant', name: 'grant', icon: 'consent' },
  { href: '/recovery', name: 'recovery', icon: 'key' },
  { href: '/settings', name: 'settings', icon: 'settings' },
];

const operators: MenuEntry = { href: '/operator', name: 'operators', icon: 'people' };

/** The frame around every page. */
export function layout({ title, place, session, texts, body, headed = false, head = '', here }: Page): Html {
  return html`<!doctype html>
<html lang="${texts.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${texts.name}</title>
<link rel="icon" type="image/svg+xml" href="${faviconPath}">
<link rel="stylesheet" href="${stylesheetPath}">
${head}</head>
<body>
<a class="skip" href="#content">${texts.skip}</a>
<header><div class="bar">
<a class="brand" href="/">${icon('moon')}${texts.name}</a>
${session === undefined ? html`<a href="/login">${texts.menu.signIn}</a>` : menuOf(session, place, texts)}
</div></header>
<main id="content">
${headed ? '' : html`<h1>${title}</h1>`}
${body}
</main>
<footer><span>${session === undefined ? texts.tagline : html`${safeName(session.name)} · ${texts.name} ${version}`}</span>${here === undefined ? '' : languagesPart(texts, here)}</footer>
</body>
</html>`;
}

/** The languages, each by the name that it gives itself. */
function languagesPart({ language: spoken, languages }: Texts, here: string): Html {
  const one = ({ language, languageName }: Texts) =>
    language === spoken
      ? html`<span lang="${language}" aria-current="true">${languageName}</span>`
      : html`<button name="language" value="${language}" lang="${language}">${languageName}</button>`;
  return html`<form method="post" action="/language" aria-label="${languages}"><input type="hidden" name="returnTo" value="${here}">${listTexts().map(one)}</form>`;
}

function menuOf(session: Session, place: string | undefined, texts: Texts): Html {
  const entry = ({ href, name, icon: shape }: MenuEntry) =>
    html`<li><a href="${href}" ${href === place ? html`aria-current="page"` : ''}>${icon(shape)}${texts.menu[name]}</a></li>`;
  return html`<nav aria-label="${texts.pages}"><ul>${(session.operator ? [...menu, operators] : menu).map(entry)}</ul></nav>
${postButton(session, '/logout', texts.menu.signOut)}`;
}

/** A form that this session may send. */
export function form(session: Session, action: string, inner: Html): Html {
  return html`<form method="post" action="${action}"><input type="hidden" name="csrf" value="${formToken(session.csrf)}">${inner}</form>`;
}

/** A form of one button. */
export function postButton(session: Session, action: string, label: string, kind = ''): Html {
  return form(session, action, html`<button class="${kind}">${label}</button>`);
}
