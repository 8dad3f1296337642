import { openBrowser, signIn } from '../../demo/browser.ts';
import type { Person } from '../../demo/people.ts';
import type { DemoProvider } from '../../demo/provider/provider.ts';
import type { Mishap } from './realm.ts';

interface Victim {
  readonly provider: DemoProvider;
  readonly client: { readonly id: string; readonly secret: string };
  readonly person: Person;
}

/** How each mishap comes about at the demo's provider, and what mends it again. */
export const demoMishaps: Readonly<Record<Mishap, (victim: Victim) => Promise<(() => Promise<void>) | undefined>>> = {
  'the person removes access in the account console': async ({ provider: { issuer }, person }) => {
    await using browser = openBrowser();
    const account = await signIn(browser, await browser.open(`${issuer}/account`), person);
    await browser.submit(account, { action: '/account/remove' });
    return undefined;
  },
  'an administrator deletes the consent': async ({ provider: { knobs }, client, person }) => {
    await knobs.removeConsent(person.username, client.id);
    return undefined;
  },
  'an administrator signs the person out': async ({ provider: { knobs }, person }) => {
    await knobs.signOut(person.username);
    return undefined;
  },
  'a not-before policy is pushed for the realm': async ({ provider: { knobs } }) => {
    knobs.setRealm({ notBefore: knobs.now() });
    return async () => knobs.setRealm({ notBefore: 0 });
  },
  'a not-before policy is pushed for the client': async ({ provider: { knobs }, client }) => {
    knobs.setClient(client.id, { notBefore: knobs.now() });
    return async () => knobs.setClient(client.id, { notBefore: 0 });
  },
  'the person is disabled': async ({ provider: { knobs }, person }) => {
    knobs.setUser(person.username, { enabled: false });
    return async () => knobs.setUser(person.username, { enabled: true });
  },
  'the person is deleted': async ({ provider: { knobs }, person }) => {
    knobs.deleteUser(person.username);
    return undefined;
  },
  'the role offline_access is taken from the person': async ({ provider: { knobs }, person }) => {
    knobs.setOfflineRole(person.username, false);
    return async () => knobs.setOfflineRole(person.username, true);
  },
  'the scope offline_access is taken from the client': async ({ provider: { knobs }, client }) => {
    knobs.setOfflineScope(client.id, false);
    return async () => knobs.setOfflineScope(client.id, true);
  },
  'the client is disabled': async ({ provider: { knobs }, client }) => {
    knobs.setClient(client.id, { enabled: false });
    return async () => knobs.setClient(client.id, { enabled: true });
  },
  'the secret of the client is changed': async ({ provider: { knobs }, client }) => {
    knobs.setClientSecret(client.id, 'another');
    return async () => knobs.setClientSecret(client.id, client.secret);
  },
  'the realm is imported again with other keys': async ({ provider: { knobs } }) => {
    await knobs.replaceKeys();
    return undefined;
  },
};
