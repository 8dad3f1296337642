import { expect, test } from 'vitest';
import { readDashboard } from '../../support/fixtures/dashboard.ts';

const dashboard = await readDashboard();
/** The variable, as Grafana writes it. */
const chosen = ['$', '{datasource}'].join('');
const graphs = dashboard.panels.filter(({ type }) => type !== 'row');

test('the panels of the dashboard have ids and titles of their own', () => {
  for (const key of ['id', 'title'] as const)
    expect(new Set(dashboard.panels.map((panel) => panel[key])).size).toBe(dashboard.panels.length);
});

test('every query goes to the data source that the reader chooses', () => {
  expect(dashboard.templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
  for (const { datasource, targets = [] } of graphs) {
    expect(datasource?.uid).toBe(chosen);
    expect(targets.map((target) => target.datasource.uid)).toEqual(targets.map(() => chosen));
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    expect(targets.length).toBeGreaterThan(0);
  }
});

test('every panel says its unit, and what is in seconds or bytes is shown as that', () => {
  for (const { title, fieldConfig, targets = [] } of graphs) {
    const unit = fieldConfig?.defaults.unit;
    const asked = targets.map(({ expr }) => expr).join(' ');
    const isRate = /rate\(/.test(asked);
    if (asked.includes('_bytes')) expect([title, unit]).toEqual([title, isRate ? 'Bps' : 'bytes']);
    else if (asked.includes('_seconds')) expect([title, unit]).toEqual([title, 's']);
    else expect(unit).toMatch(/^(short|reqps|Bps)$/);
  }
});

test('no panel lies upon another or beyond the edge', () => {
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) => {
    expect(x + w).toBeLessThanOrEqual(24);
    return Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)}/${y + Math.floor(cell / w)}`);
  });
  expect(new Set(cells).size).toBe(cells.length);
});
