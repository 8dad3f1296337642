import type { Browser, Page } from 'playwright-core';
import type { Person } from '../../../demo/people.ts';
import type { Question, Visitor } from './realm.ts';

/** A person in Chromium, before the pages of Keycloak and of Nightkeep. */
export interface ChromiumVisitor extends Visitor {
  /** How many accesses of a client the account console shows. */
  accessesOf(clientId: string): Promise<number>;
  /** Takes the access of a client away there. */
  removeAccess(clientId: string): Promise<void>;
}

export async function openChromiumVisitor(browser: Browser, person: Person, issuer: string): Promise<ChromiumVisitor> {
  const context = await browser.newContext({ locale: 'en-GB' });
  const page = await context.newPage();
  const asked: Question[] = [];
  let willing = true;
  const answerProvider = async () => {
    for (let question = await questionOn(page); question !== undefined; question = await questionOn(page)) {
      asked.push(question);
      await answer[question](page, person, willing);
    }
  };
  /** The console is a page of scripts: it asks for the password first, and fetches what it lists later. */
  const openApplications = async () => {
    await page.goto(`${issuer}/account/applications`);
    const row = page.locator('[id^="toggle-"]').first();
    await page.locator('#kc-form-login').or(row).first().waitFor();
    await answerProvider();
    await row.waitFor();
  };
  return {
    open: async (url) => {
      await page.goto(url);
      await answerProvider();
    },
    press: async (text) => {
      await page
        .getByRole('button', { name: text })
        .or(page.getByRole('link', { name: text }))
        .first()
        .click();
      await page.waitForLoadState();
      await answerProvider();
    },
    url: () => page.url(),
    text: async () => (await page.textContent('main')) ?? '',
    asked: () => asked.splice(0),
    decline: () => {
      willing = false;
    },
    connectDevice: async (url) => {
      await page.goto(url);
      await answerProvider();
    },
    signOutAtProvider: async () => {
      await page.goto(`${issuer}/protocol/openid-connect/logout`);
      await page.locator('#kc-logout').click();
      await page.waitForLoadState();
    },
    accessesOf: async (clientId) => {
      await openApplications();
      return page.locator(`[id="toggle-${clientId}"]`).count();
    },
    removeAccess: async (clientId) => {
      await openApplications();
      await page.locator(`[id="toggle-${clientId}"]`).click();
      await page.getByRole('button', { name: 'Remove access' }).click();
      const removed = page.waitForResponse((response) => response.request().method() === 'DELETE');
      await page.locator('#modal-confirm').click();
      if (!(await removed).ok()) throw new Error(`The account console could not remove the access: ${page.url()}`);
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** What Keycloak asks on this page; nothing where the page is not one of its forms. */
async function questionOn(page: Page): Promise<Question | undefined> {
  if (await page.locator('#kc-form-login').count()) return 'password';
  return (await page.locator('form [name=accept]').count()) ? 'consent' : undefined;
}

const answer = {
  password: async (page: Page, { username, password }: Person) => {
    await page.fill('#username', username);
    await page.fill('#password', password);
    await page.click('#kc-login');
  },
  consent: (page: Page, _person: Person, willing: boolean) =>
    page.locator(`form [name=${willing ? 'accept' : 'cancel'}]`).click(),
};
