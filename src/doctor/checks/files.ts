import { countWords } from '../../count-words.ts';
import { type AddressInUse, countPlansByAddress } from '../../database/nights/files-moves.ts';
import {
  type NamedSources,
  namedSources,
  nounOf,
  type SourceName,
  settingOf,
  sourceNames,
} from '../../domain/source-names.ts';
import { isNamedServer, originOf } from '../../domain/url-template.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn, wrong } from '../finding.ts';
import { quoted } from '../words.ts';

const name = 'files';

export const files: Check = {
  name,
  run: async ({ records, setting, option }) => {
    const [calendarsUrl, contactsUrl, mailUrl] = [option('calendarsUrl'), option('contactsUrl'), option('mailUrl')];
    const named = {
      filesUrl: setting('filesUrl'),
      ...(calendarsUrl !== undefined && { calendarsUrl }),
      ...(contactsUrl !== undefined && { contactsUrl }),
      ...(mailUrl !== undefined && { mailUrl }),
      filesOrigins: setting('filesOrigins'),
    };
    return checkFiles(await countPlansByAddress(await records(), { living: true }), named);
  },
};

/** Whether people's files, calendars, contacts and mail are fetched from the addresses that the settings name. */
export function checkFiles(inUse: readonly AddressInUse[], named: NamedSources): Finding {
  const urls = new Map(namedSources(named).map(({ name, url }) => [name, url]));
  const groups = sourceNames.map((what) => {
    const others = inUse.filter((one) => one.name === what && one.address !== urls.get(what));
    return { what, url: urls.get(what), others };
  });
  const findings = groups.map((group) => findRefused(group, named) ?? findStrange(group, named));
  const isLet = ({ address }: AddressInUse) => named.filesOrigins.includes(originOf(address));
  const former = groups.flatMap(({ what, others }) => {
    const kept = others.filter(isLet);
    return kept.length === 0 ? [] : [peopleAt(what, kept)];
  });
  const settings = [...urls.keys()].map((what) => settingOf[what]);
  return (
    findings.find((found) => found?.state === 'wrong') ??
    findings.find((found) => found !== undefined) ??
    ok(
      name,
      former.length === 0
        ? `Everybody’s are at ${settings.join(', ')}.`
        : `${former.join('. ')}, as FILES_ORIGINS lets them.`,
    )
  );
}

interface Group {
  readonly what: SourceName;
  /** By the settings. */
  readonly url: string | undefined;
  /** Addresses besides that one. */
  readonly others: readonly AddressInUse[];
}

/** Addresses to which no token is sent. */
function findRefused({ what, url, others }: Group, named: NamedSources): Finding | undefined {
  const refused = others.filter(({ address }) => !isNamedServer(address, named));
  const [first] = refused;
  if (first === undefined) return undefined;
  const setting = settingOf[what];
  const still = `If they are still there: FILES_ORIGINS=${originOf(first.address)}.`;
  return wrong(
    name,
    `${peopleAt(what, refused)}: neither ${setting} nor FILES_ORIGINS names that server, so that no token is sent there, and their nights fail.`,
    url === undefined
      ? `${still} Otherwise ask them to agree again: that is then without ${nounOf[what]}, since ${setting} is not set.`
      : `If the same ${nounOf[what]} are at ${setting} now: ${moveCommand(first.address, url)}. ${still} Otherwise ask them to agree again: they then agree to the address in ${setting}.`,
  );
}

/** Addresses at a server that the settings name for something else, or at another path. */
function findStrange({ what, url, others }: Group, named: NamedSources): Finding | undefined {
  const strange = others.filter(
    ({ address }) => isNamedServer(address, named) && !named.filesOrigins.includes(originOf(address)),
  );
  const [first] = strange;
  if (first === undefined) return undefined;
  const setting = settingOf[what];
  if (url === undefined)
    return warn(
      name,
      `${peopleAt(what, strange)}, and ${setting} is not set: they go on to be backed up for these people, and for nobody new.`,
      `Set ${setting}; or ask these people to agree again, which is without ${nounOf[what]} then.`,
    );
  return warn(
    name,
    `${peopleAt(what, strange)}, which is not the path of ${setting}: that holds for new people only.`,
    `If the same ${nounOf[what]} are at ${setting} now: ${moveCommand(first.address, url)}; otherwise set ${setting} back.`,
  );
}

function moveCommand(from: string, to: string): string {
  return `nightkeep files move ${quotedArgument(from)} ${quotedArgument(to)} --dry-run`;
}

function peopleAt(what: SourceName, addresses: readonly AddressInUse[]): string {
  return `The ${nounOf[what]} of ${addresses.map(({ address, people }) => `${countWords(people, 'person', 'people')} are at ${quoted(address)}`).join(', and of ')}`;
}

/** A shell would take braces apart. */
function quotedArgument(address: string): string {
  return `'${quoted(address)}'`;
}
