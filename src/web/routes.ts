import type { Limit } from './limits.ts';
import { adopt, adoption } from './pages/adopt.ts';
import { backchannelLogout } from './pages/backchannel-logout.ts';
import { callback, postedCallback } from './pages/callback.ts';
import { changes } from './pages/changes.ts';
import { agree, consent } from './pages/consent.ts';
import { file, zip } from './pages/download.ts';
import { eraseMe, erasureStep, receiptOfForm } from './pages/erase.ts';
import { receipt, receiptAsJson, receiptEvents } from './pages/erased.ts';
import { view } from './pages/file.ts';
import { find } from './pages/find.ts';
import { browse } from './pages/folder.ts';
import { askAgain, grant } from './pages/grant.ts';
import { backUpNow, home } from './pages/home.ts';
import { jwks } from './pages/jwks.ts';
import { speak } from './pages/language.ts';
import { night, nights } from './pages/nights.ts';
import { audit, auditAsCsv, auditAsJson } from './pages/operator/audit.ts';
import { grants } from './pages/operator/grants.ts';
import { person } from './pages/operator/person.ts';
import {
  askAgainFor,
  pauseFor,
  resumeFor,
  runFor,
  signOutFor,
  withdrawalFor,
  withdrawFor,
} from './pages/operator/person-acts.ts';
import { queueBoard } from './pages/operator/queue-board.ts';
import { drain, draining, pause, queues, resume } from './pages/operator/queues.ts';
import { retry, tonight, tonightEvents } from './pages/operator/tonight.ts';
import { personData } from './pages/person-data.ts';
import { preview } from './pages/preview.ts';
import { proveKey, recovery, reissueKey, removeKey, revealKey } from './pages/recovery.ts';
import { askRestore, restoring } from './pages/restore.ts';
import { cancelRestoring, restored, restoreEvents } from './pages/restore-state.ts';
import { agreeToRetention, retention } from './pages/retention.ts';
import { confirm, run } from './pages/run.ts';
import { cancel, cancellation } from './pages/run-cancel.ts';
import { runEvents } from './pages/run-live.ts';
import { settings } from './pages/settings.ts';
import {
  changeHours,
  chooseLanguage,
  chooseMails,
  chooseWhat,
  endOtherSessions,
  endOwnSession,
  pauseNights,
  resumeNights,
} from './pages/settings-acts.ts';
import { login, logout } from './pages/sign-in.ts';
import { nightsKept, snapshots } from './pages/snapshots.ts';
import { usesAsCsv, usesAsJson } from './pages/uses.ts';
import { acceptLost, verification } from './pages/verification.ts';
import { changeSnapshots, erasingEvents, withdraw, withdrawal } from './pages/withdraw.ts';
import type { PersonVisit, Visit } from './visit.ts';

/** An address, who may see it, and what limits how often. */
export type Route =
  | { method: 'GET' | 'POST'; path: string; who: 'anyone'; limit?: Limit; answer: (visit: Visit) => Promise<Response> }
  | { method: 'POST'; path: string; who: 'provider'; answer: (visit: Visit) => Promise<Response> }
  | {
      /** `ALL`: whatever is asked with. */
      method: 'GET' | 'POST' | 'ALL';
      path: string;
      who: 'person' | 'operator';
      /** Asks for a fresh sign-in, which leads back to this path. */
      fresh?: string;
      /** Does nothing once the snapshots are to be erased, and leads to this path, which says so. */
      erasing?: string;
      /** Where it leads whoever is not signed in any more, if not to a sign-in. */
      signedOut?: (visit: Visit) => string | Promise<string | undefined>;
      limit?: Limit;
      answer: (visit: PersonVisit) => Promise<Response>;
    };

/**
 * Every address. What a person posts needs a session and the token of its forms; what the provider posts is signed by it, or
 * posted by a browser that it sends back, and then only led on to the same in the address. Anyone may choose a language, on a page of Nightkeep.
 */
