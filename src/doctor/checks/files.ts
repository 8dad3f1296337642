import { countWords } from '../../count-words.ts';
import { type AddressInUse, countPlansByAddress } from '../../database/nights/files-moves.ts';
import { isNamedServer, originOf } from '../../domain/url-template.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn, wrong } from '../finding.ts';
import { quoted } from '../words.ts';

const name = 'files';

export const files: Check = {
  name,
  run: async ({ records, setting }) => {
    const named = { filesUrl: setting('filesUrl'), filesOrigins: setting('filesOrigins') };
    return checkFiles(await countPlansByAddress(await records(), { living: true }), named);
  },
};

interface Named {
  readonly filesUrl: string;
  readonly filesOrigins: readonly string[];
}

/** Whether people's files are fetched from the address that the settings name. */
export function checkFiles(inUse: readonly AddressInUse[], named: Named): Finding {
  const { filesUrl, filesOrigins } = named;
  const others = inUse.filter(({ address }) => address !== filesUrl);
  const isRefused = ({ address }: AddressInUse) => !isNamedServer(address, named);
  const isLet = ({ address }: AddressInUse) => filesOrigins.includes(originOf(address));
  const refused = others.filter(isRefused);
  const [first] = refused;
  if (first !== undefined)
    return wrong(
      name,
      `${peopleAt(refused)}: neither FILES_URL nor FILES_ORIGINS names that server, so that no token is sent there, and their nights fail.`,
      `If the same files are at FILES_URL now: nightkeep files move ${quotedArgument(first.address)} ${quotedArgument(filesUrl)} --dry-run. If they are still there: FILES_ORIGINS=${originOf(first.address)}. Else ask them to agree again: they read the address of FILES_URL then.`,
    );
  const strange = others.filter((one) => !isLet(one));
  const [strangeFirst] = strange;
  if (strangeFirst !== undefined)
    return warn(
      name,
      `${peopleAt(strange)}, which is not the path of FILES_URL: that holds for new people only.`,
      `If the same files are at FILES_URL now: nightkeep files move ${quotedArgument(strangeFirst.address)} ${quotedArgument(filesUrl)} --dry-run; else set FILES_URL back.`,
    );
  const former = others.filter(isLet);
  return ok(
    name,
    former.length === 0 ? 'Everybody’s are at FILES_URL.' : `${peopleAt(former)}, as FILES_ORIGINS lets them.`,
  );
}

function peopleAt(addresses: readonly AddressInUse[]): string {
  return `The files of ${addresses.map(({ address, people }) => `${countWords(people, 'person', 'people')} are at ${quoted(address)}`).join(', and of ')}`;
}

/** A shell would take braces apart. */
function quotedArgument(address: string): string {
  return `'${quoted(address)}'`;
}
