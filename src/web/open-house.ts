import { ping } from '../database/client.ts';
import { isSessionEnded } from '../database/ended-sessions.ts';
import { findGrantOfPerson, listExchangesOfPerson } from '../database/grant-views.ts';
import { findHome, findRunOfPerson, getPerson, type Person } from '../database/views.ts';
import { nextNight } from '../domain/nights.ts';
import { previewUrl } from '../domain/url-template.ts';
import { AppError } from '../errors.ts';
import { endSession } from '../flows/consent/end-session.ts';
import { beginConsent, beginSignIn, finishConsent, finishSignIn } from '../flows/consent/give-consent.ts';
import { revokeWithdrawn } from '../flows/consent/revoke-tokens.ts';
import { withdrawConsent } from '../flows/consent/withdraw-consent.ts';
import { askAgainForPerson } from '../flows/custody/ask-again.ts';
import { chooseErasure, eraseAtOf } from '../flows/erasure/erase-choice.ts';
import { openPersonRepository, reissueRecoveryKey, revealRecoveryKey } from '../flows/nights/person-repository.ts';
import { requestRun } from '../flows/nights/request-run.ts';
import type { Resources } from '../resources.ts';
import { browse } from '../store/restorer/browse.ts';
import { openFile } from '../store/restorer/read-file.ts';
import { zipFolder } from '../store/restorer/zip.ts';
import { purposes } from '../vault/purposes.ts';
import { seal, unseal } from '../vault/seal.ts';
import type { House, Shelf, Terms } from './house.ts';

/** The house behind the pages: flows and views, each bound to the open resources. */
export function openHouse(resources: Resources): House {
  const { config, clock, log, database, issuer, store } = resources;
  return {
    publicUrl: config.publicUrl,
    providerOrigin: config.provider.issuer.origin,
    operatorRole: config.operatorRole,
    clock,
    log,
    ...cookiesOf(resources),
    ready: () => ping(database),
    publicKeys: () => issuer.publicKeys(),
    ...consentOf(resources),
    isSessionEnded: (session, began) => isSessionEnded(database, { ...session, began }),
    endSession: async (logoutToken) => {
      for (const grantId of await endSession(resources, logoutToken))
        revokeWithdrawn(resources, { grantId }).catch((error: unknown) => log.warn('grant.revoke.failed', { error }));
    },
    requestRun: (planId) => requestRun(resources, { planId, trigger: 'person' }),
    findHome: async (userId) => {
      const view = await findHome(database, { userId });
      const { repository } = view;
      return repository
        ? { ...view, repository: { ...repository, location: store(repository.location).location } }
        : view;
    },
    findRun: (userId, runId) => findRunOfPerson(database, { userId, runId }),
    findGrant: (userId) => findGrantOfPerson(database, { userId }),
    listExchanges: (userId, page) => listExchangesOfPerson(database, { userId, ...page }),
    openShelf: (userId) => openShelf(resources, userId),
    revealRecoveryKey: (userId) => revealRecoveryKey(resources, userId),
    reissueRecoveryKey: async (userId) => {
      await reissueRecoveryKey(resources, userId);
      return revealRecoveryKey(resources, userId);
    },
  };
}

function cookiesOf({ keyring }: Resources): Pick<House, 'sealCookie' | 'openCookie'> {
  return {
    sealCookie: (kind, text) => Buffer.from(seal(keyring, purposes.cookie(kind), text).sealed).toString('base64url'),
    openCookie: (kind, sealed) => {
      try {
        return Buffer.from(unseal(keyring, purposes.cookie(kind), Buffer.from(sealed, 'base64url'))).toString();
      } catch (error) {
        if (error instanceof AppError) return undefined;
        throw error;
      }
    },
  };
}

type Consenting = Pick<
  House,
  | 'beginSignIn'
  | 'finishSignIn'
  | 'termsFor'
  | 'beginConsent'
  | 'finishConsent'
  | 'withdrawConsent'
  | 'askAgain'
  | 'chooseErasure'
>;

function consentOf(resources: Resources): Consenting {
  const { config, database } = resources;
  return {
    termsFor: async (userId) => termsOf(config, await getPerson(database, { userId })),
    beginSignIn: (returnTo) => beginSignIn(resources, { returnTo }),
    finishSignIn: async (callback, transaction) => {
      const { user, roles, sid } = await finishSignIn(resources, { callback, transaction });
      const { id: userId, issuer, subject } = user;
      return { userId, name: user.name ?? user.username ?? subject, roles, provider: { issuer, subject, sid } };
    },
    beginConsent: async (userId, returnTo) => {
      const person = await getPerson(database, { userId });
      const { username } = person;
      const terms = { ...termsOf(config, person) };
      return beginConsent(resources, { returnTo, terms, ...(username && { loginHint: username }) });
    },
    finishConsent: async (userId, callback, transaction) => {
      const { subject } = await getPerson(database, { userId });
      const { plan } = await finishConsent(resources, {
        callback,
        transaction,
        subject,
        firstNight: ({ planId, ...hours }) => nextNight({ id: planId, ...hours }, resources.clock.now()),
      });
      await requestRun(resources, { planId: plan.id, trigger: 'consent' });
    },
    withdrawConsent: async (userId, snapshots) => {
      const grant = await findGrantOfPerson(database, { userId });
      const eraseAt = eraseAtOf(snapshots, resources.clock.now());
      if (grant) await withdrawConsent(resources, { grantId: grant.id, by: `user:${userId}`, eraseAt });
    },
    askAgain: (userId) => askAgainForPerson(resources, { userId }),
    chooseErasure: (userId, choice) => chooseErasure(resources, { userId, choice }),
  };
}

function termsOf({ filesUrl, window, retention }: Resources['config'], { subject, username }: Person): Terms {
  return { files: previewUrl(filesUrl, { sub: subject, preferred_username: username }), window, retention };
}

async function openShelf(resources: Resources, userId: string): Promise<Shelf> {
  const { repository } = await openPersonRepository(resources, userId);
  const snapshotOf = async (id: string) => (await repository.findSnapshot(id)).snapshot;
  const reading = async (id: string) => {
    await repository.loadIndex((error) => resources.log.warn('repository.damaged', { userId, error }));
    return snapshotOf(id);
  };
  return {
    list: () =>
      Array.fromAsync(repository.listSnapshots((error) => resources.log.warn('repository.damaged', { userId, error }))),
    browse: async (id, path) => browse(repository, await reading(id), path),
    openFile: async (id, path, range) => openFile(repository, await reading(id), path, range),
    zip: async (id, path, signal) => zipFolder(repository, await reading(id), path, { signal }),
  };
}
