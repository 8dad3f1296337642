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
  /** What restic needs to reach it in an object store; absent where it is a folder. */
  readonly resticOptions?: readonly string[];
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
  const { recoveryKey, folder, at } = sheet;
  return html`<section class="card sheet"><p class="soft">${t.of(folder, at)}</p>
${recoveryKey === null ? html`<h2>${t.key}</h2><p>${t.without}</p>` : ''}${recoveryKey ? keyPart(t, recoveryKey) : ''}
<h2>${t.how}</h2><ol><li><p>${t.restic}</p><dl>${installing.map(([system, command]) => html`<dt>${system}</dt><dd><code>${command}</code></dd>`)}</dl></li>
${sheet.resticOptions === undefined ? fromFolder(t, sheet) : fromBucket(t, sheet, sheet.resticOptions)}
<li><p>${t.after}</p></li></ol></section>`;
}

function fromFolder(t: Words, { folder, location }: RecoverySheet): Html {
  return html`<li><p><strong>${t.copy(folder)}</strong></p><p>${t.where(location)}</p></li>
<li><p>${t.type}</p><h3>${t.unix}</h3>${commands(`-r ./${folder}`, './restored')}<h3>${t.windows}</h3>${commands(`-r .\\${folder}`, '.\\restored')}</li>`;
}

/** Without a lock, a key that may read is enough. */
function fromBucket(t: Words, { location }: RecoverySheet, options: readonly string[]): Html {
  const repository = ['--no-lock', ...options, '-r', location].join(' ');
  const unix = "export AWS_ACCESS_KEY_ID='ID' AWS_SECRET_ACCESS_KEY='SECRET'\n";
  const windows = "$env:AWS_ACCESS_KEY_ID = 'ID'; $env:AWS_SECRET_ACCESS_KEY = 'SECRET'\n";
  return html`<li><p><strong>${t.bucket.key}</strong></p><p>${t.bucket.where}</p>${options.includes('--cacert') ? html`<p>${t.bucket.certificates}</p>` : ''}</li>
<li><p>${t.bucket.type}</p><h3>${t.unix}</h3>${commands(repository, './restored', unix)}<h3>${t.windows}</h3>${commands(repository, '.\\restored', windows)}</li>`;
}

type Words = Texts['recovery']['sheet'];

function keyPart(t: Words, recoveryKey: string): Html {
  return html`<div class="sheet-key"><div><h2>${t.key}</h2><p class="key"><code>${recoveryKey}</code></p></div>
<div class="qr" role="img" aria-label="${t.qr}">${raw(encodeQR(recoveryKey, 'svg'))}</div></div>`;
}

/** restic asks for the password itself, so the key gets into no history of a shell. */
function commands(repository: string, target: string, before = ''): Html {
  return html`<pre tabindex="0"><code>${before}restic ${repository} snapshots
restic ${repository} restore latest --target ${target}</code></pre>`;
}
