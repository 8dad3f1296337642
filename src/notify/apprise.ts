import { jsonCall, type Writer } from './message.ts';

/**
 * The Apprise API: `…/notify/KEY` of a server with a saved configuration (github.com/caronc/apprise-api). It answers 204 where nobody
 * is configured, so that only 200 says that somebody was told.
 */
export const apprise: Writer = (url, { title, text, level }) => ({
  ...jsonCall(url, { title, body: text, type: level, format: 'text' }),
  taken: [200],
});
