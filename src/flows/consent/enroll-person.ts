import type { ConsentRows } from '../../database/consent/consents.ts';
import type { Authorized } from '../../oidc/authorization.ts';
import type { DeviceLogin } from '../../oidc/enroll.ts';
import type { Resources } from '../../resources.ts';
import { requestRun } from '../nights/request-run.ts';
import { scopesOf } from './give-consent.ts';
import { type KeepNeeds, keepConsent } from './keep-consent.ts';

/** How somebody consents without a page of Nightkeep. */
export type EnrollWay =
  | { method: 'device'; show: (login: DeviceLogin) => void; signal?: AbortSignal }
  | { method: 'password'; username: string; password: string }
  | { method: 'service' };

export interface Enrolled extends ConsentRows {
  /** The first run, or the one under way. */
  runId: string;
}

/**
 * Takes a consent in one of the ways that need no page of Nightkeep, with the same custody, and requests the first run. Throws `enroll/refused`,
 * `enroll/expired`, `consent/denied`, `consent/not-offline`, each with who can fix it.
 */
export async function enrollPerson(
  resources: KeepNeeds & Pick<Resources, 'queues'>,
  way: EnrollWay,
  terms: Record<string, unknown>,
): Promise<Enrolled> {
  const { clock } = resources;
  const agreedAt = clock.now();
  const authorized = await authorize(resources, way);
  const rows = await keepConsent(resources, { authorized, method: way.method, terms, agreedAt });
  return { ...rows, runId: await requestRun(resources, { planId: rows.plan.id, trigger: 'consent' }) };
}

async function authorize({ issuer, config }: KeepNeeds, way: EnrollWay): Promise<Authorized> {
  const scope = scopesOf(config.provider, await issuer.profile()).consent;
  if (way.method === 'service') return issuer.enroll.service(scope);
  if (way.method === 'password') {
    const { username, password } = way;
    return issuer.enroll.password({ username, password }, scope);
  }
  const login = await issuer.enroll.device(scope);
  way.show(login);
  return login.finish(way.signal);
}
