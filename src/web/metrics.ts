import { createHash, timingSafeEqual } from 'node:crypto';
import { Gauge, Registry } from 'prom-client';
import { type Measurements, measure } from '../database/measure.ts';
import type { Protection } from '../domain/protection.ts';
import { listProtections } from '../flows/nights/find-protection.ts';
import type { Resources } from '../resources.ts';
import { version } from '../version.ts';

type Needs = Pick<Resources, 'clock' | 'config' | 'database'>;

/** Prometheus asks several processes, and often: the database is asked once in this time. */
const freshMs = 15_000;
const dayMs = 86_400_000;

/**
 * Answers `GET /metrics` in the Prometheus text format with figures of the whole installation, none of them of one person.
 * Only for who sends METRICS_TOKEN as a bearer token; 404 where that is not set, 401 where another one comes. What is
 * answered may be 15 seconds old.
 */
export function openMetrics(resources: Needs): (authorization: string | undefined) => Promise<Response> {
  return behindToken(resources, { collect: () => collect(resources), type: Registry.PROMETHEUS_CONTENT_TYPE });
}

/** Answers a text that is collected at most every 15 seconds, only to who sends METRICS_TOKEN: see `openMetrics`. */
export function behindToken(
  { clock, config }: Needs,
  { collect, type }: { collect: () => Promise<string>; type: string },
): (authorization: string | undefined) => Promise<Response> {
  let latest: { at: number; text: Promise<string> } | undefined;
  return async (authorization) => {
    if (config.metricsToken === undefined) return plain('Not found: METRICS_TOKEN is not set.', 404);
    if (!isBearer(authorization, config.metricsToken))
      return plain('Send METRICS_TOKEN as a bearer token.', 401, { 'www-authenticate': 'Bearer' });
    const now = clock.elapsed();
    if (latest === undefined || now - latest.at >= freshMs) latest = { at: now, text: collect() };
    try {
      return plain(await latest.text, 200, { 'content-type': type });
    } catch (error) {
      latest = undefined;
      throw error;
    }
  };
}

async function collect(resources: Needs): Promise<string> {
  const at = resources.clock.now();
  const measured = await measure(resources.database, { at, since: new Date(at.getTime() - dayMs) });
  const protections = (await listProtections(resources)).map(({ protection }) => protection);
  const registry = new Registry();
  for (const { name, help, values } of gauges(measured, protections, at)) {
    // The library would write 0 where there is nothing to tell.
    if (values.length === 0) continue;
    const labelNames = [...new Set(values.flatMap(({ labels }) => Object.keys(labels)))];
    const gauge = new Gauge({ name: `nightkeep_${name}`, help, labelNames, registers: [registry] });
    for (const { labels, value } of values) gauge.set(labels, value);
  }
  return registry.metrics();
}

interface Measured {
  name: string;
  help: string;
  values: { labels: Record<string, string>; value: number }[];
}

const verdicts = { protected: 0, partly: 0, late: 0, not: 0 };
const menders = { person: 0, operator: 0, provider: 0 };

/** Seconds and counts, named as Prometheus asks for: base units, no total on what can fall. */
function gauges(measured: Measurements, protections: readonly Protection[], at: Date): Measured[] {
  const { grants, rotationsLost, idleDeadline, maxDeadline, runs, oldestDueAt, lastSuccessAt } = measured;
  const { queued, running, ...ended } = runs;
  const byVerdict = counted(protections.map(({ verdict }) => verdict));
  const byMender = counted(protections.flatMap(({ by }) => (by === 'nobody' ? [] : [by])));
  const until = (deadline: Date) => (deadline.getTime() - at.getTime()) / 1000;
  return [
    one('build_info', 'The version that runs; the value is always 1', 1, { version }),
    each('people', 'People whose consent was not withdrawn, by the verdict on their data', 'verdict', {
      ...verdicts,
      ...byVerdict,
    }),
    each('people_to_mend', 'People whose data is not well protected, or soon will not be, by who can mend it', 'by', {
      ...menders,
      ...byMender,
    }),
    each('grants', 'Grants by state', 'state', grants),
    one('grants_rotation_lost', 'Grants whose rotated token was lost; must be 0', rotationsLost),
    {
      name: 'grant_deadline_seconds',
      help: 'Seconds until the first living grant ends, unless it is used (idle) or in any case (max)',
      values: Object.entries({ idle: idleDeadline, max: maxDeadline }).flatMap(([kind, deadline]) =>
        deadline === null ? [] : [{ labels: { kind }, value: until(deadline) }],
      ),
    },
    each('runs', 'Runs that wait or are worked on', 'state', { queued, running }),
    each('runs_ended_last_day', 'Runs that ended within the last 24 hours, by outcome', 'state', ended),
    one(
      'queue_oldest_waiting_seconds',
      'How long the run that waits the longest has been due',
      oldestDueAt === null ? 0 : -until(oldestDueAt),
    ),
    {
      name: 'last_success_timestamp_seconds',
      help: 'When the newest complete backup of anybody ended',
      values: lastSuccessAt === null ? [] : [{ labels: {}, value: lastSuccessAt.getTime() / 1000 }],
    },
    each('token_exchanges_last_day', 'Token exchanges begun within the last 24 hours, by verdict', 'verdict', {
      ok: 0,
      ...measured.exchanges,
    }),
    {
      name: 'provider_circuit_open',
      help: 'Whether the circuit of the provider is open (1): but for one probe a minute nothing is sent to it',
      values: measured.circuits.map(({ issuer, open }) => ({ labels: { issuer }, value: open ? 1 : 0 })),
    },
  ];
}

function one(name: string, help: string, value: number, labels: Record<string, string> = {}): Measured {
  return { name, help, values: [{ labels, value }] };
}

function each(name: string, help: string, label: string, counts: Record<string, number>): Measured {
  const values = Object.entries(counts).map(([member, value]) => ({ labels: { [label]: member }, value }));
  return { name, help, values };
}

function counted(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** Compares digests, so that the time it takes tells nothing of the token. RFC 6750, section 2.1. */
function isBearer(authorization: string | undefined, token: string): boolean {
  const [, sent] = /^bearer +([\w.~+/=-]+) *$/i.exec(authorization ?? '') ?? [];
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return sent !== undefined && timingSafeEqual(digest(sent), digest(token));
}

function plain(text: string, status: number, headers: Record<string, string> = {}): Response {
  return new Response(text, { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers } });
}
