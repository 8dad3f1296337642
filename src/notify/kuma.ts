import type { Writer } from './message.ts';

const longest = 250;

/** Uptime Kuma: the address of a push monitor, asked by GET with `status` and `msg`. It has no word for a beginning. */
export const kuma: Writer = (url, { night, title }) => {
  if (night === undefined || night.step === 'start') return undefined;
  const push = new URL(url);
  push.searchParams.set('status', night.step === 'success' ? 'up' : 'down');
  push.searchParams.set('msg', title.slice(0, longest));
  push.searchParams.delete('ping');
  return { url: push, method: 'GET' };
};
