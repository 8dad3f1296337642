import { html, raw } from 'hono/html';

/** Strokes of one width on a grid of 24 by 24. */
const drawings = {
  home: '<path d="M4 11l8-7 8 7v8a1 1 0 0 1-1 1h-4v-6h-6v6H5a1 1 0 0 1-1-1z"/>',
  snapshots: '<path d="M4 12a8 8 0 1 0 2.6-5.9L4 8.5M4 4v4.5h4.5M12 8v4.5l3 1.8"/>',
  consent:
    '<path d="M6 3h9l4 4v13a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1z"/><path d="M9 14l2.2 2.2L15.5 11.5"/>',
  key: '<circle cx="8" cy="15" r="4"/><path d="M11 12l8.5-8.5M16 6.5l3 3M14 8.5l1.5 1.5"/>',
  person: '<circle cx="12" cy="8" r="4"/><path d="M4 21c0-4 3.5-6.5 8-6.5s8 2.5 8 6.5"/>',
  people:
    '<circle cx="9" cy="8.5" r="3.5"/><path d="M2.5 20c0-3.5 3-5.5 6.5-5.5s6.5 2 6.5 5.5M16 5.2a3.5 3.5 0 0 1 0 6.6M18 15c2.2.6 3.5 2.3 3.5 5"/>',
  settings: '<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>',
  moon: '<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z"/>',
  queue: '<path d="M4 6h16M4 12h16M4 18h10"/>',
  bell: '<path d="M6 17V11a6 6 0 0 1 12 0v6l1.5 2h-15zM10 21.5h4"/>',
  search: '<circle cx="10.5" cy="10.5" r="6.5"/><path d="M15.5 15.5L21 21"/>',
  folder: '<path d="M3 6.5a1 1 0 0 1 1-1h5l2 2.5h9a1 1 0 0 1 1 1v9.5a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1z"/>',
  file: '<path d="M7 3h7l5 5v12a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM14 3v5h5"/>',
  calendar:
    '<path d="M5 6h14a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1zM4 10.5h16M8.5 3.5v4M15.5 3.5v4"/>',
  mail: '<path d="M4 6h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1zM3.5 7l8.5 6.5L20.5 7"/>',
  download: '<path d="M12 4v11M7.5 10.5L12 15l4.5-4.5M4 20h16"/>',
  restore:
    '<path d="M3 6.5a1 1 0 0 1 1-1h5l2 2.5h9a1 1 0 0 1 1 1v9.5a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1zM12 17v-5.5M9.5 13.5L12 11l2.5 2.5"/>',
  previous: '<path d="M15 5l-7 7 7 7"/>',
  next: '<path d="M9 5l7 7-7 7"/>',
  shield: '<path d="M12 3l7.5 3v6c0 4.5-3 7.5-7.5 9.5C7.5 19.5 4.5 16.5 4.5 12V6z"/><path d="M8.5 12l2.5 2.5 4.5-5"/>',
  doubt: '<path d="M12 3l7.5 3v6c0 4.5-3 7.5-7.5 9.5C7.5 19.5 4.5 16.5 4.5 12V6z"/><path d="M12 8v5M12 16v.2"/>',
  breach:
    '<path d="M12 3l7.5 3v6c0 4.5-3 7.5-7.5 9.5C7.5 19.5 4.5 16.5 4.5 12V6z"/><path d="M9.5 9.5l5 5M14.5 9.5l-5 5"/>',
  check: '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
  plus: '<path d="M12 5v14M5 12h14"/>',
  dash: '<path d="M5 12h14"/>',
  cross: '<path d="M6.5 6.5l11 11M17.5 6.5l-11 11"/>',
  dots: '<path d="M5 12v.2M12 12v.2M19 12v.2"/>',
  turning: '<path d="M20 12a8 8 0 1 1-2.5-5.8M20 3.5v4.5h-4.5"/>',
  ring: '<circle cx="12" cy="12" r="7"/>',
} as const;

export type IconName = keyof typeof drawings;

/** An icon beside words that say the same: screen readers skip it. */
export function icon(name: IconName): ReturnType<typeof html> {
  return html`<svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">${raw(drawings[name])}</svg>`;
}

/** Drawings for `spriteIcon`, once on a page that shows them many times. */
export function iconSprite(names: readonly IconName[]): ReturnType<typeof html> {
  const symbol = (name: IconName) =>
    html`<symbol id="icon-${name}" viewBox="0 0 24 24">${raw(drawings[name])}</symbol>`;
  return html`<svg class="unseen" aria-hidden="true">${names.map(symbol)}</svg>`;
}

/** An icon whose drawing stands in the sprite of the page. */
export function spriteIcon(name: IconName): ReturnType<typeof html> {
  return html`<svg class="icon" aria-hidden="true"><use href="#icon-${name}"/></svg>`;
}
