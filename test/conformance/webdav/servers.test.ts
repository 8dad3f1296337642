import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sourceContract } from '../../contract/source/source-contract.ts';
import { diskFixture } from '../../support/fixtures/disk-fixture.ts';
import { oddNames } from '../../support/fixtures/odd-names.ts';
import { find, never, openWriter } from '../../support/fixtures/open-source.ts';
import { apache, startApache } from '../../support/servers/apache.ts';
import { lighttpd, startLighttpd } from '../../support/servers/lighttpd.ts';
import { nginx, startNginx } from '../../support/servers/nginx.ts';
import { rclone, startRcloneWebdav } from '../../support/servers/rclone.ts';
import { sabre, startSabre } from '../../support/servers/sabre.ts';

/** Without the names that this server cannot serve, whoever asks: no client can do better. */
const servers = [
  { name: 'Apache mod_dav', program: apache, start: startApache, cannot: [] },
  // Answers 400 to control characters.
  { name: 'lighttpd mod_webdav', program: lighttpd, start: startLighttpd, cannot: ['tab\tname'] },
  // Leaves hidden files out of its listings.
  { name: 'nginx dav-ext', program: nginx, start: startNginx, cannot: ['...', '..hidden'] },
  // Shows control characters as their pictures.
  { name: 'rclone serve webdav', program: rclone, start: startRcloneWebdav, cannot: ['tab\tname'] },
  { name: 'sabre/dav', program: sabre, start: startSabre, cannot: [] },
];

async function* bytesOf(text: string) {
  yield Buffer.from(text);
}

for (const { name, program, start, cannot } of servers) {
  const isWritable = start === startApache || start === startSabre;
  const names = oddNames.filter((each) => !cannot.some((refused) => refused === each));
  describe.skipIf(program === undefined)(`files over WebDAV from ${name}`, () => {
    // What it knew of a file up to two seconds ago.
    test.runIf(isWritable)(
      'a restored file takes the place of none that is there, and its folder is made once',
      async () => {
        await using fixture = await diskFixture(start);
        await chmod(fixture.root, 0o777);
        await using writer = openWriter(fixture.url);
        const write = (name: string, content: string) =>
          writer.put(
            ['new', name],
            { size: content.length, mtime: 1_700_000_000, content: () => bytesOf(content) },
            never,
          );
        expect(await writer.makeCollection(['new'], never)).toBe(true);
        expect(await writer.makeCollection(['new'], never)).toBe(false);
        await write('100% ü.txt', 'first');
        expect(await readFile(join(fixture.root, 'new/100% ü.txt'), 'utf8')).toBe('first');
        await expect(write('100% ü.txt', 'second')).rejects.toMatchObject({ code: 'source/changed' });
        expect(await readFile(join(fixture.root, 'new/100% ü.txt'), 'utf8')).toBe('first');
      },
    );

    const tellsLate = start === startLighttpd;
    sourceContract(async () => Object.assign(await diskFixture(start), { tellsLate }), names);

    test.skipIf(tellsLate)('a long file that is rewritten while it is read is never taken for whole', async () => {
      await using fixture = await diskFixture(start);
      await fixture.putOld('long.bin', Buffer.alloc(30_000_000, 'one'));
      await using source = fixture.open();
      const { body } = await source.open(await find(source, 'long.bin'), never);
      const readWhileItChanges = async () => {
        let isRewritten = false;
        for await (const _ of body) {
          if (!isRewritten) await fixture.putNow('long.bin', Buffer.alloc(30_000_000, 'two'));
          isRewritten = true;
        }
      };
      await expect(readWhileItChanges()).rejects.toMatchObject({ code: 'source/changed' });
    });
  });
}