export const routes: readonly Route[] = [
  { method: 'GET', path: '/', who: 'anyone', answer: home },
  { method: 'GET', path: '/login', who: 'anyone', limit: 'sign-in', answer: login },
  { method: 'GET', path: '/callback', who: 'anyone', limit: 'answer', answer: callback },
  { method: 'POST', path: '/callback', who: 'provider', answer: postedCallback },
  { method: 'GET', path: '/jwks', who: 'anyone', answer: jwks },
  { method: 'POST', path: '/language', who: 'anyone', answer: speak },
  { method: 'POST', path: '/backchannel-logout', who: 'provider', answer: backchannelLogout },
  { method: 'POST', path: '/logout', who: 'person', signedOut: () => '/', answer: logout },
  { method: 'GET', path: '/consent', who: 'person', limit: 'consent', answer: consent },
  { method: 'POST', path: '/consent', who: 'person', limit: 'consent', answer: agree },
  { method: 'GET', path: '/grant', who: 'person', answer: grant },
  { method: 'GET', path: '/grant/events', who: 'person', answer: erasingEvents },
  { method: 'POST', path: '/grant/ask-again', who: 'person', answer: askAgain },
  { method: 'GET', path: '/grant/withdraw', who: 'person', answer: withdrawal },
  { method: 'POST', path: '/grant/withdraw', who: 'person', answer: withdraw },
  { method: 'POST', path: '/grant/snapshots', who: 'person', answer: changeSnapshots },
  { method: 'GET', path: '/grant/uses.csv', who: 'person', limit: 'download', answer: usesAsCsv },
  { method: 'GET', path: '/grant/uses.json', who: 'person', limit: 'download', answer: usesAsJson },
  { method: 'POST', path: '/backup-now', who: 'person', limit: 'backup', answer: backUpNow },
  { method: 'GET', path: '/nights', who: 'person', answer: nights },
  { method: 'GET', path: '/nights/:night', who: 'person', answer: night },
  { method: 'GET', path: '/runs/:id', who: 'person', answer: run },
  { method: 'GET', path: '/runs/:id/events', who: 'person', answer: runEvents },
  { method: 'GET', path: '/runs/:id/cancel', who: 'person', answer: cancellation },
  { method: 'POST', path: '/runs/:id/cancel', who: 'person', answer: cancel },
  { method: 'POST', path: '/runs/:id/looked', who: 'person', answer: confirm },
  { method: 'GET', path: '/snapshots', who: 'person', answer: snapshots },
  { method: 'GET', path: '/snapshots/nights', who: 'person', answer: nightsKept },
  { method: 'GET', path: '/snapshots/:id/browse/*', who: 'person', answer: browse },
  { method: 'GET', path: '/snapshots/find', who: 'person', answer: find },
  { method: 'GET', path: '/snapshots/:id/changes/*', who: 'person', answer: changes },
  { method: 'GET', path: '/snapshots/:id/view/*', who: 'person', answer: view },
  { method: 'GET', path: '/snapshots/:id/preview/*', who: 'person', limit: 'download', answer: preview },
  { method: 'GET', path: '/snapshots/:id/file/*', who: 'person', limit: 'download', answer: file },
  { method: 'GET', path: '/snapshots/:id/zip/*', who: 'person', limit: 'download', answer: zip },
  { method: 'GET', path: '/snapshots/:id/restore/*', who: 'person', erasing: '/grant', answer: restoring },
  {
    method: 'POST',
    path: '/snapshots/:id/restore/*',
    who: 'person',
    erasing: '/grant',
    limit: 'restore',
    answer: askRestore,
  },
  { method: 'GET', path: '/restores/:id', who: 'person', answer: restored },
  { method: 'GET', path: '/restores/:id/events', who: 'person', answer: restoreEvents },
  { method: 'POST', path: '/restores/:id/cancel', who: 'person', answer: cancelRestoring },
  { method: 'GET', path: '/retention', who: 'person', answer: retention },
  { method: 'POST', path: '/retention', who: 'person', answer: agreeToRetention },
  { method: 'GET', path: '/verification', who: 'person', answer: verification },
  { method: 'POST', path: '/verification/looked', who: 'person', erasing: '/verification', answer: acceptLost },
  { method: 'GET', path: '/recovery', who: 'person', answer: recovery },
  { method: 'GET', path: '/recovery/adopt', who: 'person', answer: adoption },
  {
    method: 'POST',
    path: '/recovery/adopt',
    who: 'person',
    erasing: '/recovery/adopt',
    fresh: '/recovery/adopt',
    limit: 'adoption',
    answer: adopt,
  },
  {
    method: 'POST',
    path: '/recovery',
    who: 'person',
    erasing: '/recovery',
    fresh: '/recovery',
    limit: 'recovery',
    answer: revealKey,
  },
  { method: 'POST', path: '/recovery/kept', who: 'person', erasing: '/recovery', limit: 'recovery', answer: proveKey },
  {
    method: 'POST',
    path: '/recovery/remove',
    who: 'person',
    erasing: '/recovery',
    fresh: '/recovery',
    limit: 'recovery',
    answer: removeKey,
  },
  {
    method: 'POST',
    path: '/recovery/reissue',
    who: 'person',
    erasing: '/recovery',
    fresh: '/recovery',
    limit: 'recovery',
    answer: reissueKey,
  },
  { method: 'GET', path: '/settings', who: 'person', answer: settings },
  { method: 'POST', path: '/settings/hours', who: 'person', answer: changeHours },
  { method: 'POST', path: '/settings/pause', who: 'person', answer: pauseNights },
  { method: 'POST', path: '/settings/resume', who: 'person', answer: resumeNights },
  { method: 'POST', path: '/settings/sources', who: 'person', answer: chooseWhat },
  { method: 'POST', path: '/settings/language', who: 'person', answer: chooseLanguage },
  { method: 'POST', path: '/settings/mails', who: 'person', answer: chooseMails },
  { method: 'POST', path: '/settings/sessions/end', who: 'person', answer: endOwnSession },
  { method: 'POST', path: '/settings/sessions/end-others', who: 'person', answer: endOtherSessions },
  { method: 'GET', path: '/settings/data.json', who: 'person', limit: 'download', answer: personData },
  { method: 'GET', path: '/settings/erase', who: 'person', answer: erasureStep },
  {
    method: 'POST',
    path: '/settings/erase',
    who: 'person',
    fresh: '/settings/erase',
    signedOut: receiptOfForm,
    answer: eraseMe,
  },
  { method: 'GET', path: '/erased/:id', who: 'anyone', answer: receipt },
  { method: 'GET', path: '/erased/:id/events', who: 'anyone', answer: receiptEvents },
  { method: 'GET', path: '/erased/:id/receipt.json', who: 'anyone', answer: receiptAsJson },
  { method: 'GET', path: '/operator', who: 'operator', answer: tonight },
  { method: 'GET', path: '/operator/events', who: 'operator', answer: tonightEvents },
  { method: 'POST', path: '/operator/retry', who: 'operator', answer: retry },
  { method: 'GET', path: '/operator/grants', who: 'operator', answer: grants },
  { method: 'GET', path: '/operator/people/:person', who: 'operator', answer: person },
  { method: 'POST', path: '/operator/people/:person/ask-again', who: 'operator', answer: askAgainFor },
  { method: 'POST', path: '/operator/people/:person/run', who: 'operator', answer: runFor },
  { method: 'POST', path: '/operator/people/:person/pause', who: 'operator', answer: pauseFor },
  { method: 'POST', path: '/operator/people/:person/resume', who: 'operator', answer: resumeFor },
  { method: 'POST', path: '/operator/people/:person/sign-out', who: 'operator', answer: signOutFor },
  { method: 'GET', path: '/operator/people/:person/withdraw', who: 'operator', answer: withdrawalFor },
  { method: 'POST', path: '/operator/people/:person/withdraw', who: 'operator', answer: withdrawFor },
  { method: 'GET', path: '/operator/queues', who: 'operator', answer: queues },
  { method: 'POST', path: '/operator/queues/pause', who: 'operator', answer: pause },
  { method: 'POST', path: '/operator/queues/resume', who: 'operator', answer: resume },
  { method: 'GET', path: '/operator/queues/drain', who: 'operator', answer: draining },
  { method: 'POST', path: '/operator/queues/drain', who: 'operator', answer: drain },
  { method: 'ALL', path: '/operator/queues/board/*', who: 'operator', answer: queueBoard },
  { method: 'GET', path: '/operator/audit', who: 'operator', answer: audit },
  { method: 'GET', path: '/operator/audit.csv', who: 'operator', answer: auditAsCsv },
  { method: 'GET', path: '/operator/audit.json', who: 'operator', answer: auditAsJson },
];
