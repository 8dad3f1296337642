import type { Context } from 'hono';
import { viewStatus } from '../flows/nights/view-status.ts';
import type { Resources } from '../resources.ts';
import { forMonitors } from './monitors.ts';

type Needs = Pick<Resources, 'clock' | 'config' | 'database' | 'peopleCount'>;

/**
 * Answers `GET /status.json`: the last complete backup and counts of the whole installation, nothing of one person. Guarded and
 * kept fresh as `/metrics` is.
 */
export function openStatus(resources: Needs): (c: Context) => Promise<Response> {
  const collect = async () => JSON.stringify(await viewStatus(resources));
  return forMonitors(resources, { collect, type: 'application/json' });
}
