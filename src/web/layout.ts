import { html } from 'hono/html';
import { version } from '../version.ts';
import type { Session } from './cookies.ts';
import { formToken } from './security.ts';
import { iconPath, stylesheetPath } from './stylesheet.ts';
import { texts } from './texts.ts';

export type Html = ReturnType<typeof html>;

interface Page {
  readonly title: string;
  /** The address of the menu entry that this page belongs to. */
  readonly place?: string;
  readonly session: Session | undefined;
  readonly body: Html;
}

const menu = [
  ['/', texts.menu.home],
  ['/snapshots', texts.menu.snapshots],
  ['/grant', texts.menu.grant],
  ['/recovery', texts.menu.recovery],
] as const;

/** The frame around every page. */
export function layout({ title, place, session, body }: Page): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${texts.name}</title>
<link rel="icon" type="image/svg+xml" href="${iconPath}">
<link rel="stylesheet" href="${stylesheetPath}">
</head>
<body>
<a class="skip" href="#content">${texts.skip}</a>
<header>
<a class="brand" href="/">${texts.name}</a>
${session === undefined ? html`<a href="/login">${texts.menu.signIn}</a>` : menuOf(session, place)}
</header>
<main id="content">
<h1>${title}</h1>
${body}
</main>
<footer>${session === undefined ? texts.tagline : `${session.name} · ${texts.name} ${version}`}</footer>
</body>
</html>`;
}

function menuOf(session: Session, place: string | undefined): Html {
  const entry = ([href, name]: readonly [string, string]) =>
    html`<li><a href="${href}" ${href === place ? html`aria-current="page"` : ''}>${name}</a></li>`;
  return html`<nav aria-label="${texts.pages}"><ul>${menu.map(entry)}</ul></nav>
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
