import { findCircuit } from '../../database/circuits.ts';
import { findGrant } from '../../database/grants.ts';
import { claimLease, type Lease } from '../../database/leases.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { type Access, exchangeToken, type Needs } from './exchange-token.ts';
import { circuitOpen, notUsable } from './settle-failure.ts';

export interface AccessRequest {
  grantId: string;
  runId?: string;
  /** run, keep-alive or heal. */
  purpose: string;
  /** The token must live at least so much longer. */
  minimumSeconds: number;
  /** A token that a server refused: never given again. */
  refused?: string | undefined;
  signal?: AbortSignal;
}

const leaseMs = 60_000;
const pauseWhileHeldMs = 500;
const patienceMs = leaseMs + 15_000;

/** Access tokens live in memory only, as long as the issuer they came from is open. */
const drawers = new WeakMap<Resources['issuer'], Drawer>();

interface Drawer {
  known: Map<string, Access>;
  running: Map<string, Promise<Access>>;
}

/**
 * An access token of the grant that lives at least `minimumSeconds` longer. One exchange serves all who wait for it in
 * this process; over processes the lease keeps exchanges apart. Throws `grant/not-usable`, `grant/busy`, or what
 * `exchangeToken` throws; with the signal's reason when it is aborted, while the exchange itself is seen through.
 */
export async function obtainAccess(resources: Needs, request: AccessRequest): Promise<Access> {
  const { grantId, minimumSeconds, refused, signal } = request;
  signal?.throwIfAborted();
  const drawer = drawerOf(resources);
  const known = drawer.known.get(grantId);
  if (known && known.token !== refused && livesFor(known, minimumSeconds, resources)) return known;
  return abandonable(drawer.running.get(grantId) ?? start(resources, drawer, request), signal);
}

/**
 * Exchanges the token even though an access token may be at hand: that is what keeps it alive. Does not wait for
 * another holder of the lease, who keeps it alive as well: `grant/busy`.
 */
export async function exchangeNow(resources: Needs, request: { grantId: string; purpose: string }): Promise<void> {
  const drawer = drawerOf(resources);
  await (drawer.running.get(request.grantId) ?? start(resources, drawer, request, 0));
}

/** Forgets the access token of a grant that ended. */
export function forgetAccess(resources: Pick<Resources, 'issuer'>, grantId: string): void {
  drawers.get(resources.issuer)?.known.delete(grantId);
}

function drawerOf({ issuer }: Pick<Resources, 'issuer'>): Drawer {
  const drawer = drawers.get(issuer) ?? { known: new Map(), running: new Map() };
  drawers.set(issuer, drawer);
  return drawer;
}

type Asked = Pick<AccessRequest, 'grantId' | 'runId' | 'purpose'>;

function start(resources: Needs, drawer: Drawer, asked: Asked, patience = patienceMs): Promise<Access> {
  const { grantId } = asked;
  const running = exchangeUnderLease(resources, asked, patience)
    .then((access) => {
      drawer.known.set(grantId, access);
      return access;
    })
    .finally(() => drawer.running.delete(grantId));
  drawer.running.set(grantId, running);
  return running;
}

async function exchangeUnderLease(resources: Needs, asked: Asked, patience: number): Promise<Access> {
  return exchangeToken(resources, await awaitLease(resources, asked, patience));
}

/** Waits for another holder, as long as a lease can last; never goes on without the lease. */
async function awaitLease({ database, clock, holder }: Needs, asked: Asked, patience: number): Promise<Lease> {
  const begin = clock.now().getTime();
  for (;;) {
    const at = clock.now();
    const lease = await claimLease(database, { ...asked, holder, at, leaseMs });
    if (lease) return lease;
    await refuseUnusable(database, asked.grantId, at);
    if (at.getTime() - begin >= patience) {
      throw new AppError('grant/busy', 'Another worker uses this consent just now. Try again soon.', {
        retry: { afterMs: pauseWhileHeldMs * 10 },
      });
    }
    await clock.sleep(pauseWhileHeldMs);
  }
}

async function refuseUnusable(database: Needs['database'], grantId: string, at: Date): Promise<void> {
  const grant = await findGrant(database, grantId);
  if (grant === null || grant.state === 'withdrawn') throw notUsable('withdrawn');
  const circuit = await findCircuit(database, grant);
  if (circuit?.open && circuit.nextProbeAt > at) throw circuitOpen(at, circuit.nextProbeAt);
  if (grant.state === 'active' && grant.reason === null) return;
  const { state, nextExchangeAt: next } = grant;
  if (next !== null && next <= at) return;
  throw notUsable(state, state === 'needs_consent' || next === null ? undefined : next.getTime() - at.getTime());
}

function livesFor({ endsAt }: Access, seconds: number, { clock }: Needs): boolean {
  return endsAt.getTime() - clock.now().getTime() >= seconds * 1000;
}

/** Who is told to stop stops waiting; the exchange goes on, since its answer must be saved. */
async function abandonable(work: Promise<Access>, signal: AbortSignal | undefined): Promise<Access> {
  if (signal === undefined) return work;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
