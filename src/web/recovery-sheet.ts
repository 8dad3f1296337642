import { html, raw } from 'hono/html';
import encodeQR from 'qr';
import type { Html } from './layout.ts';
import type { Texts } from './texts/en.ts';

export interface RecoverySheet {
  /** The recovery key, or null where the person has it and the sheet names none. */
  readonly recoveryKey?: string | null;
  /** The name of the repository's folder, and where it lies as the server sees it. */
  readonly folder: string;
  readonly location: string;
  /** The day of the sheet. */
  readonly at: string;
}

/** How to get restic, by system. */
const installing = [
  ['Debian, Ubuntu', 'sudo apt install restic'],
  ['Fedora', 'sudo dnf install restic'],
  ['macOS', 'brew install restic'],
  ['Windows', 'winget install restic.restic'],
] as const;

/** What is needed to restore without Nightkeep, on one page of paper. */
export function recoverySheet({ recovery: { sheet: t } }: Texts, sheet: RecoverySheet): Html {
  const { recoveryKey, folder, location, at } = sheet;
  return html`<section class="card sheet"><p class="soft">${t.of(folder, at)}</p>
${recoveryKey === null ? html`<h2>${t.key}</h2><p>${t.without}</p>` : ''}${recoveryKey ? keyPart(t, recoveryKey) : ''}
<h2>${t.how}</h2><ol><li><p>${t.restic}</p><dl>${installing.map(([system, command]) => html`<dt>${system}</dt><dd><code>${command}</code></dd>`)}</dl></li>
<li><p><strong>${t.copy(folder)}</strong></p><p>${t.where(location)}</p></li>
<li><p>${t.type}</p><h3>${t.unix}</h3>${commands(`./${folder}`, './restored')}<h3>${t.windows}</h3>${commands(`.\\${folder}`, '.\\restored')}</li>
<li><p>${t.after}</p></li></ol></section>`;
}

function keyPart(t: Texts['recovery']['sheet'], recoveryKey: string): Html {
  return html`<div class="sheet-key"><div><h2>${t.key}</h2><p class="key"><code>${recoveryKey}</code></p></div>
<div class="qr" role="img" aria-label="${t.qr}">${raw(encodeQR(recoveryKey, 'svg'))}</div></div>`;
}

/** restic asks for the password itself, so the key gets into no history of a shell. */
function commands(repository: string, target: string): Html {
  return html`<pre tabindex="0"><code>restic -r ${repository} snapshots
restic -r ${repository} restore latest --target ${target}</code></pre>`;
}
