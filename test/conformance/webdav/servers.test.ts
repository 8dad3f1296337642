import { describe, expect, test } from 'vitest';
import { sourceContract } from '../../contract/source/source-contract.ts';
import { diskFixture } from '../../support/fixtures/disk-fixture.ts';
import { oddNames } from '../../support/fixtures/odd-names.ts';
import { find, never } from '../../support/fixtures/open-source.ts';
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

for (const { name, program, start, cannot } of servers) {
  const names = oddNames.filter((each) => !cannot.some((refused) => refused === each));
  describe.skipIf(program === undefined)(`files over WebDAV from ${name}`, () => {
    // What it knew of a file up to two seconds ago.
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
