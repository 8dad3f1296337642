import { openBrowser, signIn } from '../../../demo/browser/browser.ts';
import type { Person } from '../../../demo/people.ts';
import type { DemoProvider } from '../../../demo/provider/provider.ts';
import type { RealmFault } from './realm.ts';

interface Target {
  readonly provider: DemoProvider;
  readonly client: { readonly id: string; readonly secret: string };
  readonly person: Person;
}

/** How each fault comes about at the demo's provider, and what undoes it. */
export const demoFaults: Readonly<Record<RealmFault, (target: Target) => Promise<(() => Promise<void>) | undefined>>> =
  {
    'the person removes access in the account console': async ({ provider: { issuer }, person }) => {
      await using browser = openBrowser();
      const account = await signIn(browser, await browser.open(`${issuer}/account`), person);
      await browser.submit(account, { action: '/account/remove' });
      return undefined;
    },
    'an administrator deletes the consent': async ({ provider: { admin }, client, person }) => {
      await admin.removeConsent(person.username, client.id);
      return undefined;
    },
    'an administrator signs the person out': async ({ provider: { admin }, person }) => {
      await admin.signOut(person.username);
      return undefined;
    },
    'a not-before policy is pushed for the realm': async ({ provider: { admin } }) => {
      admin.setRealm({ notBefore: admin.now() });
      return async () => admin.setRealm({ notBefore: 0 });
    },
    'a not-before policy is pushed for the client': async ({ provider: { admin }, client }) => {
      admin.setClient(client.id, { notBefore: admin.now() });
      return async () => admin.setClient(client.id, { notBefore: 0 });
    },
    'the person is disabled': async ({ provider: { admin }, person }) => {
      admin.setUser(person.username, { enabled: false });
      return async () => admin.setUser(person.username, { enabled: true });
    },
    'the person is deleted': async ({ provider: { admin }, person }) => {
      admin.deleteUser(person.username);
      return undefined;
    },
    'the role offline_access is taken from the person': async ({ provider: { admin }, person }) => {
      admin.setOfflineRole(person.username, false);
      return async () => admin.setOfflineRole(person.username, true);
    },
    'the scope offline_access is taken from the client': async ({ provider: { admin }, client }) => {
      admin.setOfflineScope(client.id, false);
      return async () => admin.setOfflineScope(client.id, true);
    },
    'the client is disabled': async ({ provider: { admin }, client }) => {
      admin.setClient(client.id, { enabled: false });
      return async () => admin.setClient(client.id, { enabled: true });
    },
    'the secret of the client is changed': async ({ provider: { admin }, client }) => {
      admin.setClientSecret(client.id, 'another');
      return async () => admin.setClientSecret(client.id, client.secret);
    },
    'the realm is imported again with other keys': async ({ provider: { admin } }) => {
      await admin.replaceKeys();
      return undefined;
    },
  };
