import { html } from 'hono/html';
import { within } from '../../clock.ts';
import { findLiveRun, type LiveRun } from '../../database/nights/run-progress.ts';
import { type RunProgress, type RunStep, runSteps, speedOf, timeLeft } from '../../domain/run-progress.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { isUuid } from '../../uuid.ts';
import { icon } from '../icons.ts';
import type { Html } from '../layout.ts';
import { liveScriptPath } from '../live-script.ts';
import { pathName } from '../names.ts';
import type { Texts } from '../texts/en.ts';
import { notFound, type PersonVisit } from '../visit.ts';

const lookEveryMs = 1_000;
/** Whoever looks on longer asks again, with a session that still counts. */
const longestMs = 60_000;

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

/** For the head of a page with a live card: the script that follows, or without scripts a page that loads itself again. */
export function liveHead(run: LiveRun | null): Html | '' {
  if (run === null || !isLive(run)) return '';
  const seconds = run.state === 'running' ? 5 : 15;
  return html`<script src="${liveScriptPath}" defer></script><noscript><meta http-equiv="refresh" content="${seconds}"></noscript>
`;
}

/** What a run is doing, kept up to date while it is under way; `ways` are the buttons below. */
export async function liveCard(
  { resources, texts }: Pick<PersonVisit, 'resources' | 'texts'>,
  run: LiveRun,
  ways: Html | '',
): Promise<Html> {
  const { status, ...parts } = await partsOf(resources, texts, run);
  return html`<section class="card" data-live="/runs/${run.id}/events"><div data-part="status" role="status">${status}</div>
${Object.entries(parts).map(([name, part]) => html`<div data-part="${name}">${part}</div>`)}<div class="ways">${ways}</div></section>`;
}

async function partsOf(
  resources: Pick<Resources, 'clock' | 'queues'>,
  texts: Texts,
  run: LiveRun,
): Promise<Record<'status' | 'steps' | 'facts', Html | ''>> {
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
${left === undefined ? '' : fact(t.left, t.leftValue(Math.round(left / 60_000)))}${problems > 0 ? fact(t.unread, formats.number(problems)) : ''}</dl>
${folder === null || progress.step !== 'reading' ? '' : html`<p class="soft">${t.folder}: ${pathName(folder, holding)}</p>`}`;
}

/** The parts as the script takes them. */
async function rendered(parts: Record<string, Html | ''>): Promise<string> {
  const texts = Object.entries(parts).map(async ([name, part]) => [name, String(await part)] as const);
  return JSON.stringify(Object.fromEntries(await Promise.all(texts)));
}

/** What changes on the page of a run, as server-sent events, until the run ends. */
export async function runEvents(visit: PersonVisit): Promise<Response> {
  const { id } = await getLiveRun(visit);
  return new Response(ReadableStream.from(follow(visit, id)).pipeThrough(new TextEncoderStream()), {
    headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
  });
}

async function* follow({ c, resources, session, texts }: PersonVisit, runId: string): AsyncGenerator<string> {
  const { clock, database } = resources;
  const closing = closingOf(c.env);
  const until = clock.elapsed() + longestMs;
  let told = '';
  yield 'retry: 1000\n\n';
  while (clock.elapsed() < until && !closing?.aborted) {
    const run = await findLiveRun(database, { userId: session.userId, runId });
    if (run === null || !isLive(run)) {
      yield 'event: ended\ndata:\n\n';
      return;
    }
    const parts = await rendered(await partsOf(resources, texts, run));
    yield parts === told ? ':\n\n' : `event: parts\ndata: ${parts}\n\n`;
    told = parts;
    await clock.sleep(run.state === 'running' ? lookEveryMs : 3 * lookEveryMs, closing).catch(() => undefined);
  }
}

/** Aborted when the server closes: see src/web/server.ts. */
function closingOf(env: unknown): AbortSignal | undefined {
  const closing: unknown = typeof env === 'object' && env !== null ? Reflect.get(env, 'closing') : undefined;
  return closing instanceof AbortSignal ? closing : undefined;
}
