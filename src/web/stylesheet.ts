import { createHash } from 'node:crypto';

/** The one stylesheet: system fonts, light and dark by the reader's wish, one accent, and a colour with a ground for well, doubtful and wrong. */
export const stylesheet = `
:root { color-scheme: light dark; --ink: light-dark(#141a2e, #e9edf7); --soft: light-dark(#535e78, #a2adc6);
  --page: light-dark(#f4f6fb, #0b111e); --card: light-dark(#ffffff, #151b2e); --line: light-dark(#e0e4ee, #283149);
  --edge: light-dark(#7f8aa3, #67728e); --well: light-dark(#eceff7, #1f2840); --shade: light-dark(#1f2a4a14, #0000);
  --night: light-dark(#2f46a8, #98a8ff); --on-night: light-dark(#ffffff, #0b111e); --night-ground: light-dark(#e9edfb, #202a4d);
  --good: light-dark(#0c7050, #62d5ab); --good-ground: light-dark(#e2f4ec, #12332b);
  --warn: light-dark(#7d5000, #f0c267); --warn-ground: light-dark(#fdf0d8, #35290f);
  --bad: light-dark(#ad2828, #ff9a92); --bad-ground: light-dark(#fdeaea, #3c1c20);
  --some: light-dark(#c3e6d7, #1c4a3b); --more: light-dark(#73c4a4, #2d7d60); --most: light-dark(#1f8a66, #62d5ab); --some-edge: light-dark(#4f9f82, #3f9577); }
* { box-sizing: border-box; }
html { font: 100%/1.55 system-ui, sans-serif; color: var(--ink); background: var(--page); -webkit-text-size-adjust: 100%; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; overflow-wrap: anywhere; }
main, footer, .bar { width: 100%; max-width: 72.5rem; margin: 0 auto; padding: 0 1.25rem; }
main { flex: 1; padding-block: 1.5rem 2rem; }
footer { color: var(--soft); font-size: .875rem; padding-block: 1rem 1.5rem; display: flex; flex-wrap: wrap; gap: 0 1.5rem; align-items: center; justify-content: space-between; }
footer form { display: flex; gap: 1rem; align-items: center; margin: 0; } footer button { min-height: 2.75rem; padding: 0; border: 0; background: none; color: var(--night); font-weight: 400; text-decoration: underline; } footer button:hover { background: none; }
a { color: var(--night); text-underline-offset: .18em; }
h1 { font-size: clamp(1.55rem, 1.25rem + 1.5vw, 2rem); line-height: 1.2; margin: .25rem 0 .75rem; letter-spacing: -.015em; text-wrap: balance; }
h2 { font-size: 1.125rem; line-height: 1.35; margin: 2rem 0 .75rem; }
p { margin: .5rem 0; max-width: 44rem; } p.card { max-width: none; }
.lead { font-size: 1.1rem; } .soft { color: var(--soft); } .small { font-size: .875rem; } .number { font-variant-numeric: tabular-nums; }
.icon { width: 1.25em; height: 1.25em; flex: none; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; vertical-align: -.25em; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; z-index: 1; }
.unseen, caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
:focus-visible { outline: .18rem solid var(--night); outline-offset: .15rem; border-radius: .2rem; }

body > header { background: var(--card); border-bottom: 1px solid var(--line); }
.bar { display: flex; flex-wrap: wrap; gap: 0 1.5rem; align-items: center; min-height: 3.75rem; }
.brand { display: flex; gap: .6rem; align-items: center; margin-right: auto; padding: .5rem 0; font-size: 1.075rem; font-weight: 650; color: var(--ink); text-decoration: none; }
.brand .icon { fill: var(--ink); stroke: var(--ink); }
.bar nav ul { display: flex; flex-wrap: wrap; gap: 0 1.4rem; list-style: none; margin: 0; padding: 0; }
.bar nav a, .bar > a:not(.brand) { display: flex; gap: .45rem; align-items: center; min-height: 3.75rem; color: var(--soft); text-decoration: none; border-block: 2px solid transparent; }
.bar nav a:hover, .bar .brand:hover { color: var(--night); } .bar nav a[aria-current] { color: var(--ink); font-weight: 600; border-bottom-color: var(--night); }
.bar form { margin: 0; } .bar button { min-height: 2.75rem; padding: 0; border: 0; background: none; color: var(--soft); font-weight: 400; } .bar button:hover { color: var(--night); background: none; }

.card { position: relative; background: var(--card); border: 1px solid var(--line); border-radius: .875rem; box-shadow: 0 2px 8px var(--shade); padding: 1.25rem 1.4rem; margin: 1.25rem 0; }
.card > :first-child, .card > [data-part]:first-child > :first-child { margin-top: 0; } .card > :last-child, .card > [data-part]:last-child > :last-child { margin-bottom: 0; } .card > h2:first-child { margin-bottom: .75rem; }
.card.good, .card.warn, .card.bad { background-image: linear-gradient(var(--tone), var(--tone)); background-size: .3rem 100%; background-repeat: no-repeat; }
.card.good { --tone: var(--good); } .card.warn { --tone: var(--warn); } .card.bad { --tone: var(--bad); }
.columns { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); align-items: start; margin: 1.25rem 0; } .columns > .card { margin: 0; height: 100%; }
.verdict { display: flex; flex-wrap: wrap; gap: 1rem 1.4rem; align-items: center; } .verdict > div { flex: 1 1 16rem; } .verdict h1, .verdict p { margin: 0 0 .3rem; } .verdict > .ways { flex: none; } .ways { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; } .ways form, .ways p { margin: 0; }
.sign { display: grid; place-items: center; flex: none; width: 4.5rem; height: 4.5rem; border-radius: 50%; color: var(--night); background: var(--night-ground); } .sign .icon { width: 2.25rem; height: 2.25rem; }
.sign.good, .tag.good { color: var(--good); background: var(--good-ground); } .sign.warn, .tag.warn { color: var(--warn); background: var(--warn-ground); } .sign.bad, .tag.bad { color: var(--bad); background: var(--bad-ground); }
.tag { display: inline-flex; gap: .3em; align-items: center; padding: .1rem .6rem .1rem .45rem; border-radius: 1rem; font-size: .875rem; font-weight: 600; white-space: nowrap; color: var(--night); background: var(--night-ground); } .tag .icon { width: 1.05em; height: 1.05em; stroke-width: 2.6; }
.word { font-weight: 600; } .word.succeeded, .word.ok { color: var(--good); } .word.partial, .word.transient, .word.ambiguous { color: var(--warn); } .word.failed, .word.person, .word.operator { color: var(--bad); }

button, .button { font: inherit; font-weight: 600; display: inline-flex; gap: .5rem; align-items: center; justify-content: center; min-height: 2.75rem; padding: .5rem 1.1rem; border: 1px solid var(--night);
  border-radius: .625rem; background: var(--night); color: var(--on-night); text-decoration: none; cursor: pointer; }
button:hover, .button:hover { background: color-mix(in oklab, var(--night), var(--ink) 18%); }
button.quiet, .button.quiet { background: var(--card); color: var(--night); border-color: var(--edge); } button.danger { background: var(--card); color: var(--bad); border-color: var(--bad); }
button.quiet:hover, .button.quiet:hover, button.danger:hover { background: var(--well); }
form { margin: 1rem 0; } fieldset { margin: 1rem 0; padding: .25rem 1.1rem .5rem; border: 1px solid var(--line); border-radius: .625rem; } legend { color: var(--soft); padding: 0 .4rem; }
fieldset label { display: flex; gap: .7rem; align-items: baseline; padding: .45rem 0; cursor: pointer; } input[type=radio], input[type=checkbox] { accent-color: var(--night); flex: none; }
input:where([type=text], [type=search], [type=email], [type=time], [type=date], [type=number], :not([type])), select, textarea { font: inherit; color: var(--ink); background: var(--page); border: 1px solid var(--edge); border-radius: .625rem; min-height: 2.75rem; padding: .45rem .8rem; max-width: 100%; }

dl { display: grid; grid-template-columns: fit-content(50%) 1fr; gap: .4rem 1.5rem; margin: .5rem 0; } dt { min-width: 8rem; color: var(--soft); } dd { margin: 0; }
dl.card { margin: 1.25rem 0; }
dl.facts { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 1.1rem 0 0; padding-top: 1.1rem; border-top: 1px solid var(--line); } .card > dl.facts:first-child { margin: 0; padding: 0; border: 0; } dl.facts > div { flex: 1 1 11rem; } dl.facts dt { font-size: .875rem; } dl.facts dd { font-weight: 600; }
dl.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .75rem; margin: 0 0 1rem; } .tiles > div { background: var(--page); border-radius: .625rem; padding: .6rem .9rem; } .tiles dt { font-size: .875rem; } .tiles dd { font-size: 1.375rem; font-weight: 650; font-variant-numeric: tabular-nums; margin: 0; }
summary { cursor: pointer; color: var(--night); padding: .4rem 0; } details > table { margin-top: .5rem; }
.items { list-style: none; margin: 0; padding: 0; } .items > li { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; justify-content: space-between; padding: .8rem 0; border-top: 1px solid var(--line); } .items > li:first-child { border-top: 0; padding-top: 0; } .items > li:last-child { padding-bottom: 0; } .items + p { margin-top: 1rem; }
.items p { margin: .1rem 0 0; color: var(--soft); font-size: .9rem; } .items > li > :first-child { flex: 1 1 12rem; }
.items > li:has(> .tag) > :first-child { display: contents; } .items > li:has(> .tag) strong { flex: 1; } .items > li:has(> .tag) p { flex: 1 0 100%; order: 1; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .65rem 1rem .65rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } th:last-child, td:last-child { padding-right: 0; } tbody tr:last-child > * { border-bottom: 0; }
.rows td { min-width: 4.5rem; } .rows td:first-child { min-width: 9rem; } th { color: var(--soft); font-weight: 500; font-size: .875rem; overflow-wrap: normal; } td button { overflow-wrap: normal; } td form { margin: 0; } @media (min-width: 40.01rem) { .rows tr:has(button) td { vertical-align: middle; } } td.number, th.number { text-align: right; white-space: nowrap; } tbody th { font-size: 1rem; }
.table { position: relative; overflow-x: auto; overflow-wrap: normal; } .table td:first-child { overflow-wrap: anywhere; min-width: 7rem; }
.pager { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin: 1rem 0; } .pager span { color: var(--soft); margin-right: auto; }
code, pre { font-family: ui-monospace, monospace; font-size: .92em; } pre { background: var(--page); border: 1px solid var(--line); border-radius: .625rem; padding: .8rem 1rem; overflow-x: auto; } .card pre { background: var(--well); }
.key { font-size: 1.05rem; user-select: all; white-space: pre-wrap; }
progress { appearance: none; width: 100%; height: .75rem; border: 0; border-radius: 1rem; overflow: hidden; background: var(--well); accent-color: var(--night); } progress::-webkit-progress-bar { background: var(--well); } progress::-webkit-progress-value { background: var(--night); border-radius: 1rem; } progress::-moz-progress-bar { background: var(--night); border-radius: 1rem; }
.steps { list-style: none; margin: 0 0 1rem; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem 1.5rem; } .steps li { display: flex; gap: .4rem; align-items: center; color: var(--soft); } .steps .now { color: var(--ink); font-weight: 600; } .steps .done .icon { color: var(--good); }
.turning, .steps .now .icon { display: inline-block; color: var(--night); line-height: 1; } [data-live] h2 { display: flex; gap: .5rem; align-items: center; margin: 0 0 .75rem; } .card > .ways { margin-top: 1rem; }
.plotted { display: flex; flex-wrap: wrap; justify-content: space-between; color: var(--soft); font-size: .8125rem; } .plotted > :first-child { flex: 1 0 100%; } .plot { display: block; width: 100%; height: 8.5rem; border-bottom: 1px solid var(--edge); margin: .25rem 0; }
.plot-area { fill: var(--good-ground); } .plot-line { fill: none; stroke: var(--good); stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.sideways { overflow-x: auto; direction: rtl; padding: .2rem; } .sideways > * { direction: ltr; }
.heat { display: block; width: 100%; min-width: 60rem; height: auto; } .heat text { fill: var(--soft); font-size: 11px; } .heat .bare { fill: var(--well); } .heat a:focus-visible { outline-width: 2px; outline-offset: 0; }
.cell { stroke-width: 1; stroke: var(--some-edge); } .cell.some { fill: var(--some); } .cell.more { fill: var(--more); } .cell.most { fill: var(--most); stroke: var(--most); } .cell.part { fill: var(--warn-ground); stroke: var(--warn); } .cell.none { fill: var(--bad-ground); stroke: var(--bad); } .cell.open { fill: var(--card); stroke: var(--edge); }
.mark { fill: none; stroke-width: 2; stroke-linecap: round; } .mark.part { stroke: var(--warn); } .mark.none { stroke: var(--bad); } .mark.open { fill: var(--edge); }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; list-style: none; margin: .9rem 0 0; padding: 0; color: var(--soft); font-size: .875rem; } .legend li { display: flex; gap: .45rem; align-items: center; } .heat-sign { width: 1rem; height: 1rem; flex: none; }

@media (max-width: 46rem) { main, footer, .bar { padding-inline: 1rem; } main { padding-block: 1rem 1.5rem; } .card { padding: 1.1rem 1.1rem; margin: 1rem 0; } .columns { gap: 1rem; } }
@media (max-width: 64rem) {
  .bar { gap: 0 1rem; min-height: 3rem; } .bar nav { order: 3; flex: 1 0 100%; margin-inline: -.5rem; } .bar nav ul { gap: 0; justify-content: space-between; flex-wrap: nowrap; }
  .bar nav li { flex: 1 1 auto; } .bar nav a { flex-direction: column; justify-content: start; text-align: center; overflow-wrap: normal; gap: .1rem; min-height: 3.25rem; padding: .3rem .2rem; font-size: .75rem; line-height: 1.3; }
}
@media (max-width: 30rem) { .bar nav ul:has(> :nth-child(6)) a { font-size: .6875rem; padding-inline: .1rem; } }
@media (max-width: 23rem) { .bar nav ul:has(> :nth-child(6)) { display: grid; grid-template-columns: repeat(3, 1fr); } }
@media (max-width: 40rem) {
  dl:not(.facts, .tiles) { grid-template-columns: 1fr; gap: 0; } dl:not(.facts, .tiles) > dd { margin-bottom: .6rem; } .sign { width: 3.5rem; height: 3.5rem; } .sign .icon { width: 1.75rem; height: 1.75rem; }
  .verdict { align-items: start; } .verdict > div { flex-basis: 11rem; } .verdict > .ways { flex: 1 0 100%; } dl.facts > div { flex-basis: 100%; } [data-live] dl.facts { gap: .8rem 1.2rem; } [data-live] dl.facts > div { flex-basis: 8rem; }
  .rows, .rows tbody, .rows tr, .rows td { display: block; min-width: 0; } .rows thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .rows tr { padding: .8rem 0; border-bottom: 1px solid var(--line); } .rows tr:first-child { padding-top: 0; } .rows tr:last-child { border-bottom: 0; padding-bottom: 0; }
  .rows td { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between; padding: .15rem 0; border: 0; text-align: left; white-space: normal; } .rows td:first-child { font-weight: 600; }
  .rows td:not(:first-child)::before { content: attr(data-label); color: var(--soft); font-size: .875rem; flex: none; } .rows td:not(:first-child) > span { text-align: right; margin-left: auto; } .rows td:has(> span:empty) { display: none; }
}
@media (prefers-reduced-motion: no-preference) { h2 .turning { animation: turn 2.4s linear infinite; } @keyframes turn { to { rotate: 1turn; } } }
@media (forced-colors: active) { .tag, .sign { border: 1px solid; } .icon { forced-color-adjust: auto; } }

.calendar { list-style: none; margin: 0; padding: 0; } .calendar li { display: grid; grid-template-columns: 13.5rem 1fr; gap: 0 1.5rem; padding: .55rem 0; border-top: 1px solid var(--line); } .calendar li:first-child { border-top: 0; } .calendar time { color: var(--soft); }
@media (max-width: 40rem) { .calendar li { grid-template-columns: 1fr; } }
.sheet h3 { font-size: 1rem; margin: .75rem 0 .25rem; } .sheet ol { padding-left: 1.4rem; } .sheet-key { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: center; justify-content: space-between; } .sheet-key > div:first-child { flex: 1 1 20rem; } .sheet-key h2 { margin-top: .5rem; } .qr { width: 11rem; padding: .4rem; background: #fff; border-radius: .4rem; } .qr svg { display: block; width: 100%; height: auto; fill: #000; }
@media print { :root { color-scheme: light; } html { font-size: 10pt; background: #fff; } main { padding: 0; } body > header, footer, form, .unprinted { display: none; } .card { box-shadow: none; border: 0; padding: 0; margin: .5rem 0; } pre { white-space: pre-wrap; padding: .4rem .6rem; } .sheet h2 { margin: .75rem 0 .25rem; } .qr { width: 4cm; padding: 0; } .sheet li, .sheet-key { break-inside: avoid; } }
/* Pages for operators */
nav.within ul { display: flex; flex-wrap: wrap; gap: 0 1.4rem; list-style: none; margin: 0 0 1rem; padding: 0; border-bottom: 1px solid var(--line); }
nav.within a { display: inline-block; padding: .6rem 0; color: var(--soft); text-decoration: none; border-bottom: 2px solid transparent; } nav.within a[aria-current] { color: var(--ink); font-weight: 600; border-bottom-color: var(--night); }
form.filter { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: end; } form.filter label { display: grid; gap: .2rem; max-width: 100%; color: var(--soft); font-size: .875rem; } form.filter select, form.filter input { max-width: 100%; min-width: 0; } form.filter select { width: 100%; max-width: 13rem; }
.figures { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(10.5rem, 100%), 1fr)); margin: 1.25rem 0; } .figures > .card { margin: 0; padding: 1rem 1.1rem; } .figures p { margin: 0; } .figures .value { font-size: 1.5rem; font-weight: 650; line-height: 1.4; font-variant-numeric: tabular-nums; }
.share { display: block; width: 100%; height: .9rem; border-radius: .45rem; margin: .75rem 0 .5rem; } .bars { display: block; width: 100%; height: 7.5rem; margin: .5rem 0; }
rect.good { fill: var(--good); } rect.warn { fill: var(--warn); } rect.bad { fill: var(--bad); } rect.calm { fill: var(--night); } rect.rest { fill: var(--well); }
.trouble form { margin: 0; } @media (max-width: 60rem) { .columns:has(> .trouble) { grid-template-columns: minmax(0, 1fr); } } @media (min-width: 60rem) { .trouble button { white-space: nowrap; } .columns:has(> .trouble) { grid-template-columns: 3fr 2fr; } }
.capital::first-letter { text-transform: uppercase; } p.acts { display: flex; flex-wrap: wrap; align-items: center; gap: .6rem; max-width: none; } form label:has(> input[name=reason]) { display: grid; gap: .2rem; max-width: 32rem; color: var(--soft); font-size: .875rem; }
details > summary { cursor: pointer; color: var(--night); padding: .4rem 0; }
/* Snapshots */
.night-head, .night-foot, .folder-head { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; justify-content: space-between; } .night h1, .night-head p, .folder-head p { margin: 0; } .night-foot { font-size: .9375rem; } .night-foot form { margin: 0; color: var(--soft); } .night-foot :is(input, button) { min-height: 2.25rem; padding-block: .2rem; }
.strip { margin: 1.1rem 0 .6rem; overflow-x: auto; padding: .2rem 0; } .strip ol { display: flex; list-style: none; margin: 0; padding: 0 0 1.5rem; } .strip li { position: relative; flex: 1 0 1.5rem; display: grid; place-items: center; }
.strip li::before { content: ''; position: absolute; inset: .75rem 0 auto; height: 2px; background: var(--line); } .strip .stop { position: relative; display: grid; place-items: center; width: 1.5rem; height: 1.5rem; border-radius: 50%; }
.strip .stop::before { content: ''; width: .75rem; height: .75rem; border-radius: 50%; background: var(--more); border: 2px solid var(--more); box-sizing: border-box; } .strip .same .stop::before { width: .4rem; height: .4rem; } .strip .unread .stop::before { background: var(--card); border-color: var(--edge); } .strip .absent .stop::before { width: .5rem; height: .125rem; border: 0; border-radius: 0; background: var(--edge); } .strip .first .stop::before { background: var(--card); border-width: 3px; }
.strip a:hover::before { outline: .2rem solid var(--night-ground); } .strip a[aria-current]::before, .strip .same a[aria-current]::before { width: 1.15rem; height: 1.15rem; background: var(--night); border-color: var(--night); } .strip .day { position: absolute; top: 1.75rem; white-space: nowrap; font-size: .8125rem; color: var(--night); } .strip li:first-child:nth-last-child(n + 6) .day { left: 0; } .strip li:nth-child(n + 6):last-child .day { right: 0; }
.trail ol { display: flex; flex-wrap: wrap; list-style: none; margin: 0; padding: 0; font-weight: 600; } .trail li + li::before { content: '/'; color: var(--soft); font-weight: 400; padding: 0 .45rem; }
.unseen-sign { font: .8em ui-monospace, monospace; padding: 0 .3em; margin: 0 .1em; border-radius: .3em; color: var(--warn); background: var(--warn-ground); unicode-bidi: isolate; }
.find { display: flex; gap: .6rem; margin: .9rem 0 0; } .find input { flex: 1; min-width: 0; text-overflow: ellipsis; } .found { display: flex; gap: .5rem; } .found ~ :is(a, .aside) { margin-left: 1.75rem; } .since { margin: .75rem 0; color: var(--soft); }
.file-view { display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr) minmax(0, 22rem); align-items: start; } .file-view > .card { margin: 0; } .versions > li { flex-wrap: nowrap; } .versions a[aria-current] { color: var(--ink); font-weight: 600; text-decoration: none; } .versions .number { white-space: nowrap; color: var(--soft); }
.words { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; } dl.said { margin: 0 0 1rem; } .trail + h2 { margin-top: 1rem; } .said + .words { border-top: 1px solid var(--line); padding-top: 1rem; margin-bottom: 1rem; } .aside { display: inline-block; overflow-wrap: anywhere; }
.preview { display: block; max-width: 100%; margin: 1rem auto 0; border-radius: .4rem; } iframe.preview:not([height]) { height: min(70vh, 46rem); } iframe.preview { width: 100%; max-height: min(70vh, 46rem); border: 1px solid var(--line); background: var(--card); } img.preview { max-height: 46rem; }
@media (max-width: 60rem) { .file-view { grid-template-columns: minmax(0, 1fr); } }
.entries { margin-top: .75rem; } .entries td, .entries th { padding: .55rem 1rem .55rem 0; white-space: nowrap; } .entries td:first-child { width: 99%; white-space: normal; overflow-wrap: anywhere; } .entries td:not(:first-child) { color: var(--soft); } .entries td:first-child > :is(a, span:first-child) { display: flex; gap: .6rem; align-items: flex-start; color: var(--ink); } .entries td a:hover { color: var(--night); } .entries .aside { margin-left: 1.85rem; } .entries .icon { color: var(--soft); margin-top: .15em; } .entries th a { color: inherit; text-decoration: none; } .entries th a:hover { text-decoration: underline; } .entries th[aria-sort] a { color: var(--ink); font-weight: 600; }
@media (max-width: 40rem) {
  .strip .far, .find .icon { display: none; } .find button { padding-inline: .8rem; } .night-foot form { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; }
  .entries, .entries tbody { display: block; } .entries thead tr { display: flex; gap: 1.25rem; border-bottom: 1px solid var(--line); } .entries th { border: 0; } .entries tbody tr { display: flex; flex-wrap: wrap; gap: 0 1.25rem; padding: .55rem 0; border-bottom: 1px solid var(--line); }
  .entries td { border: 0; padding: 0; font-size: .875rem; } .entries td:first-child { flex: 1 0 100%; width: auto; font-size: 1rem; } .entries td:first-child a { padding: .25rem 0; } .entries td.number { padding-left: 1.85rem; text-align: left; } .entries td.number:empty { padding: 0; } .entries td.number:empty + td { padding-left: .6rem; }
}
`;

/** The address under which browsers may keep the stylesheet for ever. */
export const stylesheetPath = `/style-${createHash('sha256').update(stylesheet).digest('hex').slice(0, 12)}.css`;

/** A crescent moon. */
export const favicon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="#5b7fd0" d="M20 3a13 13 0 1 0 9 20A11 11 0 0 1 20 3z"/></svg>';

export const faviconPath = '/icon.svg';
