import { Agent, request } from 'undici';
import { systemClock } from '../../src/clock.ts';
import type { Person } from '../people.ts';
import { openCookieJar } from './cookie-jar.ts';
import { type Form, formsIn } from './forms.ts';

/** The page that a browser shows after its redirects. */
export interface Page {
  readonly url: string;
  readonly status: number;
  /** The `Referrer-Policy`; under `no-referrer` forms are sent with `Origin: null`. */
  readonly referrerPolicy: string;
  readonly text: string;
  readonly forms: readonly Form[];
}

/** Which form, and which of its buttons: by address, by the button's name, value or text, or by a test. */
export interface Choice {
  action?: string | RegExp;
  button?: string | RegExp;
  form?: (form: Form) => boolean;
}

/** What is typed and ticked, by the names of the fields; several values of one field are boxes that are ticked. */
export type FieldValues = Readonly<Record<string, string | readonly string[]>>;

/** A browser without scripts: cookies, redirects, forms. */
export interface Browser extends AsyncDisposable {
  open(url: string): Promise<Page>;
  /** Fills in and submits a form of the page. Throws, listing the page's forms, where none matches. */
  submit(page: Page, choice: Choice, values?: FieldValues): Promise<Page>;
  /** Asks what a page's script would ask, with the cookies of the browser. */
  fetch(url: string, request: { method: string; json?: object | undefined }): Promise<{ status: number; text: string }>;
}

const mostRedirects = 20;

export function openBrowser(): Browser {
  const jar = openCookieJar(systemClock());
  const connections = new Agent();

  const ask = async (url: URL, from: Page | undefined, body: URLSearchParams | undefined) => {
    const answer = await request(url, {
      dispatcher: connections,
      method: body ? 'POST' : 'GET',
      headers: headersFor(url, from, jar.header(url), body),
      ...(body && { body: body.toString() }),
    });
    const text = await answer.body.text();
    const header = (name: string) => [answer.headers[name] ?? []].flat();
    jar.take(url, header('set-cookie'));
    return {
      status: answer.statusCode,
      text,
      referrerPolicy: header('referrer-policy')[0] ?? '',
      next: header('location')[0],
    };
  };

  const go = async (target: URL, from?: Page, body?: URLSearchParams): Promise<Page> => {
    const visited: string[] = [];
    let url = target;
    let posted = body;
    while (visited.length <= mostRedirects) {
      visited.push(url.href);
      const { next, ...answer } = await ask(url, from, posted);
      if (answer.status < 300 || answer.status > 399 || next === undefined) {
        return { ...answer, url: url.href, forms: formsIn(answer.text) };
      }
      url = new URL(next, url);
      if (answer.status !== 307 && answer.status !== 308) posted = undefined;
    }
    throw new Error(`More than ${mostRedirects} redirects: ${visited.slice(-3).join(' -> ')}`);
  };

  return {
    fetch: async (address, { method, json }) => {
      const url = new URL(address);
      const cookie = jar.header(url);
      const { statusCode, headers, body } = await request(url, {
        dispatcher: connections,
        method,
        headers: { ...(cookie && { cookie }), ...(json && { 'content-type': 'application/json' }) },
        ...(json && { body: JSON.stringify(json) }),
      });
      jar.take(url, [headers['set-cookie'] ?? []].flat());
      return { status: statusCode, text: await body.text() };
    },
    open: (url) => go(new URL(url)),
    submit: (page, choice, values = {}) => {
      const { form, button } = choose(page, choice);
      const target = new URL(form.action || page.url, page.url);
      const body = filledIn(form, button, values);
      if (form.method === 'post') return go(target, page, body);
      target.search = body.toString();
      return go(target, page);
    },
    [Symbol.asyncDispose]: () => connections.close(),
  };
}

/** Signs in, consents wherever the provider asks, and gives the last page. */
export async function signIn(
  browser: Browser,
  start: Page,
  person: Pick<Person, 'username' | 'password'>,
): Promise<Page> {
  let page = start;
  for (let step = 0; step < 6; step += 1) {
    if (page.forms.some(asksPassword)) {
      page = await browser.submit(
        page,
        { form: asksPassword },
        { username: person.username, password: person.password },
      );
      if (page.forms.some(asksPassword))
        throw new Error(`${new URL(page.url).origin} did not let ${person.username} in.`);
    } else if (page.forms.some(asksConsent)) {
      page = await browser.submit(page, { form: asksConsent, button: 'allow' });
    } else return page;
  }
  throw new Error(`The sign-in does not end; the last page is ${page.url}`);
}

const asksPassword = (form: Form) => form.fields.some(({ type }) => type === 'password');
const asksConsent = (form: Form) => form.buttons.some(({ name, value }) => name === 'decision' && value === 'allow');

function choose(page: Page, choice: Choice) {
  const matches = (wanted: string | RegExp, text: string) =>
    typeof wanted === 'string' ? wanted === text : wanted.test(text);
  const { action, button: wanted, form: test } = choice;
  for (const form of page.forms) {
    if (action !== undefined && !matches(action, form.action)) continue;
    if (test && !test(form)) continue;
    const button =
      wanted === undefined
        ? form.buttons[0]
        : form.buttons.find(({ name, value, text }) =>
            [name, value, text].some((word) => word && matches(wanted, word)),
          );
    if (wanted === undefined || button) return { form, button };
  }
  const found = page.forms.map(
    (form) => `${form.method} ${form.action} [${form.buttons.map(({ text }) => text).join(', ')}]`,
  );
  throw new Error(`No such form on ${page.url} (${page.status}). It has: ${found.join('; ') || 'none'}`);
}

function filledIn(form: Form, button: Form['buttons'][number] | undefined, values: FieldValues) {
  const body = new URLSearchParams();
  for (const { name, value, sent } of form.fields) if (sent && !(name in values)) body.append(name, value);
  for (const [name, value] of Object.entries(values)) for (const each of [value].flat()) body.append(name, each);
  if (button?.name) body.append(button.name, button.value);
  return body;
}

function headersFor(url: URL, from: Page | undefined, cookie: string, body: URLSearchParams | undefined) {
  const site = from === undefined ? 'none' : new URL(from.url).origin === url.origin ? 'same-origin' : 'same-site';
  return {
    accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
    'sec-fetch-site': site,
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    ...(cookie && { cookie }),
    ...(body && {
      'content-type': 'application/x-www-form-urlencoded',
      ...(from && { origin: from.referrerPolicy === 'no-referrer' ? 'null' : new URL(from.url).origin }),
    }),
  };
}
