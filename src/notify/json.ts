import { jsonCall, type Writer } from './message.ts';

/** A webhook of one's own: `{ title, text, level, facts, at }` by POST. */
export const json: Writer = (url, { title, text, level, facts, at }) =>
  jsonCall(url, { title, text, level, facts, at: at.toISOString() });
