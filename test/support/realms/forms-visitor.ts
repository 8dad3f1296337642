import { openBrowser, type Page } from '../../../demo/browser/browser.ts';
import type { Form } from '../../../demo/browser/forms.ts';
import type { Person } from '../../../demo/people.ts';
import type { Question, Visitor } from './realm.ts';

/** A person whose browser has no scripts, before the forms of the demo's provider, of Keycloak and of Nightkeep. */
export function openFormsVisitor(person: Person, endSession: string): Visitor {
  const browser = openBrowser();
  const asked: Question[] = [];
  let willing = true;
  let page: Page | undefined;
  const shown = () => {
    if (page === undefined) throw new Error('The browser has not opened anything yet.');
    return page;
  };
  const answerProvider = async (first: Page) => {
    page = first;
    for (let question = questionOn(page, willing); question !== undefined; question = questionOn(page, willing)) {
      asked.push(question.kind);
      const { username, password } = person;
      const values = question.kind === 'password' ? { username, password } : {};
      const { form, button } = question;
      page = await browser.submit(page, { form: (one) => one === form, ...(button && { button }) }, values);
      if (asked.length > 20) throw new Error(`The provider does not stop asking for the ${question.kind}: ${page.url}`);
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
      const asksForCode = (form: Form) => form.fields.some(({ name }) => name === 'user_code');
      for (let step = 0; step < 3 && shown().forms.some(asksForCode); step += 1)
        await answerProvider(await browser.submit(shown(), { form: asksForCode }));
    },
    signOutAtProvider: async () => {
      page = await browser.submit(await browser.open(endSession), {});
    },
    [Symbol.asyncDispose]: () => browser[Symbol.asyncDispose](),
  };
}

/** What the provider asks on this page, and the button that answers it. */
function questionOn({ forms }: Page, willing: boolean): { kind: Question; form: Form; button?: string } | undefined {
  for (const form of forms) {
    if (form.fields.some(({ type }) => type === 'password')) return { kind: 'password', form };
    const answers = form.buttons.flatMap(({ name, value }) => (name === 'decision' ? [value] : [name]));
    const [yes, no] = answers.includes('accept') ? ['accept', 'cancel'] : ['allow', 'deny'];
    if (answers.includes(yes)) return { kind: 'consent', form, button: willing ? yes : no };
  }
  return undefined;
}

/** Where the link of this text leads, if the page has one. */
function linkTo(text: string, { text: page, url }: Page): string | undefined {
  const links = [...page.matchAll(/<a\b[^>]*\bhref="([^"]*)"[^>]*>([^<]*)<\/a>/g)];
  const href = links.find(([, , words]) => words === text)?.[1];
  return href === undefined ? undefined : new URL(href, url).href;
}
