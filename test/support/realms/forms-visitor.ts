import { type Browser, type FieldValues, openBrowser, type Page } from '../../../demo/browser/browser.ts';
import type { Form } from '../../../demo/browser/forms.ts';
import type { Person } from '../../../demo/people.ts';
import type { Question, Visitor } from './realm.ts';

/**
 * Does what the scripts of a provider's page do, and gives the page that comes of it; nothing where the page has forms.
 * What the page asks the person is told to `asked`.
 */
export type AnswerPage = (
  browser: Browser,
  page: Page,
  person: { readonly willing: boolean; asked(question: Question): void },
) => Promise<Page | undefined>;

/** A person whose browser has no scripts, before the forms of Nightkeep and of its provider. */
export function openFormsVisitor(person: Person, endSession: string, byScripts?: AnswerPage): Visitor {
  const browser = openBrowser();
  const asked: Question[] = [];
  let willing = true;
  let page: Page | undefined;
  const shown = () => {
    if (page === undefined) throw new Error('The browser has not opened anything yet.');
    return page;
  };
  const answerProvider = async (first: Page): Promise<void> => {
    page = first;
    const answered = await byScripts?.(browser, page, { willing, asked: (question) => asked.push(question) });
    if (answered !== undefined) return answerProvider(answered);
    const ask = (on: Page) => questionOn(on, person, willing);
    for (let question = ask(page); question !== undefined; question = ask(page)) {
      const { kind, form, button, values } = question;
      asked.push(kind);
      page = await browser.submit(page, { form: (one) => one === form, ...(button && { button }) }, values);
      if (asked.length > 20) throw new Error(`The provider does not stop asking for the ${kind}: ${page.url}`);
    }
  };
  return {
    open: async (url) => answerProvider(await browser.open(url)),
    press: async (text) => {
      const link = linkTo(text, shown());
      await answerProvider(await (link ? browser.open(link) : browser.submit(shown(), { button: text })));
    },
    url: () => shown().url,
    text: async () => shown().text.replace(/<[^>]*>/g, ' '),
    asked: () => asked.splice(0),
    decline: () => {
      willing = false;
    },
    connectDevice: async (url) => {
      await answerProvider(await browser.open(url));
      // The code that came with the address, and once more whether it is theirs.
      for (let step = 0; step < 3 && shown().forms.some(asksForCode); step += 1)
        await answerProvider(await browser.submit(shown(), { form: asksForCode }));
    },
    signOutAtProvider: async () => {
      page = await browser.submit(await browser.open(endSession), {});
    },
    [Symbol.asyncDispose]: () => browser[Symbol.asyncDispose](),
  };
}

/** What the provider asks on this page, and how the form is filled in that answers it. */
interface Asked {
  readonly kind: Question;
  readonly form: Form;
  readonly button?: string;
  readonly values: FieldValues;
}

/** Each provider has forms of its own. */
function questionOn({ forms }: Page, person: Person, willing: boolean): Asked | undefined {
  for (const form of forms) {
    const asked =
      passwordIn(form, person) ?? decisionIn(form, willing) ?? scopesIn(form, willing) ?? confirmationIn(form, willing);
    if (asked !== undefined) return asked;
  }
  return undefined;
}

function passwordIn(form: Form, { username, password }: Person): Asked | undefined {
  const nameOf = (...types: string[]) => form.fields.find(({ type }) => types.includes(type))?.name;
  const [name, secret] = [nameOf('text', 'email'), nameOf('password')];
  if (name === undefined || secret === undefined) return undefined;
  return { kind: 'password', form, values: { [name]: username, [secret]: password } };
}

/** One button for yes and another for no, as at Keycloak and the demo's provider. */
function decisionIn(form: Form, willing: boolean): Asked | undefined {
  const answers = form.buttons.flatMap(({ name, value }) => (name === 'decision' ? [value] : [name]));
  const [yes, no] = answers.includes('accept') ? ['accept', 'cancel'] : ['allow', 'deny'];
  return answers.includes(yes) ? { kind: 'consent', form, button: willing ? yes : no, values: {} } : undefined;
}

/** A box for each scope that is not given yet, as at Spring Authorization Server: all of them are ticked, or none. */
function scopesIn(form: Form, willing: boolean): Asked | undefined {
  const boxes = form.fields.filter(({ type, name }) => type === 'checkbox' && name === 'scope');
  const scope = willing ? boxes.filter(({ disabled }) => !disabled).map(({ value }) => value) : [];
  return boxes.length > 0 ? { kind: 'consent', form, values: { scope } } : undefined;
}

/** A key that a script takes back for no, as at LemonLDAP::NG. Where a code is confirmed, it is a device that is asked about. */
function confirmationIn(form: Form, willing: boolean): Asked | undefined {
  if (asksForCode(form)) return undefined;
  const key = form.fields.find(({ type, name }) => type === 'hidden' && name === 'confirm')?.value;
  return key === undefined ? undefined : { kind: 'consent', form, values: { confirm: willing ? key : `-${key}` } };
}

const asksForCode = (form: Form) => form.fields.some(({ name }) => name === 'user_code');

/** Where the link of this text leads, if the page has one. */
function linkTo(text: string, { text: page, url }: Page): string | undefined {
  const links = [...page.matchAll(/<a\b[^>]*\bhref="([^"]*)"[^>]*>([^<]*)<\/a>/g)];
  const href = links.find(([, , words]) => words === text)?.[1];
  return href === undefined ? undefined : new URL(href.replaceAll('&amp;', '&'), url).href;
}
