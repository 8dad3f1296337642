import { createHash } from 'node:crypto';

/** How soon a page asks again whose events are refused: once whatever its reader did before, such as coming back to it, counts as done by them no more. */
const refusedMs = 10_000;

/**
 * Replaces parts of a page by what the server sends, each once the keyboard is not in it, and reloads the page when that has ended; not while its
 * reader is leaving for another page, which a reload would cancel. Where events are refused the page is loaded again, unless the server is in
 * trouble: a session that is over shows nothing any more. Not by a reload, which browsers ask for as the page was first: as of somebody who wants in.
 */
export const liveScript = `'use strict';
const live = document.querySelector('[data-live]');
if (live) {
  const shown = {};
  const sent = {};
  let source;
  let over = false;
  let leaving = 0;
  addEventListener('beforeunload', () => {
    leaving = Date.now();
  });
  const unlessLeaving = (load) => {
    if (Date.now() - leaving < 3000) setTimeout(unlessLeaving, 3000, load);
    else load();
  };
  const show = () => {
    for (const [name, html] of Object.entries(sent)) {
      const part = live.querySelector('[data-part="' + name + '"]');
      if (part && shown[name] !== html && !part.contains(document.activeElement)) part.innerHTML = shown[name] = html;
    }
  };
  const again = async () => {
    const { status } = await fetch(location.href, { method: 'HEAD' }).catch(() => ({ status: 503 }));
    if (status < 500) unlessLeaving(() => location.replace(location.pathname + location.search));
    else if (!document.hidden) open();
  };
  const open = () => {
    source = new EventSource(live.dataset.live);
    source.addEventListener('parts', ({ data }) => {
      Object.assign(sent, JSON.parse(data));
      show();
    });
    source.addEventListener('done', () => {
      source.close();
      over = true;
    });
    source.addEventListener('ended', () => {
      source.close();
      unlessLeaving(() => location.reload());
    });
    source.addEventListener('error', ({ target }) => {
      if (target === source && source.readyState === EventSource.CLOSED) setTimeout(again, ${refusedMs});
    });
  };
  live.addEventListener('focusout', () => setTimeout(show));
  document.addEventListener('visibilitychange', () => {
    source.close();
    if (!document.hidden && !over) open();
  });
  open();
}
`;

/** The address under which browsers may keep it for ever. */
export const liveScriptPath = `/live-${createHash('sha256').update(liveScript).digest('hex').slice(0, 12)}.js`;
