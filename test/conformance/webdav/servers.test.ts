import { describe } from 'vitest';
import { sourceContract } from '../../contract/source/source-contract.ts';
import { apache, startApache } from '../../support/apache.ts';
import { diskFixture } from '../../support/disk-fixture.ts';
import { lighttpd, startLighttpd } from '../../support/lighttpd.ts';
import { nginx, startNginx } from '../../support/nginx.ts';
import { oddNames } from '../../support/odd-names.ts';
import { rclone, startRcloneWebdav } from '../../support/rclone-webdav.ts';
import { sabre, startSabre } from '../../support/sabre.ts';

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
    sourceContract(() => diskFixture(start), names);
  });
}
