import { html, raw } from 'hono/html';

/** A piece of a page; everything put into it by `html` is escaped. */
export type Markup = ReturnType<typeof html>;

/**
 * Sent with every page: nothing is loaded, no script runs, no frame shows it. The referrer policy is no stricter, because
 * under `no-referrer` browsers send forms with `Origin: null`, also to their own site.
 */
export const pageHeaders = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/** A page of one of the demo's servers, as text. `site` names the server at its top. */
export async function page(site: { name: string; sign: string }, title: string, body: Markup): Promise<string> {
  const whole = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title} · ${site.name}</title>
<style>${raw(style)}</style>
</head>
<body>
<header><span class="sign" aria-hidden="true">${site.sign}</span> ${site.name}<small>part of Nightkeep's demo</small></header>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>`;
  return whole.toString();
}

const style = `
:root {
  --ground: #f3f4f8; --sheet: #fff; --ink: #1c2230; --soft: #5b6476; --line: #d9dde6; --accent: #3347b8; --on-accent: #fff; --bad: #a8232b;
}
@media (prefers-color-scheme: dark) {
  :root { --ground: #12151d; --sheet: #1b202b; --ink: #e8ebf2; --soft: #a2abbd; --line: #323a49; --accent: #9fb0ff; --on-accent: #10142a; --bad: #ff9a9f; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
header { padding: 1rem 1.25rem; font-weight: 650; display: flex; gap: .5rem; align-items: baseline; flex-wrap: wrap; max-width: 46rem; margin: 0 auto; }
header small { font-weight: 400; color: var(--soft); margin-left: auto; }
main { background: var(--sheet); border: 1px solid var(--line); border-radius: 14px; max-width: 46rem; margin: 0 auto 3rem; padding: 1.25rem 1.5rem 1.75rem; }
@media (max-width: 48rem) { main { border-radius: 0; border-width: 1px 0; } }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .25rem 0 .75rem; }
h2 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; }
p, ul { margin: .6rem 0; }
a { color: var(--accent); }
.soft, small { color: var(--soft); font-size: .9rem; }
.bad { color: var(--bad); font-weight: 600; }
form.row, .row { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; margin: .75rem 0; }
form.row form { margin: 0; }
label { display: block; font-weight: 600; margin: .75rem 0 .2rem; }
label.tick { font-weight: 400; }
input[type=text], input[type=password], select { width: 100%; max-width: 24rem; padding: .6rem .7rem; border: 1px solid var(--line); border-radius: 8px; background: var(--ground); color: inherit; font: inherit; }
button { font: inherit; font-weight: 600; padding: .6rem 1.1rem; border-radius: 8px; border: 1px solid var(--line); background: transparent; color: inherit; cursor: pointer; overflow-wrap: normal; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button:focus-visible, input:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
ul.scopes { padding: 0; list-style: none; border-top: 1px solid var(--line); }
ul.scopes li { border-bottom: 1px solid var(--line); padding: .6rem 0; }
ul.scopes b { display: block; }
table { width: 100%; border-collapse: collapse; margin: .5rem 0; }
th, td { text-align: left; padding: .45rem .5rem .45rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
code { font: .92em ui-monospace, monospace; }
`;
