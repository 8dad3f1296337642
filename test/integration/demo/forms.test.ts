import type { IncomingMessage } from 'node:http';
import { afterAll, expect, test } from 'vitest';
import { openBrowser } from '../../../demo/browser/browser.ts';
import { formsIn } from '../../../demo/browser/forms.ts';
import { listenOnLoopback } from '../../../demo/loopback-server.ts';

test('the fields and buttons of a form are found, those outside that name it too, with references decoded', () => {
  const [form] = formsIn(`<!-- <form action="/not"></form> -->
<form id="f" method="POST" action="/a?x=1&amp;y=2">
  <input type="hidden" name="csrf" value="&quot;t&#x2F;&#39;">
  <input name=plain value=bare> <input type=checkbox name="on" checked> <input type="checkbox" name="off">
  <select name="zone"><option value="a">A<option value="b" selected>B</select>
  <textarea name="text">
one &lt; two</textarea>
  <button name="go" value="now"><b>Go</b> on</button>
</form>
<button form="f" name="stop">Stop</button><button form="g">Other</button>`);
  expect(form).toMatchObject({ action: '/a?x=1&y=2', method: 'post' });
  expect(form?.fields.filter(({ sent }) => sent).map(({ name, value }) => [name, value])).toEqual([
    ['csrf', '"t/\''],
    ['plain', 'bare'],
    ['on', 'on'],
    ['text', 'one < two'],
    ['zone', 'b'],
  ]);
  expect(form?.buttons.map(({ text }) => text)).toEqual(['Go on', 'Stop']);
});

const server = await listenOnLoopback(0);
const url = server.origin;
const seen: { request: IncomingMessage; body: string }[] = [];
server.serve(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  seen.push({ request, body: Buffer.concat(chunks).toString() });
  if (request.url === '/set') {
    response.setHeader('set-cookie', [
      '__Host-s=1; Path=/; Secure; HttpOnly',
      'deep=2; Path=/below',
      'gone=3; Max-Age=0',
    ]);
    response.writeHead(302, { location: '/below/page' }).end();
  } else if (request.method === 'POST') response.writeHead(303, { location: '/done' }).end();
  else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
  else {
    if (request.url === '/shy') response.setHeader('referrer-policy', 'no-referrer');
    response.end('<form method="post"><input name="a" value="1"><button name="b" value="2">Send</button></form>');
  }
});
afterAll(server.down);

test('the browser keeps cookies by path, follows redirects, and says where a form came from', async () => {
  await using browser = openBrowser();
  const page = await browser.open(`${url}/set`);
  expect(page.url).toBe(`${url}/below/page`);
  expect(seen.at(-1)?.request.headers.cookie).toBe('__Host-s=1; deep=2');
  const done = await browser.submit(page, { button: 'Send' }, { a: 'changed', c: '3' });
  expect(done.url).toBe(`${url}/done`);
  expect(seen.at(-2)).toMatchObject({ body: 'a=changed&c=3&b=2' });
  expect(seen.at(-2)?.request.headers).toMatchObject({ origin: url, 'sec-fetch-site': 'same-origin' });
  expect(seen.at(-1)?.request.headers.cookie).toBe('__Host-s=1');
});

test('like a real browser it hides the origin of a form on a page without referrers', async () => {
  await using browser = openBrowser();
  await browser.submit(await browser.open(`${url}/shy`), { button: 'Send' });
  expect(seen.at(-2)?.request.headers.origin).toBe('null');
});

test('a missing form is an error that lists the forms there are; endless redirects end', async () => {
  await using browser = openBrowser();
  const page = await browser.open(`${url}/page`);
  expect(() => browser.submit(page, { button: 'Buy' })).toThrow(/No such form on .*\[Send\]/);
  await expect(browser.open(`${url}/loop`)).rejects.toThrow(/More than 20 redirects/);
});
