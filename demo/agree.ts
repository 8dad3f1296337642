import { openBrowser, signIn } from './browser/browser.ts';
import type { Demo } from './demo.ts';
import type { Person } from './people.ts';

/** Signs the person in and agrees in their place, as a browser without a person in front of it. The first run begins then. */
export async function agreeAs({ url }: Pick<Demo, 'url'>, person: Person): Promise<void> {
  await using browser = openBrowser();
  await signIn(browser, await browser.open(new URL('login', url).href), person);
  const terms = await browser.open(new URL('consent', url).href);
  const home = await signIn(browser, await browser.submit(terms, { action: '/consent' }), person);
  if (!home.url.startsWith(url.href)) throw new Error(`The consent of ${person.username} ended at ${home.url}`);
}
