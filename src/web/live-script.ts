import { createHash } from 'node:crypto';

/**
 * Keeps the parts of a page up to date that the server sends anew, and loads the page again when what they tell of has ended: not
 * while its reader is on the way to another one, which that would call off.
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
