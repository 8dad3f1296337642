import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { saveRunProgress } from '../../../src/database/nights/run-progress.ts';
import type { RunProgress } from '../../../src/domain/run-progress.ts';
import { revokeWithdrawn } from '../../../src/flows/consent/revoke-tokens.ts';
import { finishErasedPeople } from '../../../src/flows/erasure/erase-person.ts';
import { eraseRepositories } from '../../../src/flows/erasure/erase-repositories.ts';
import { liveScriptPath } from '../../../src/web/live-script.ts';
import { texts as en } from '../../../src/web/texts/en.ts';
import { writeSnapshot } from '../../support/fixtures/repository.ts';
import { addRepository, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';
import { openVisitor, type Visitor } from '../../support/harness/visitor.ts';

let pages: Pages;
beforeAll(async () => {
  pages = await openPages();
});
afterAll(() => pages[Symbol.asyncDispose]());

const progress: RunProgress = {
  step: 'reading',
  entries: 250,
  expected: 1_000,
  problems: 2,
  bytesRead: 4_000_000,
  requests: 300,
  ms: 20_000,
  folder: 'files/<b>Letters',
};

/** Somebody whose first run is being worked on. */
async function withRun(): Promise<{
  guest: SignedIn;
  runId: string;
  tell: (over: Partial<RunProgress>) => Promise<void>;
}> {
  const { database } = pages.resources;
  const guest = await pages.consented();
  const { id: runId } = await database.run.findFirstOrThrow({ where: { plan: { userId: await guest.userId() } } });
  await database.run.update({
    where: { id: runId },
    data: { state: 'running', fence: 1, startedAt: pages.clock.now() },
  });
  const tell = (over: Partial<RunProgress>) =>
    saveRunProgress(database, [{ id: runId, fence: 1, progress: { ...progress, ...over } }], pages.clock.now());
  return { guest, runId, tell };
}

/** The events of a stream, one after the other; each is asked for a second after the one before, or as long as is said. */
async function eventsOf(guest: Visitor, page: string, everyMs = 1_000) {
  const answer = await guest.send(`${page}/events`);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () => {
    const read = reader?.read();
    await pages.clock.advance(everyMs);
    return (await read)?.value;
  };
  const parts = async () => {
    const [, data = '{}'] = /^event: parts\ndata: (.*)\n\n$/s.exec((await next()) ?? '') ?? [];
    return JSON.parse(data);
  };
  return { answer, next, parts };
}

describe('a run that waits', () => {
  it('says why and until when: for its moment, a worker, everybody’s night, or those who had less', async () => {
    const { guest, runId } = await withRun();
    const { database } = pages.resources;
    const soon = new Date(pages.clock.now().getTime() + 600_000);
    const time = (at: Date) => en.formats.time(at, 'UTC');
    const shown = async (data: { dueAt?: Date; turnAt?: Date; workedMs?: number }) => {
      const now = pages.clock.now();
      await database.run.update({
        where: { id: runId },
        data: { state: 'queued', dueAt: now, turnAt: now, workedMs: 0, ...data },
      });
      return guest.text(`/runs/${runId}`);
    };
    expect(await shown({ dueAt: soon, turnAt: soon })).toContain(en.live.waits(time(soon)));
    expect(await shown({})).toContain(en.live.soon);
    expect(await shown({ turnAt: soon })).toContain(en.live.afterNights(time(soon)));
    expect(await shown({ turnAt: soon, workedMs: 60_000 })).toContain(en.live.goesOn(time(soon)));
    expect(await guest.text('/')).toContain(time(soon));
  });

  it('is told to begin by and by only while workers take runs: not where the night is paused', async () => {
    const { guest, runId } = await withRun();
    const { database, queues } = pages.resources;
    const now = pages.clock.now();
    await database.run.update({ where: { id: runId }, data: { state: 'queued', dueAt: now, turnAt: now } });
    await queues.backUps.pause();
    for (const path of ['/', `/runs/${runId}`]) {
      const page = await guest.text(path);
      expect(page).toContain(en.live.halted);
      expect(page).not.toContain(en.live.soon);
      expect(page).not.toMatch(/begins soon/);
    }
    expect(await guest.text('/')).toContain(en.home.pausedForAll);
    await queues.backUps.resume();
    const home = await guest.text('/');
    expect(home).toContain(en.live.soon);
    expect(home).not.toContain(en.home.pausedForAll);
  });

  it('does not keep a page waiting for a queue that does not answer', async () => {
    const { guest } = await withRun();
    const silent = vi.spyOn(pages.resources.queues.backUps, 'isPaused').mockImplementation(() => {
      setImmediate(() => void pages.clock.advance(2_000));
      return new Promise(() => {});
    });
    expect(await guest.text('/')).not.toContain(en.home.pausedForAll);
    expect(silent).toHaveBeenCalled();
    silent.mockRestore();
  });
});

describe('a run that goes on', () => {
  it('shows how far it is, with the folder, and follows by a script of our own or loads itself again without', async () => {
    const { guest, runId, tell } = await withRun();
    await tell({});
    for (const path of [`/runs/${runId}`, '/']) {
      const text = await guest.text(path);
      expect(text).toContain(`<script src="${liveScriptPath}" defer></script><noscript><meta http-equiv="refresh"`);
      expect(text).toContain(`data-live="/runs/${runId}/events"`);
      expect(text).toMatch(/aria-current="step".*Read your data/);
      expect(text).toContain('250 of about 1,000');
      expect(text).toContain('<bdi>&lt;b&gt;Letters</bdi>');
      expect(text).toContain('<dd class="number">about 1 min</dd>');
      expect(text).toContain('200 KB a second');
    }
  });

  it('sends what changes as events until it ends', async () => {
    const { guest, runId, tell } = await withRun();
    const { answer, next, parts } = await eventsOf(guest, `/runs/${runId}`);
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(answer.headers.get('content-encoding')).toBeNull();
    expect(await next()).toBe('retry: 1000\n\n');
    expect((await parts()).facts).toBe('');
    await tell({ entries: 1 });
    expect((await parts()).facts).toContain('1 of about 1,000');
    expect(await next()).toBe(':\n\n');
    await pages.resources.database.run.update({ where: { id: runId }, data: { state: 'succeeded' } });
    expect(await next()).toBe('event: ended\ndata:\n\n');
    expect(await next()).toBeUndefined();
  });

  it('ends its events after a minute, so that who looks on is asked for a session again', async () => {
    const { guest, runId } = await withRun();
    const { next } = await eventsOf(guest, `/runs/${runId}`);
    let count = 0;
    while ((await next()) !== undefined) count++;
    expect(count).toBeLessThan(65);
  });

  it('names no whole that it is beyond', async () => {
    const { guest, runId, tell } = await withRun();
    await tell({ entries: 1_001 });
    const text = await guest.text(`/runs/${runId}`);
    expect(text).toContain('<dd class="number">1,001</dd>');
    expect(text).not.toContain('of about');
  });

  it('guesses no time at the first backup, and no share of a whole that is not known', async () => {
    const { guest, runId, tell } = await withRun();
    await tell({ expected: null });
    const text = await guest.text(`/runs/${runId}`);
    expect(text).not.toContain('Time left');
    expect(text).toMatch(/<progress aria-label="[^"]+" ><\/progress>/);
  });

  it('tells nobody else how far it is', async () => {
    const { runId, tell } = await withRun();
    await tell({});
    for (const other of [await pages.newPerson(), await pages.newPerson({ roles: ['operator'] })])
      for (const path of [`/runs/${runId}`, `/runs/${runId}/events`, `/runs/${runId}/cancel`])
        expect((await other.send(path)).status).toBe(404);
  });
});

describe('a restore that goes on', () => {
  /** Somebody whose restore is being written; `page` is the address. */
  async function withRestore() {
    const { restore } = pages.resources.database;
    const guest = await pages.consented();
    const [id, at] = [randomUUID(), pages.clock.now()];
    const begun = { state: 'running', askedAt: at, startedAt: at, toldAt: at, expectedFiles: 40 } as const;
    const asked = { userId: await guest.userId(), snapshotId: 'ab'.repeat(32), path: 'files/<b>Letters' };
    await restore.create({ data: { id, ...asked, ...begun, bytes: 5, expectedBytes: 20 } });
    const tell = (data: Parameters<typeof restore.update>[0]['data']) =>
      restore.update({ where: { id }, data: { toldAt: pages.clock.now(), ...data } });
    return { guest, page: `/restores/${id}`, tell };
  }

  it('follows by the same script as a run, or loads itself again without, until it ends', async () => {
    const { guest, page, tell } = await withRestore();
    const answer = await guest.send(page);
    expect(answer.headers.get('refresh')).toBeNull();
    const text = await answer.text();
    expect(text).toContain(`<script src="${liveScriptPath}" defer></script><noscript><meta http-equiv="refresh"`);
    expect(text).toContain(`data-live="${page}/events"`);
    expect(text).toContain(
      `<div data-part="status" role="status"><p class="lead">${en.restores.states.files.running}</p></div>`,
    );
    expect(text.match(/role="status"/g)).toHaveLength(1);
    expect(text).toContain('max="20" value="5"');
    expect(text).toContain('<bdi>&lt;b&gt;Letters</bdi>');
    await tell({ state: 'succeeded' });
    expect(await guest.text(page)).not.toMatch(/<script|http-equiv="refresh"|data-live|<progress/);
  });

  it('sends what changes as events until it ends, with that it is being cancelled', async () => {
    const { guest, page, tell } = await withRestore();
    const { answer, next, parts } = await eventsOf(guest, page);
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(answer.headers.get('content-encoding')).toBeNull();
    expect(await next()).toBe('retry: 1000\n\n');
    const first = await parts();
    for (const [name, part] of Object.entries(first))
      expect(await guest.text(page)).toContain(
        `<div data-part="${name}"${name === 'status' ? ' role="status"' : ''}>${part}</div>`,
      );
    await tell({ files: 12, bytes: 15 });
    const second = await parts();
    expect(second.status).toBe(first.status);
    expect(second.facts).toContain(`<dd>12${en.restores.of('40')}</dd>`);
    expect(second.facts).toContain('max="20" value="15"');
    expect(await next()).toBe(':\n\n');
    await tell({ cancelledAt: pages.clock.now() });
    expect((await parts()).status).toContain(en.restores.cancelling);
    await tell({ state: 'cancelled' });
    expect(await next()).toBe('event: ended\ndata:\n\n');
    expect(await next()).toBeUndefined();
  });

  it('ends its events once whoever writes it is gone, or it was over before', async () => {
    const { guest, page, tell } = await withRestore();
    const over = () => guest.text(`${page}/events`);
    await tell({ toldAt: new Date(pages.clock.now().getTime() - 61_000) });
    expect(await over()).toBe('retry: 1000\n\nevent: ended\ndata:\n\n');
    await tell({ state: 'failed' });
    expect(await over()).toBe('retry: 1000\n\nevent: ended\ndata:\n\n');
  });

  it('tells nobody else how far it is', async () => {
    const { page } = await withRestore();
    for (const other of [await pages.newPerson(), await pages.newPerson({ roles: ['operator'] })])
      for (const path of [page, `${page}/events`]) expect((await other.send(path)).status).toBe(404);
  });
});

describe('snapshots that are being erased', () => {
  const t = en.withdraw;

  it('follow by the same script, which puts the receipt in their place in the end, and leaves the page as it is', async () => {
    const guest = await pages.consented();
    const { id } = await writeSnapshot(await addRepository(pages, guest), { 'a.txt': Buffer.from('hers') });
    await guest.post('/grant/withdraw', { snapshots: 'now', sure: 'yes' });
    for (const path of ['', '/nights', `/${id}/browse/`, `/${id}/view/a.txt`]) {
      const page = await guest.text(`/snapshots${path}`);
      expect(page).toContain(en.retention.erasing);
      expect(page).not.toContain('/restore/');
    }
    const restore = `/snapshots/${id}/restore/a.txt`;
    for (const answer of [await guest.send(restore), await guest.post(restore)])
      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/grant']);
    const before = await guest.text('/grant');
    expect(before).toContain(`<script src="${liveScriptPath}" defer></script><noscript><meta http-equiv="refresh"`);
    expect(before).toContain('data-live="/grant/events"');
    const { next, parts } = await eventsOf(guest, '/grant');
    expect(await next()).toBe('retry: 1000\n\n');
    const first = await parts();
    expect(first.status).toContain(t.erasing);
    expect(before).toContain(`<div data-part="status" role="status">${first.status}</div>`);
    expect(await next()).toBe(':\n\n');
    await eraseRepositories(pages.resources);
    const { status } = await parts();
    expect(status).toMatch(/1 snapshot in \d+ files/);
    expect(await next()).toBe('event: done\ndata:\n\n');
    expect(await next()).toBeUndefined();
    const after = await guest.text('/grant');
    expect(after).toContain(`<h2>${t.snapshots}</h2>${status}`);
    expect(after).not.toMatch(/<script|http-equiv="refresh"|data-live/);
  });

  it('have no events where nobody withdrew, which load the page again', async () => {
    const ended = 'retry: 1000\n\nevent: ended\ndata:\n\n';
    for (const guest of [await pages.newPerson(), await pages.consented()])
      expect(await guest.text('/grant/events')).toBe(ended);
    const guest = await pages.consented();
    await writeSnapshot(await addRepository(pages, guest), { 'a.txt': Buffer.from('hers') });
    await guest.post('/grant/withdraw', { snapshots: '30', sure: 'yes' });
    expect(await guest.text('/grant')).not.toMatch(/<script|http-equiv="refresh"|data-live/);
  });
});

describe('a receipt of somebody who is being erased', () => {
  const t = en.settings.receipt;

  it('follows for whoever has its address, until nothing waits any more', async () => {
    const guest = await pages.consented();
    await writeSnapshot(await addRepository(pages, guest), { 'a.txt': Buffer.from('hers') });
    const { issuer } = pages.resources;
    const { revoke } = issuer;
    Object.assign(issuer, { revoke: () => Promise.reject(new Error('away')) });
    const page = (await guest.post('/settings/erase', { word: en.settings.erase.word })).headers.get('location') ?? '';
    const stranger = openVisitor(pages.resources);
    const before = await stranger.send(page);
    expect(before.headers.get('refresh')).toBeNull();
    const text = await before.text();
    expect(text).toContain(`<script src="${liveScriptPath}" defer></script><noscript><meta http-equiv="refresh"`);
    expect(text).toContain(`data-live="${page}/events"`);
    const { next, parts } = await eventsOf(stranger, page, 5_000);
    expect(await next()).toBe('retry: 1000\n\n');
    const first = await parts();
    expect(first.status).toContain(t.snapshots.kept);
    expect(first.tokens).toContain(t.tokens.outstanding);
    for (const part of Object.values(first)) expect(text).toContain(part);
    await eraseRepositories(pages.resources);
    const second = await parts();
    expect(second.status).toContain('1 snapshot');
    expect(second.tokens).toBe(first.tokens);
    Object.assign(issuer, { revoke });
    await revokeWithdrawn(pages.resources);
    await finishErasedPeople(pages.resources);
    await pages.clock.advance(25_000);
    expect(await next()).toBe('event: ended\ndata:\n\n');
    expect(await next()).toBeUndefined();
    expect(await stranger.text(page)).not.toMatch(/<script|http-equiv="refresh"|data-live/);
    expect((await stranger.send(`/erased/${randomUUID()}/events`)).status).toBe(404);
  });
});

describe('the night that an operator looks at', () => {
  it('is sent in parts, without what is pressed or opened there', async () => {
    const { database } = pages.resources;
    const operator = await pages.newPerson({ roles: ['operator'] });
    const answer = await operator.send('/operator');
    expect(answer.headers.get('refresh')).toBeNull();
    const text = await answer.text();
    expect(text).toContain('data-live="/operator/events"');
    const { runId } = await withRun();
    const parts = async () => {
      const events = await eventsOf(operator, '/operator');
      expect(await events.next()).toBe('retry: 1000\n\n');
      return events.parts();
    };
    const first = await parts();
    for (const name of Object.keys(first).filter((one) => one !== 'numbers'))
      expect(text).toContain(`data-part="${name}"`);
    expect(JSON.stringify(first)).not.toMatch(/csrf|<details|<form/);
    const failed = { state: 'failed', errorCode: 'source/unavailable', finishedAt: pages.clock.now() } as const;
    await database.run.update({ where: { id: runId }, data: failed });
    await database.keptFigure.deleteMany();
    const { trouble } = await parts();
    expect(trouble).toContain(en.operator.causes.server_away);
    expect(trouble).toContain('name="group" value="failed source/unavailable"');
  });
});

describe('cancelling', () => {
  it('has a step of its own, ends the run, and leaves the consent and the next night', async () => {
    const { guest, runId } = await withRun();
    const { database } = pages.resources;
    const where = { userId: await guest.userId() };
    const before = await database.plan.findFirstOrThrow({ where, include: { grant: true } });
    expect(await guest.text(`/runs/${runId}`)).toContain(`href="/runs/${runId}/cancel"`);
    expect(await guest.text(`/runs/${runId}/cancel`)).toContain('the next night begins as planned');
    expect((await guest.post(`/runs/${runId}/cancel`)).headers.get('location')).toBe(`/runs/${runId}`);
    expect(await database.run.findUnique({ where: { id: runId } })).toMatchObject({
      state: 'cancelled',
      snapshotId: null,
    });
    expect(await database.plan.findFirstOrThrow({ where, include: { grant: true } })).toEqual(before);
    const text = await guest.text(`/runs/${runId}`);
    expect(text).toContain('cancelled');
    expect(text).not.toContain('<script');
    expect(text).not.toContain('http-equiv="refresh"');
    expect(await guest.text(`/runs/${runId}/cancel`)).toContain('nothing to cancel');
  });

  it('changes nothing of a run that has ended', async () => {
    const { guest, runId } = await withRun();
    const { database } = pages.resources;
    await database.run.update({ where: { id: runId }, data: { state: 'succeeded' } });
    await guest.post(`/runs/${runId}/cancel`);
    expect((await database.run.findUniqueOrThrow({ where: { id: runId } })).state).toBe('succeeded');
  });
});

describe('what could not be read', () => {
  it('is listed a page at a time, however much there is', async () => {
    const { guest, runId } = await withRun();
    const problems = Array.from({ length: 1_000 }, (_, index) => ({
      path: `files/${'long name '.repeat(20)}${index}.pdf`,
      code: 'source/forbidden',
      message: 'Not allowed.',
      kept: false,
    }));
    await pages.resources.database.run.update({
      where: { id: runId },
      data: {
        state: 'partial',
        problems,
        problemCount: 4_321,
        counts: { entries: 7, filesNew: 2, filesChanged: 1, entriesGone: 3, entriesKept: 0 },
      },
    });
    const text = await guest.text(`/runs/${runId}`);
    expect(text.length).toBeLessThan(100_000);
    expect(text).toContain('These are the first 1,000 of 4,321.');
    expect(text).toContain('1 to 100 of 1,000');
    expect(text).toMatch(/New<\/dt><dd>2.*Changed<\/dt><dd>1.*Gone<\/dt><dd>3/);
    expect(await guest.text(`/runs/${runId}?page=10`)).toContain('999.pdf');
    for (const page of ['0', '11', 'x']) expect((await guest.send(`/runs/${runId}?page=${page}`)).status).toBe(404);
  });
});
