import { createHash } from 'node:crypto';

/** The one stylesheet: system fonts, light and dark by the reader's wish, a quiet night-blue, no pictures. */
export const stylesheet = `
:root { color-scheme: light dark; --ink: light-dark(#1b2233, #e6e9f2); --soft: light-dark(#556079, #a3adc4);
  --page: light-dark(#f6f7fb, #10141f); --card: light-dark(#ffffff, #181e2d); --line: light-dark(#d9deea, #2b3449);
  --night: light-dark(#2c4a8c, #9db8f5); --on-night: light-dark(#ffffff, #10141f); --good: light-dark(#1c6b43, #7fd6a8);
  --warn: light-dark(#80520a, #eec06c); --bad: light-dark(#a12a2a, #f5a0a0); }
* { box-sizing: border-box; }
html { font: 100%/1.55 system-ui, sans-serif; color: var(--ink); background: var(--page); -webkit-text-size-adjust: 100%; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; overflow-wrap: anywhere; }
header, main, footer { width: 100%; max-width: 56rem; margin: 0 auto; padding: 1rem 1.25rem; }
main { flex: 1; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; align-items: center; }
header .brand { font-weight: 650; color: var(--ink); text-decoration: none; margin-right: auto; }
header .brand::before { content: ''; display: inline-block; width: .8em; height: .8em; margin-right: .5em; border-radius: 50%;
  box-shadow: inset -.22em -.12em 0 .06em var(--night); vertical-align: -.06em; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; list-style: none; margin: 0; padding: 0; }
nav.pager { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin: 1rem 0; } nav.pager span { color: var(--soft); margin-right: auto; }
footer { color: var(--soft); font-size: .9rem; }
a { color: var(--night); text-underline-offset: .18em; }
a[aria-current] { color: var(--ink); font-weight: 600; text-decoration: none; }
h1 { font-size: clamp(1.5rem, 1.2rem + 1.6vw, 2.1rem); line-height: 1.2; margin: 1rem 0 .5rem; letter-spacing: -.01em; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .5rem 0; max-width: 42rem; } p.card { max-width: none; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .8rem; padding: 1.1rem 1.25rem; margin: 1rem 0; }
.card > :first-child { margin-top: 0; } .card > :last-child { margin-bottom: 0; }
.lead { font-size: 1.1rem; }
.soft { color: var(--soft); }
.good { border-left: .3rem solid var(--good); } .warn { border-left: .3rem solid var(--warn); } .bad { border-left: .3rem solid var(--bad); }
.word { font-weight: 600; } .word.succeeded, .word.ok { color: var(--good); } .word.partial, .word.transient, .word.ambiguous { color: var(--warn); }
.word.failed, .word.person, .word.operator { color: var(--bad); }
button, .button { font: inherit; font-weight: 600; display: inline-block; min-height: 2.75rem; padding: .55rem 1.15rem; border: 1px solid var(--night);
  border-radius: .55rem; background: var(--night); color: var(--on-night); text-decoration: none; cursor: pointer; }
button.quiet { background: transparent; color: var(--night); } button.danger { background: transparent; color: var(--bad); border-color: var(--bad); }
header button { min-height: 0; padding: 0; border: 0; background: none; color: var(--night); font-weight: 400; text-decoration: underline; text-underline-offset: .18em; }
:focus-visible { outline: .18rem solid var(--night); outline-offset: .15rem; }
fieldset { margin: 1rem 0; padding: .25rem 1.1rem .5rem; border: 1px solid var(--line); border-radius: .55rem; } legend { color: var(--soft); padding: 0 .4rem; }
fieldset label { display: flex; gap: .7rem; align-items: baseline; padding: .45rem 0; cursor: pointer; } input[type=radio] { accent-color: var(--night); flex: none; }
form { margin: 1rem 0; } header form { margin: 0; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .35rem 1.25rem; margin: .5rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
.table { overflow-x: auto; overflow-wrap: normal; } .table td:first-child { overflow-wrap: anywhere; min-width: 7rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 500; font-size: .9rem; white-space: nowrap; } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
code, pre { font-family: ui-monospace, monospace; font-size: .92em; } pre { background: var(--page); border: 1px solid var(--line); border-radius: .55rem; padding: .8rem 1rem; overflow-x: auto; }
.key { font-size: 1.05rem; user-select: all; white-space: pre-wrap; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; }
@media (max-width: 34rem) { .wide { display: none; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .6rem; } }
@media print { header, footer, form { display: none; } }
`;

/** The address under which browsers may keep the stylesheet for ever. */
export const stylesheetPath = `/style-${createHash('sha256').update(stylesheet).digest('hex').slice(0, 12)}.css`;

/** A crescent moon. */
export const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="#5b7fd0" d="M20 3a13 13 0 1 0 9 20A11 11 0 0 1 20 3z"/></svg>';

export const iconPath = '/icon.svg';
