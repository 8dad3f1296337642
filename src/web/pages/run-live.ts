import { html } from 'hono/html';
import { within } from '../../clock.ts';
import { findLiveRun, type LiveRun } from '../../database/nights/run-progress.ts';
import { type RunProgress, type RunStep, runSteps, speedOf, timeLeft } from '../../domain/run-progress.ts';
import { minuteMs } from '../../durations.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { isUuid } from '../../uuid.ts';
import { icon } from '../icons.ts';
import type { Html } from '../layout.ts';
import { type LiveParts, liveBody, liveEvents, liveHead, lookEveryMs } from '../live.ts';
import { pathName } from '../names.ts';
import type { Texts } from '../texts/en.ts';
import { notFound, type PersonVisit } from '../visit.ts';

/** Whether a run is under way, so that its page has something to follow. */
export function isLive({ state }: { readonly state: string }): boolean {
  return state === 'running' || state === 'queued';
}

/** The run that the address names. Throws `request/not-found` where it is none of the person's. */
export async function getLiveRun({ c, resources, session: { userId } }: PersonVisit): Promise<LiveRun> {
  const runId = c.req.param('id') ?? '';
  const run = isUuid(runId) ? await findLiveRun(resources.database, { userId, runId }) : null;
  if (run === null) throw notFound();
  return run;
}

/** For the head of a page with a live card. */
export function runHead(run: LiveRun | null): Html | '' {
  return run === null || !isLive(run) ? '' : liveHead(run.state === 'running' ? 5 : 15);
}

/** What a run is doing, kept up to date while it is under way; `ways` are the buttons below. */
export async function liveCard(
  { resources, texts }: Pick<PersonVisit, 'resources' | 'texts'>,
  run: LiveRun,
  ways: Html | '',
): Promise<Html> {
  const parts = await partsOf(resources, texts, run);
  return html`<section class="card" data-live="/runs/${run.id}/events">${liveBody(parts)}<div class="ways">${ways}</div></section>`;
}

/** What changes on the page of a run, as server-sent events, until the run ends. */
export async function runEvents(visit: PersonVisit): Promise<Response> {
  const { id: runId } = await getLiveRun(visit);
  const { resources, session, texts } = visit;
  return liveEvents(visit, async () => {
    const run = await findLiveRun(resources.database, { userId: session.userId, runId });
    if (run === null || !isLive(run)) return undefined;
    const parts = await partsOf(resources, texts, run);
    return { parts, againMs: run.state === 'running' ? lookEveryMs : 3 * lookEveryMs };
  });
}

async function partsOf(resources: Pick<Resources, 'clock' | 'queues'>, texts: Texts, run: LiveRun): Promise<LiveParts> {
  const t = texts.live;
  const { state, progress } = run;
  if (state !== 'running') {
    const waits = (await isHalted(resources)) ? t.halted : waitWords(texts, run, resources.clock.now());
    return { status: html`<h2>${t.queued}</h2><p>${waits}</p>`, steps: '', facts: '' };
  }
  const step = progress?.step ?? 'access';
  const status = html`<h2><span class="turning">${icon('turning')}</span>${t.running}</h2><p class="unseen">${t.steps[step]}</p>`;
  return { status, steps: stepsPart(texts, step), facts: progress === null ? '' : factsPart(texts, progress) };
}

/** How long a page waits for a queue that does not answer, in milliseconds. */
const queuePatienceMs = 2_000;

/** Whether workers take no run at all, by whomever that was asked for; a queue that does not answer is not known to be paused. */
export async function isHalted({ clock, queues }: Pick<Resources, 'clock' | 'queues'>): Promise<boolean> {
  return within(clock, queuePatienceMs, () => queues.backUps.isPaused()).catch((error: unknown) => {
    if (isAppError(error) || (error instanceof DOMException && error.name === 'TimeoutError')) return false;
    throw error;
  });
}

/** Why it waits, and until when. */
function waitWords({ formats, live: t }: Texts, { dueAt, turnAt, isBegun, zone }: LiveRun, now: Date): string {
  if (dueAt > now) return t.waits(formats.time(dueAt, zone));
  if (turnAt <= now) return t.soon;
  return isBegun ? t.goesOn(formats.time(turnAt, zone)) : t.afterNights(formats.time(turnAt, zone));
}

function stepsPart({ live: t }: Texts, now: RunStep): Html {
  const at = runSteps.indexOf(now);
  const item = (step: RunStep, index: number) => {
    const [kind, shape, said] =
      index < at
        ? (['done', 'check', t.done] as const)
        : index === at
          ? (['now', 'turning', t.now] as const)
          : (['later', 'ring', ''] as const);
    return html`<li class="${kind}" ${kind === 'now' ? html`aria-current="step"` : ''}>${icon(shape)}${t.steps[step]}${said && html` <span class="unseen">(${said})</span>`}</li>`;
  };
  return html`<ol class="steps">${runSteps.map(item)}</ol>`;
}

function factsPart({ formats, holding, live: t }: Texts, progress: RunProgress): Html {
  const { entries, expected, problems, bytesRead, folder } = progress;
  const seen = formats.number(entries);
  const [speed, left] = [speedOf(progress), timeLeft(progress)];
  const fact = (name: string, value: Html | string) =>
    html`<div><dt>${name}</dt><dd class="number">${value}</dd></div>`;
  return html`<progress aria-label="${t.progress}" ${expected === null || progress.step !== 'reading' ? '' : html`max="${expected}" value="${Math.min(entries, expected)}"`}></progress>
<dl class="facts">${fact(t.files, expected === null || entries > expected ? seen : t.filesOf(seen, formats.number(expected)))}
${fact(t.read, formats.bytes(bytesRead))}${speed === undefined ? '' : fact(t.speed, t.speedValue(formats.bytes(speed)))}
${left === undefined ? '' : fact(t.left, t.leftValue(Math.round(left / minuteMs)))}${problems > 0 ? fact(t.unread, formats.number(problems)) : ''}</dl>
${folder === null || progress.step !== 'reading' ? '' : html`<p class="soft">${t.folder}: ${pathName(folder, holding)}</p>`}`;
}
