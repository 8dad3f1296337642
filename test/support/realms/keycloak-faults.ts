import type RealmRepresentation from '@keycloak/keycloak-admin-client/lib/defs/realmRepresentation.js';
import type { Browser } from 'playwright-core';
import type { Person } from '../../../demo/people.ts';
import { openChromiumVisitor } from './chromium-visitor.ts';
import type { KeycloakRealm } from './keycloak-realm.ts';
import type { RealmFault } from './realm.ts';

interface Target {
  readonly realm: KeycloakRealm;
  readonly person: Person;
  /** The account console is nothing without scripts. */
  readonly browser: () => Promise<Browser>;
}

/** How each fault comes about at Keycloak, and what undoes it. */
export const keycloakFaults: Readonly<
  Record<RealmFault, (target: Target) => Promise<(() => Promise<void>) | undefined>>
> = {
  'the person removes access in the account console': async ({ realm, person, browser }) => {
    await using visitor = await openChromiumVisitor(await browser(), person, realm.issuer);
    await visitor.removeAccess(realm.client.id);
    return undefined;
  },
  'an administrator deletes the consent': async ({ realm: { admin, name, client, idOf }, person }) => {
    await admin.users.revokeConsent({ realm: name, id: idOf(person), clientId: client.id });
    return undefined;
  },
  'an administrator signs the person out': async ({ realm: { admin, name, idOf }, person }) => {
    await admin.users.logout({ realm: name, id: idOf(person) });
    return undefined;
  },
  'a not-before policy is pushed for the realm': async ({ realm }) => {
    const push = (notBefore: number) => changeRealm(realm, { notBefore });
    await push(nextSecond());
    return () => push(0);
  },
  'a not-before policy is pushed for the client': async ({ realm }) => {
    const push = (notBefore: number) => changeClient(realm, { notBefore });
    await push(nextSecond());
    return () => push(0);
  },
  'the person is disabled': async ({ realm: { admin, name, idOf }, person }) => {
    const enable = (enabled: boolean) => admin.users.update({ realm: name, id: idOf(person) }, { enabled });
    await enable(false);
    return () => enable(true);
  },
  'the person is deleted': async ({ realm: { admin, name, idOf }, person }) => {
    await admin.users.del({ realm: name, id: idOf(person) });
    return undefined;
  },
  'the role offline_access is taken from the person': async ({ realm: { admin, name, idOf }, person }) => {
    const about = { realm: name, id: idOf(person) };
    // The default roles hold it too: whoever has those has it.
    const held = (await admin.users.listRealmRoleMappings(about)).filter(({ name: role = '' }) =>
      ['offline_access', `default-roles-${name}`].includes(role),
    );
    const roles = held.map(({ id = '', name: role = '' }) => ({ id, name: role }));
    await admin.users.delRealmRoleMappings({ ...about, roles });
    return () => admin.users.addRealmRoleMappings({ ...about, roles });
  },
  'the scope offline_access is taken from the client': async ({ realm }) => {
    const { admin, name } = realm;
    const scope = await admin.clientScopes.findOneByName({ realm: name, name: 'offline_access' });
    const about = { realm: name, id: await uuidOfClient(realm), clientScopeId: scope?.id ?? '' };
    await admin.clients.delOptionalClientScope(about);
    return () => admin.clients.addOptionalClientScope(about);
  },
  'the client is disabled': async ({ realm }) => {
    await changeClient(realm, { enabled: false });
    return () => changeClient(realm, { enabled: true });
  },
  'the secret of the client is changed': async ({ realm }) => {
    await changeClient(realm, { secret: 'another' });
    return () => changeClient(realm, { secret: realm.client.secret });
  },
  'the realm is imported again with other keys': async ({ realm }) => {
    await realm.importAgain();
    return undefined;
  },
};

/** Keycloak's own id of the client. */
export async function uuidOfClient({ admin, name, client }: KeycloakRealm): Promise<string> {
  const [found] = await admin.clients.find({ realm: name, clientId: client.id });
  if (found?.id === undefined) throw new Error(`The realm ${name} has no client ${client.id}.`);
  return found.id;
}

async function changeClient(realm: KeycloakRealm, changes: { enabled?: boolean; secret?: string; notBefore?: number }) {
  const { admin, name } = realm;
  await admin.clients.update({ realm: name, id: await uuidOfClient(realm) }, { clientId: realm.client.id, ...changes });
}

async function changeRealm({ admin, name }: KeycloakRealm, changes: RealmRepresentation): Promise<void> {
  await admin.realms.update({ realm: name }, changes);
}

/** Seconds since 1970, as `iat`: whatever was issued until now is before it. */
function nextSecond(): number {
  return Math.floor(Date.now() / 1000) + 1;
}
