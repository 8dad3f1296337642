import { createHash } from 'node:crypto';

/**
 * Replaces parts of a page by what the server sends, and reloads the page once that has ended; not while its reader is leaving for another
 * page, which a reload would cancel.
 */
export const liveScript = `'use strict';
const live = document.querySelector('[data-live]');
if (live) {
  const shown = {};
  let source;
  let leaving = 0;
  addEventListener('beforeunload', () => {
    leaving = Date.now();
  });
  const loadAgain = () => {
    if (Date.now() - leaving < 3000) setTimeout(loadAgain, 3000);
    else location.reload();
  };
  const open = () => {
    source = new EventSource(live.dataset.live);
    source.addEventListener('parts', ({ data }) => {
      for (const [name, html] of Object.entries(JSON.parse(data))) {
        const part = live.querySelector('[data-part="' + name + '"]');
        if (part && shown[name] !== html) part.innerHTML = shown[name] = html;
      }
    });
    source.addEventListener('ended', () => {
      source.close();
      loadAgain();
    });
  };
  document.addEventListener('visibilitychange', () => {
    source.close();
    if (!document.hidden) open();
  });
  open();
}
`;

/** The address under which browsers may keep it for ever. */
export const liveScriptPath = `/live-${createHash('sha256').update(liveScript).digest('hex').slice(0, 12)}.js`;
