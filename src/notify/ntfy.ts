import { jsonCall, type Writer } from './message.ts';

/** Longer messages become attachments (docs.ntfy.sh/publish, "Limitations"). */
const mostBytes = 4_000;
const looks = {
  info: { priority: 2, tags: [] },
  success: { priority: 2, tags: ['white_check_mark'] },
  warning: { priority: 3, tags: ['warning'] },
  failure: { priority: 4, tags: ['rotating_light'] },
};

/**
 * ntfy: the address of a topic. Written as JSON to the server's root (docs.ntfy.sh/publish, "Publish as JSON"), since headers would
 * not carry every title.
 */
export const ntfy: Writer = (url, { title, text, level }) => {
  const [, folder = '/', topic = ''] = /^(.*\/)([^/]+)\/?$/.exec(url.pathname) ?? [];
  const root = new URL(url);
  root.pathname = folder;
  const message = Buffer.from(text)
    .subarray(0, mostBytes)
    .toString()
    .replace(/\ufffd$/, '');
  return jsonCall(root, { topic: decodeURIComponent(topic), title, message, ...looks[level] });
};
