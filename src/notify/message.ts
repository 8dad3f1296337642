/** What operators are told, before a channel gives it a form. */
export interface Message {
  title: string;
  text: string;
  level: 'info' | 'success' | 'warning' | 'failure';
  at: Date;
  /** What it is made of, for programs. */
  facts: object;
  /** Where a heartbeat tells of a night: how far it is, and what its beginning and its end share (a UUID). */
  night?: { step: 'start' | 'success' | 'fail'; id: string };
}

/** The one request that a channel makes of a message. */
export interface Call {
  url: URL;
  method: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
  /** The statuses that say that it was taken; any of 200 to 299 where absent. */
  taken?: readonly number[];
}

/** How a kind of channel writes a message to an address; undefined where it has no word for it. */
export type Writer = (url: URL, message: Message) => Call | undefined;

/** A call with a body in JSON. */
export function jsonCall(url: URL, body: object): Call {
  return { url, method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
