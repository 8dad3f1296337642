import { html } from 'hono/html';
import type { Markup } from '../../page.ts';
import type { OfflineSession } from '../realm/offline-sessions.ts';

type Fields = Readonly<Record<string, string>>;

export const when = (seconds: number) => `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

export const hidden = (fields: Fields) =>
  Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);

export const tick = (name: string, label: string, on: boolean) =>
  html`<label class="tick"><input type="checkbox" name="${name}"${on ? ' checked' : ''}> ${label}</label>`;

export const text = (name: string, label: string, value: string) =>
  html`<label for="${name}">${label}</label><input id="${name}" name="${name}" type="text" value="${value}">`;

export const button = (action: string, label: string, fields: Fields, back: string) =>
  html`<form method="post" action="${action}">${hidden({ ...fields, back })}<button type="submit">${label}</button></form>`;

/** A not-before policy, with buttons that set and clear it. */
export const policy = (action: string, notBefore: number, fields: Fields, back: string) => html`
<p>${notBefore === 0 ? 'None.' : `Tokens issued before ${when(notBefore)} are stale.`}</p>
<div class="row">${button(action, 'Set to now', { ...fields, from: 'now' }, back)}
${button(action, 'Clear', { ...fields, from: '' }, back)}</div>`;

export const sessionTable = (sessions: OfflineSession[], name: (session: OfflineSession) => string, back: string) =>
  table(
    ['Of', 'Started', 'Last access', ''],
    sessions.map((session) => [
      name(session),
      when(session.startedAt),
      when(session.refreshedAt),
      button('/admin/session', 'Revoke', { sid: session.sid, client: session.clientId }, back),
    ]),
  );

export function table(head: string[], rows: (string | Markup)[][]): Markup {
  if (rows.length === 0) return html`<p class="soft">None.</p>`;
  return html`<table><tr>${head.map((name) => html`<th>${name}</th>`)}</tr>${rows.map(
    (cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`,
  )}</table>`;
}
