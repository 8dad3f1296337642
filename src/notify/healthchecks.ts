import type { Writer } from './message.ts';

const endings = { start: '/start', success: '', fail: '/fail' };

/** Healthchecks: the ping address of a check (healthchecks.io/docs/http_api). `rid` ties the end of a night to its beginning. */
export const healthchecks: Writer = (url, { night, text }) => {
  if (night === undefined) return undefined;
  const ping = new URL(url);
  ping.pathname = `${ping.pathname.replace(/\/$/, '')}${endings[night.step]}`;
  ping.searchParams.set('rid', night.id);
  return { url: ping, method: 'POST', headers: { 'content-type': 'text/plain; charset=utf-8' }, body: text };
};
