import type { Act, ActorKind } from '../../domain/audit.ts';
import { type DamageState, mostNames } from '../../domain/damage.ts';
import type { Hint } from '../../domain/hint.ts';
import type { Language } from '../../domain/language.ts';
import type { ConsentReason, NightReason, ProtectionVerdict } from '../../domain/protection.ts';
import type { StayReason } from '../../domain/retention/apply-rule.ts';
import { countWords, isEmpty, type RetentionRule } from '../../domain/retention/rule.ts';
import type { CountName } from '../../domain/run-counts.ts';
import type { RunFault } from '../../domain/run-fault.ts';
import type { NightCourse } from '../../domain/tonight.ts';
import type { ErrorCode } from '../../errors.ts';
import { formatsIn } from './formats.ts';

/** What happened, and the one thing that mends it and who can do that; `when` is "soon", or "on" and a time. */
interface ReasonWords {
  happened: string;
  /** `asked`: more is asked of the person above. */
  act: string | ((when: string, asked: boolean) => string);
}

const again = 'Agree again, and the nights go on.';
const nothing = (asked: boolean) =>
  asked ? 'but for what stands above, there is nothing for you to do' : 'there is nothing for you to do';
const triedAgain = (when: string, asked: boolean) => `It is tried again ${when}; ${nothing(asked)}.`;
const onlyWait = (_when: string, asked: boolean) =>
  `${asked ? 'But for what stands above, there' : 'There'} is nothing for you to do.`;

/** How many nights came to what. */
export interface NightSums {
  readonly complete: number;
  readonly part: number;
  readonly failed: number;
  /** Nights without a run since the first one. */
  readonly missing: number;
}

const away = {
  title: 'Not available right now',
  happened: 'A part of Nightkeep does not answer.',
  act: 'Try again in some minutes. If it stays so, tell the operator of Nightkeep.',
};

/** What people read of an error. */
export interface Told {
  readonly title: string;
  /** What happened, where the message of the error is not meant for the person, or not in this language. */
  readonly happened?: string;
  /** The message says more than that, and is shown besides, in English. */
  readonly exactly?: true;
  readonly act?: string;
}

function told<Code extends ErrorCode>(words: Readonly<Record<Code, Told>>): Readonly<Record<Code, Told>> {
  return words;
}

const times = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`;

/** A span of time in its largest whole unit. */
function span(ms: number): string {
  const units = [
    [86_400_000, 'day'],
    [3_600_000, 'hour'],
    [60_000, 'minute'],
  ] as const;
  const [unitMs, unit] = units.find(([size]) => ms % size === 0) ?? [1_000, 'second'];
  return `${ms / unitMs} ${unit}${ms === unitMs ? '' : 's'}`;
}

/** Which snapshots a rule keeps. */
function staying(rule: RetentionRule): string {
  if (isEmpty(rule)) return 'all of them';
  const { years = 0, months = 0, days = 0, hours = 0 } = rule.within ?? {};
  const units = [
    [years, 'year'],
    [months, 'month'],
    [days, 'day'],
    [hours, 'hour'],
  ] as const;
  const span = units.flatMap(([count, unit]) => (count > 0 ? [times(count, unit)] : []));
  const each = { hourly: 'hour', daily: 'day', weekly: 'week', monthly: 'month', yearly: 'year' } as const;
  const newest = countWords.flatMap((word) => {
    const count = rule[word] ?? 0;
    if (count === 0) return [];
    if (word === 'last') return [count === 1 ? 'the last one' : `the last ${count}`];
    return [
      count === 1
        ? `the newest of the last ${each[word]} that has any`
        : `the newest of each of the last ${count} ${each[word]}s that have any`,
    ];
  });
  return [
    ...newest,
    ...(span.length > 0 ? [`all that are less than ${span.join(', ')} older than the newest`] : []),
    ...(rule.tags ?? []).map((tag) => `all with the tag “${tag}”`),
  ].join('; ');
}

const formats = formatsIn('en-GB', { byte: (count) => (count === 1 ? 'byte' : 'bytes') });

/** Every word that people read on the pages and in mails, in one place. */
export const texts = {
  /** The tag of these words (BCP 47). */
  language: 'en' as Language,
  /** What the language calls itself. */
  languageName: 'English',
  formats,
  name: 'Nightkeep',
  tagline: 'Your files, kept safe every night.',
  skip: 'Skip to content',
  pages: 'Pages',
  languages: 'Language',
  menu: {
    home: 'Home',
    snapshots: 'Snapshots',
    grant: 'Consent',
    recovery: 'Recovery',
    settings: 'Settings',
    operators: 'Operators',
    signIn: 'Sign in',
    signOut: 'Sign out',
  },
  fresh: {
    why: 'So that nobody else does this in a browser that you left open, your provider asks once more who you are.',
    signIn: 'Sign in again to go on',
  },
  signedOut: {
    title: 'You are signed out',
    lead: 'This page was still open when your session here ended, so it shows nothing any more.',
  },
  settings: {
    title: 'Settings',
    told: {
      hours: 'Your hours are saved.',
      paused: 'Your nights are paused.',
      resumed: 'Your nights are no longer paused.',
      language: 'Your language is saved.',
      mails: 'What you are mailed is saved.',
      'session-ended': 'That browser is signed out.',
      'sessions-ended': 'All other browsers are signed out.',
      unchanged: 'That changed nothing: it is so already, or cannot be changed now.',
    } as Readonly<Record<string, string>>,
    noPlan: 'You are not backed up, so there are no nights to set.',
    hours: {
      title: 'Hours of your nights',
      lead: 'Your backup begins at a moment between these two times, by the clocks of the zone.',
      allowed: (start: string, end: string) => `The operator allows hours between ${start} and ${end}.`,
      from: 'From',
      to: 'To',
      zone: 'Time zone',
      next: (at: string) => `Next night: ${at}.`,
      agreed: 'When you agreed, it was to the hours of that day; your consent shows those, and what has changed since.',
      save: 'Save the hours',
      faults: {
        unreadable: 'Give two times of the day, and a time zone of the list.',
        short: 'There must be an hour at least between the two times.',
        outside: 'The operator does not allow these hours.',
      },
    },
    kept: {
      title: 'What is kept',
      all: 'You have not agreed that any snapshot goes, so all of them stay.',
      link: 'See each snapshot, whether it stays, and why',
    },
    pause: {
      title: 'Pause',
      lead: 'No night begins until the day you choose. Backups that wait or are under way go on. What changes meanwhile is not backed up.',
      alive: 'Your consent is kept alive.',
      dead: 'Your consent is not in order now, which a pause does not mend: see the page Consent.',
      until: 'Nights go on from',
      save: 'Pause my nights',
      now: (at: string) => `Your nights are paused until ${at}.`,
      byOperator: 'Your nights are paused by an operator of Nightkeep, who can let them go on.',
      ended: 'There is no consent to go on with, so there are no nights to pause.',
      resume: 'Let them go on now',
      change: 'Pause until that day instead',
      fault: 'Choose a day from tomorrow on, within a year.',
    },
    language: {
      title: 'Language',
      label: 'Language of pages and mails',
      none: 'As my browser says',
      save: 'Save the language',
    },
    mails: {
      title: 'Mail',
      lead: (address: string) =>
        `You are mailed at ${address}, the address that your provider gave at your last sign-in.`,
      noAddress:
        'Your provider gave no mail address at your last sign-in, or called it unverified, so you are not mailed.',
      off: 'This Nightkeep sends no mail.',
      legend: 'Mail me',
      kinds: {
        'consent-ends': '14, 7 and 2 days before my consent ends',
        trouble: 'when something is wrong that I can mend, or my snapshots are damaged or not verified',
      },
      save: 'Save',
    },
    sessions: {
      title: 'Where you are signed in',
      lead: (idleMs: number, maxMs: number) =>
        `A browser is signed out after ${span(idleMs)} without use, and after ${span(maxMs)} in any case.`,
      browser: 'Browser',
      unknown: 'not known',
      here: 'this browser',
      began: 'Signed in',
      seen: 'Last used',
      ends: 'Ends at the latest',
      end: 'Sign out',
      endThat: (agent: string, began: string) => `Sign out ${agent}, signed in ${began}`,
      endOthers: 'Sign out all others',
    },
    data: {
      title: 'Export my data of Nightkeep',
      lead: 'One file with all that Nightkeep’s database holds about you: what you agreed to, your plan, backups, uses of your consent, notices, and what was done and by whom. It holds no keys and no tokens; your files are under Snapshots.',
      link: 'Download it as JSON',
    },
    erase: {
      title: 'Erase me',
      lead: 'Your consent, your snapshots and everything else that Nightkeep holds about you.',
      link: 'See what goes',
      stepTitle: 'Erase everything about me?',
      all: 'This cannot be undone. At once:',
      atOnce: [
        'your consent ends here, your nights stop, and your provider is told to end the token;',
        'what you agreed to, your backups’ records, the uses of your consent, notices to you, and your name and mail address are deleted;',
        'every browser is signed out.',
      ],
      later:
        'All your snapshots are erased then, by a worker, and last of all the rest that waited for it. Copies of Nightkeep’s own records that were made at night lie sealed in the store; those that hold yours go then too, and where the store lets nothing go, the operator must see to it. You get a receipt that says what is done and what waits.',
      stays:
        'What stays: the receipt, and in the audit what was done and when, by a number that nobody’s name stands beside any more. Your files at their server are not touched, and neither is your account at your provider.',
      keep: 'To keep anything, download it before:',
      word: 'erase',
      type: (word: string) => `Type “${word}” to go on`,
      button: 'Erase everything about me',
      wrong: 'That was not the word. Nothing was erased.',
      back: 'Back to the settings',
    },
    receipt: {
      title: 'Receipt: everything about you is erased',
      waitingTitle: 'Receipt: you are being erased',
      number: 'Receipt',
      keep: 'Print this page, or keep its address: you are signed out, and nothing else leads here.',
      begun: (at: string) =>
        `You asked for it on ${at}. No consent of yours counts here since then, and no night begins.`,
      removed: {
        title: 'Deleted then',
        consents: 'Records of what you agreed to',
        uses: 'Records of uses of your consent',
        backups: 'Records of backups',
        notices: 'Notices to you',
        events: 'Entries of what happened',
        sessions: 'Browsers signed out',
        person: 'Your name, your mail address and what else your provider had told of you were deleted then, too.',
      },
      tokens: {
        title: 'Your consent at the provider',
        outstanding:
          'The provider could not be told yet. It is tried again, at the longest until the token has ended there by itself; then it is destroyed here.',
        revoked: 'The provider has ended the token.',
        expired: 'The token has ended at the provider by itself, and was destroyed here.',
        shredded: 'The provider offers no way to end the token. It was destroyed here.',
        none: 'No token of yours was left.',
      },
      snapshots: {
        title: 'Your snapshots',
        kept: 'They are still there. A worker erases them; this page shows when it has.',
        none: 'There were none.',
      },
      rest: {
        title: 'The rest',
        waits: 'The row that tokens and snapshots belong to names nobody any more. It goes when nothing waits.',
        gone: (at: string) =>
          `On ${at} nothing was left of you in the database but this receipt and the audit. Copies of it that lie in the store and hold yours go within some minutes after that, where the store lets Nightkeep delete them.`,
      },
      download: 'The receipt as JSON',
    },
  },
  welcome: {
    title: 'Your files, kept safe every night',
    lead: 'Sign in, agree once, and Nightkeep backs up your files every night while you are away. You can see what your consent is used for, and withdraw it at any time.',
  },
  home: {
    adopted:
      'Your snapshots from before are here: the operator has set Nightkeep up anew. Agree again, and the nights go on where they were.',
    adoptedSnapshots: 'See them',
    snapshotsLost: (time: string) =>
      `At ${time} the operator of Nightkeep stated that your earlier snapshots are lost: the place where they were kept is gone. Your next backup begins anew, with a new recovery key; the earlier one opens nothing any more. Once you have kept the new one, this is not shown any more.`,
    snapshotsLostKey: 'See your recovery key',
    /** What of a person it is, in the sentence that follows. */
    moved: { files: 'files', calendars: 'calendars', contacts: 'contacts', and: 'and' },
    filesMoved: (what: string, time: string, from: string, to: string) =>
      `At ${time} the operator of Nightkeep stated that the same ${what} of yours have another address now, and your next backup fetches them there: ${to}. When you agreed, it was ${from}. If that is not right, withdraw your consent, or pause your nights and ask the operator. Once you agree again, this is not shown any more.`,
    filesMovedAgree: 'Agree to the new address',
    filesMovedConsent: 'See your consent',
    more: {
      calendars: 'Your calendars can be backed up as well.',
      contacts: 'Your contacts can be backed up as well.',
      both: 'Your calendars and contacts can be backed up as well.',
      how: 'Nothing of them is read until you have agreed to that. Renew your consent to read the sentences, and your nights go on as they are either way.',
      see: 'Read what you would agree to',
    },
    title: 'Am I protected?',
    protected: 'Yes, you are protected.',
    soFar: 'So far, yes: your last backup is complete.',
    partly: 'Only in part.',
    butFor: (count: number) =>
      `Yes, but for ${formats.number(count)} ${count === 1 ? 'file or folder' : 'files or folders'}.`,
    late: 'Not quite: a night passed without a backup.',
    underway: 'Not yet: a backup is on its way.',
    expired: 'No: your consent has ended.',
    none: 'No, not yet.',
    not: 'No, not at present.',
    agree: 'See what you would agree to',
    look: 'Look at it',
    seeRun: 'See that backup',
    seeConsent: 'See your consent',
    lastOfAll: 'Last backup',
    last: 'Last complete backup',
    never: 'none yet',
    next: 'Next night',
    nextValue: (day: string, start: string, end: string, zone: string) =>
      `${day}, between ${start} and ${end} (${zone})`,
    tonight: 'tonight',
    comingNight: 'the coming night',
    nightOf: (date: string) => `the night of ${date}`,
    paused: 'paused',
    pausedUntil: (at: string) => `paused until ${at}`,
    renewKey: 'See your recovery key',
    seeVerification: 'See what is known of it',
    verified: 'Last verified restorable',
    butLost: 'but for what is lost',
    notVerified: 'not yet',
    seePause: 'See your pause',
    ends: 'Consent',
    now: 'Back up now',
    recent: 'Recent backups',
    all: 'All backups',
    noRuns: 'There is no backup yet.',
    told: {
      'old-answer':
        'You are signed in. The page that you went back to was an answer of your provider that was used already or has grown old; nothing was changed by it.',
      unsent:
        'You were not signed in any more when you pressed that button, so nothing of it was done. You are signed in now: open the page again and do it once more.',
    },
  },
  nights: {
    title: 'A year of nights',
    allTitle: 'All backups',
    none: 'There is no backup yet.',
    skip: 'Skip the nights',
    sum: ({ complete, part, failed, missing, since }: NightSums & { since: string }) =>
      `Since ${since}: ${[
        `${complete} ${complete === 1 ? 'night' : 'nights'} complete`,
        ...(part > 0 ? [`${part} in part`] : []),
        ...(failed > 0 ? [`${failed} failed`] : []),
        ...(missing > 0 ? [`${missing} without a backup`] : []),
      ].join(', ')}.`,
    cell: (day: string, outcome: string) => `${day}: ${outcome}`,
    added: (size: string) => `, ${size} new`,
    legend: {
      some: 'complete, little new',
      more: 'complete, more new',
      most: 'complete, much new',
      part: 'in part',
      none: 'failed',
      open: 'not ended, or without a backup',
    },
    months: ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'],
    weekdays: ['Mon', 'Wed', 'Fri'],
    ofNight: (night: string) => `Backups of ${night}`,
    newer: 'Newer ones',
    older: 'Older ones',
    pages: 'Pages of this list',
  },
  size: {
    title: 'Size',
    now: (size: string) => `Your last snapshot holds ${size}.`,
    added: (size: string) => `It added ${size} to your repository.`,
    grew: (size: string, since: string) => `It was ${size} on ${since}.`,
    plot: (from: string, to: string, since: string, until: string) =>
      `Size of the snapshots: ${from} on ${since}, ${to} on ${until}.`,
    most: (size: string) => `at most ${size}`,
  },
  holding: {
    title: 'What is backed up',
    files: 'Files',
    calendars: 'Calendars',
    contacts: 'Contacts',
    nothingYet: 'Nothing yet.',
    entries: (entries: number, size: string) =>
      `${formats.number(entries)} ${entries === 1 ? 'file' : 'files'}, ${size}`,
    changes: (added: number, changed: number, gone: number) =>
      `Since the snapshot before: ${formats.number(added)} new, ${formats.number(changed)} changed, ${formats.number(gone)} gone.`,
    unread: (count: number, kept: number) =>
      `${formats.number(count)} ${count === 1 ? 'file or folder' : 'files or folders'} could not be read${kept > 0 ? `; ${formats.number(kept)} ${kept === 1 ? 'file stands' : 'files stand'} in from an earlier night` : ''}.`,
    which: 'Which, and why',
    missing: 'Not offered any more; what was kept of an earlier night is still there.',
    notOffered: 'missing',
    nothingElse: 'Nothing else is backed up.',
    key: 'Recovery key',
    keyKept: (at: string) => `kept: you showed that on ${at}`,
    keySeen: (at: string) => `Shown to you on ${at}. Show that you kept it.`,
    keyProve: 'Show that',
    keyUnseen: 'You have not looked at it yet. Keep it somewhere safe, and you can restore even without Nightkeep.',
    keyShow: 'Show it',
    snapshots: 'Browse snapshots',
  },
  run: {
    title: (night: string) => `Backup of ${night}`,
    night: 'Night',
    outcome: 'Outcome',
    started: 'Started',
    finished: 'Finished',
    why: 'Why',
    trigger: 'Asked for by',
    snapshot: 'Snapshot',
    browse: 'Browse what was kept',
    forgotten: (at: string) => `Its snapshot went on ${at}, as agreed on how long snapshots are kept.`,
    repaired: (at: string) =>
      `A part of its snapshot was lost. On ${at} one without that part took its place, so what is counted here may be more than can be restored.`,
    lost: (at: string) =>
      `Its snapshot went on ${at}, when the repository was repaired: nothing of it could be restored any more.`,
    removed: (at: string) =>
      `Its snapshot was removed from the store, and not by Nightkeep. You looked at that on ${at}.`,
    counts: 'Everything that was counted',
    problems: 'What could not be read',
    more: (named: number, all: number) => `These are the first ${formats.number(named)} of ${formats.number(all)}.`,
    range: (first: number, last: number, all: number) => `${first} to ${last} of ${formats.number(all)}`,
    previous: 'Previous page',
    following: 'Next page',
    path: 'Path',
    instead: 'In your backup',
    copyOf: (at: string) => `a copy of ${at}`,
    copy: 'a copy of an earlier night',
    noCopy: 'nothing',
    waits: (at: string, until: string) => `The backup is tried again on ${at}, and then until ${until}.`,
    confirm: 'I have looked: it is as it should be',
    unreliable:
      'The server called something unchanged that was not as in the snapshot before. Its word does not count for now: this backup read every file, and so do the next ones until several in a row have found nothing of the kind.',
    unchecked:
      'The server gave none of the files that were to be read again and compared. What it calls unchanged is believed without a look in this backup.',
    confirmed: (at: string) => `You or the operator looked at it on ${at}.`,
  },
  changes: {
    title: 'What came of it',
    new: 'New files',
    changed: 'Changed files',
    gone: 'Files gone',
    kept: 'Kept from an earlier night',
    which: 'Which files were new, changed or gone',
    all: 'Files in the snapshot',
  },
  live: {
    running: 'A backup is under way',
    queued: 'A backup waits for its turn',
    waits: (at: string) => `It begins on ${at}, or a little later.`,
    soon: 'It begins as soon as a worker is free.',
    halted:
      'No backup begins at present, anybody’s: the night is paused. An operator of Nightkeep can let it go on; this one begins after that.',
    goesOn: (at: string) =>
      `It has been under way for some time, and lets others go first who have had less. What it has read is kept. It goes on when nobody waits, and from ${at} on it is its turn.`,
    afterNights: (at: string) =>
      `Everybody’s night goes first. It begins when no night waits, and from ${at} on it is its turn.`,
    progress: 'How far the backup is',
    steps: {
      access: 'Ask your provider for access',
      repository: 'Open your repository',
      reading: 'Read your files',
      snapshot: 'Write the snapshot',
    },
    done: 'done',
    now: 'now',
    files: 'Files so far',
    filesOf: (seen: string, expected: string) => `${seen} of about ${expected}`,
    read: 'Data read',
    speed: 'Speed',
    speedValue: (size: string) => `${size} a second`,
    left: 'Time left',
    leftValue: (minutes: number) => (minutes < 1 ? 'less than a minute' : `about ${minutes} min`),
    unread: 'Not readable so far',
    folder: 'Folder',
    see: 'See how far it is',
    cancel: 'Cancel this backup',
    cancelTitle: 'Cancel this backup?',
    cancelLead:
      'It ends without a snapshot. What you have from earlier nights stays as it is, your consent too, and the next night goes on as planned.',
    cancelNow: 'Cancel it',
    keepOn: 'No, let it go on',
    over: 'It has ended already: there is nothing to cancel.',
  },
  states: {
    queued: 'waiting',
    running: 'running',
    succeeded: 'complete',
    partial: 'in part',
    failed: 'failed',
    skipped: 'skipped',
    cancelled: 'cancelled',
  },
  triggers: { schedule: 'the schedule', consent: 'your consent', person: 'you', operator: 'an operator' },
  counts: {
    entries: 'Entries seen',
    entriesRead: 'Read',
    entriesResumed: 'Of these read before the backup was interrupted',
    entriesUnchanged: 'Unchanged by the word of the server',
    entriesChecked: 'Of these read again to check, and found the same',
    entriesRestored: 'Of these restored from the store to nothing as well',
    entriesUnchecked: 'To be read again to check as well, but not given by the server',
    foldersPassedOver: 'Folders not listed, unchanged by the word of the server',
    entriesKept: 'Not readable, kept from an earlier night',
    entriesGone: 'Gone since the snapshot before',
    filesNew: 'Files new',
    filesChanged: 'Files changed',
    bytesRead: 'Data read',
    dataAdded: 'Data new to your repository',
    totalBytes: 'Data in the snapshot',
    requests: 'Requests',
    ms: 'Time taken',
  } satisfies Record<CountName, string>,
  consent: {
    /** Of the sentences that are agreed to: the day since which they stand so. Whoever changes them writes a new one. */
    version: '2026-11-27',
    /** The same of those that name more than files. */
    versionOfAll: '2026-11-28',
    title: 'Let Nightkeep work while you are away',
    lead: 'Read this before you agree. The next page is your provider’s, and it asks you once more.',
    changed: 'These sentences have changed since you opened the page. Please read them again.',
    what: 'What is fetched',
    whatValue: (files: string) => `Your files at ${files}. They are only read; nothing there is changed.`,
    whatValueOfAll: (files: string, { calendars, contacts }: { calendars?: string; contacts?: string }) =>
      `Your files at ${files}${calendars === undefined ? '' : contacts === undefined ? `, and your calendars at ${calendars}` : `, your calendars at ${calendars}`}${contacts === undefined ? '' : `, and your contacts at ${contacts}`}. They are only read; nothing there is changed.`,
    when: 'When',
    whenValue: (start: string, end: string, zone: string) =>
      `Every night between ${start} and ${end} (time zone ${zone}), and once right after you agree.`,
    whenUnlessNamed: (start: string, end: string, zone: string) =>
      `Every night between ${start} and ${end} (time zone ${zone}, or your own where your provider names it), and once right after you agree.`,
    kept: 'How long it is kept',
    keptValue: (rule: RetentionRule) =>
      isEmpty(rule)
        ? 'All of your snapshots are kept.'
        : `Of your snapshots these stay: ${staying(rule)}. The others go after a backup, and within some days the data that only they needed. The newest and the last complete one always stay; after a great loss or change all of them do, until somebody has looked.`,
    how: 'How it works',
    howValue:
      'Your provider gives Nightkeep an offline token. It is stored encrypted and is only used to read your files.',
    howValueOfAll:
      'Your provider gives Nightkeep an offline token. It is stored encrypted and is only used to read what is named here.',
    end: 'How to withdraw',
    endValue:
      'On the page Consent of Nightkeep, at any time. The work stops at once. Signing out does not withdraw it.',
    agree: 'Agree and continue to the provider',
    back: 'Not now',
    blocked: 'It is not ready for you yet',
    blockedLead:
      'Your provider does not tell Nightkeep what the address of your files needs, so no backup could work. The operator of Nightkeep can mend that; show them this:',
    refused: 'It looks as if agreeing cannot work just now',
    refusedTold:
      'Nightkeep asked your provider just now; what it said is in the log of the operator. Nothing was changed, and you can come back later or try all the same.',
    signInAgain: 'It is mended: sign in again',
    renewTitle: 'Renew your consent',
    renewing: (at: string) =>
      `You agreed on ${at}. When you renew, your plan, your snapshots and this record stay, and the token is replaced by a new one.`,
  },
  grant: {
    title: 'Your consent',
    none: 'You have not agreed to anything.',
    agreed: 'Agreed',
    earlier: 'Agreed before',
    earlierMore: 'any before these are in the data that you can download under Settings',
    provider: 'Provider',
    scope: 'Scope',
    state: 'State',
    states: {
      active: 'active',
      suspect: 'active, but refused by the provider last time',
      needs_consent: 'ended',
      withdrawn: 'withdrawn',
    },
    record: 'What you agreed to, word for word',
    version: (version: string, language: string) => `words of ${version} (${language})`,
    versionName: 'Version',
    oldRecord: 'This is an older record: it holds what was agreed, but not the sentences that you read.',
    old: {
      files: 'Your files at',
      window: 'Nights',
      zone: 'Time zone',
      kept: 'Kept',
      rest: 'The record as it is stored',
    },
    kept: 'Whatever it says of nights, weeks and months: all of your snapshots are kept, until you agree that some go.',
    since: {
      title: 'What has changed since',
      nothing: 'Nothing: your nights are as you agreed.',
      unknown: 'The record does not say enough to compare.',
      files: (was: string, is: string) => `Your files are fetched from ${is}. When you agreed, it was ${was}.`,
      calendars: (was: string, is: string) => `Your calendars are fetched from ${is}. When you agreed, it was ${was}.`,
      contacts: (was: string, is: string) => `Your contacts are fetched from ${is}. When you agreed, it was ${was}.`,
      window: (was: string, is: string) => `Your nights are between ${is}. When you agreed, it was ${was}.`,
      zone: (was: string, is: string) => `Your nights are those of the time zone ${is}. The record names ${was}.`,
      kept: (was: RetentionRule, is: RetentionRule) =>
        `Of your snapshots stay ${staying(is)}. When you agreed, it was ${staying(was)}.`,
      words:
        'Nightkeep asks for consent in other words today. Yours stays as it stands here; renew it to read and agree to those of today.',
    },
    lasts: {
      title: 'How long it lasts',
      used: 'It was used',
      night: 'The next night uses it, and the time unused begins anew',
      kept: 'Nightkeep uses it at the latest, also where no night does: it asks your provider for access, and the time unused begins anew',
      idle: (time: string) =>
        `It ends by itself if nothing has used it by then: your provider ends what nobody used for ${time}`,
      max: 'It ends, however often it is used: that is the longest your provider allows',
      reminder: (days: number, mailed: boolean) =>
        `You are reminded here${mailed ? ' and by mail' : ''}: ${days === 1 ? '1 day is' : `${formats.number(days)} days are`} left`,
      idleLearned: (time: string) => `Unused, it ends after ${time}: the tokens of your provider say so.`,
      idleSet: (time: string) =>
        `Unused, it ends after ${time}: the operator has set that up, or the make of your provider is known for it. The tokens themselves do not say.`,
      maxUnknown:
        'Whether it also ends on a fixed day is not known: neither your provider nor the operator has told Nightkeep of one. If it does, this page says so afterwards, and you can agree again.',
      days: (count: number) => (count === 1 ? '1 day' : `${formats.number(count)} days`),
      hours: (count: number) => (count === 1 ? '1 hour' : `${formats.number(count)} hours`),
      minutes: (count: number) => (count === 1 ? '1 minute' : `${formats.number(count)} minutes`),
      mail: {
        to: (address: string) => `Nightkeep mails you at ${address} 14, 7 and 2 days before a fixed end.`,
        noServer: 'Nightkeep sends no mail here: you read it on these pages only.',
        muted: 'Nightkeep does not mail you of it, as you chose in the settings: you read it on these pages only.',
        noAddress:
          'Nightkeep mails you nothing, since your provider tells no verified mail address of yours: you read it on these pages only.',
      },
    },
    ended: 'Ended',
    lastUsed: 'Last used',
    askedAgain: 'Asked again',
    renew: 'Renew it now',
    again: 'Agree again',
    ask: 'It is mended at my provider: ask now',
    wayOut: 'To withdraw your consent',
    token: 'Token at your provider',
    revocation: {
      revoked: (at: string) => `ended there too, on ${at}`,
      outstanding: (until: string) =>
        `not ended there yet: the provider did not answer. Nightkeep tries again; it ends by itself on ${until} at the latest. Nobody here can use it any more.`,
      expired: (at: string) => `the provider never answered, but it has ended by itself; destroyed here on ${at}`,
      shredded: (at: string) =>
        `destroyed here on ${at}, so nobody here can use it. Nightkeep cannot end it at your provider, which offers no way to.`,
    },
    endThere: 'To end it there as well:',
    endThereAt: 'the page of your provider about what applications may do',
    endThereBy:
      'take back the access of Nightkeep in your account there if it lists applications, or ask an administrator of it.',
    methods: {
      browser: '',
      device: '(on another device)',
      password: '(with user name and password)',
      service: '(as a service account)',
    },
  },
  uses: {
    title: 'Uses of your consent',
    lead: (days: number) =>
      `Each time Nightkeep asked the provider for access to your files, for ${days === 1 ? 'one day' : `${formats.number(days)} days`} at least.`,
    all: (count: number) => (count === 1 ? 'This is the only one.' : `These are all ${formats.number(count)}.`),
    shown: (count: number): string =>
      count === 1 ? 'This is one of them.' : `These are ${formats.number(count)} of them, the newest first.`,
    none: 'It has not been used yet.',
    noneOlder: 'There are no older ones.',
    older: 'Older ones',
    when: 'When',
    what: 'For',
    answer: 'Answer',
    download: 'Download all of them:',
    ofNight: (night: string) => `the backup of ${formats.night(night)}`,
    purposes: {
      consent: 'your consent',
      run: 'a backup',
      'keep-alive': 'keeping the consent alive',
      heal: 'mending',
    },
    verdicts: {
      ok: 'granted',
      transient: 'no answer, or “not now”; it was asked again later',
      operator: 'Nightkeep itself was refused; it is in the log of the operator',
      person: 'refused',
      unclear: 'refused without a reason; it was asked again later',
      unsound: 'an answer came that a check of Nightkeep refused; it is in the log of the operator',
      ambiguous: 'the answer was lost on its way, or could not be used',
    },
    hints: {
      withdrawn_at_provider: 'it was taken back there',
      signed_out: 'an administrator had signed you out',
      account_disabled: 'your account is disabled there',
      permission_missing: 'the permission for offline access is missing',
      token_reused: 'the token had been used before',
      interaction_required: 'you have to sign in there again',
    } satisfies Record<Hint, string>,
    open: 'no answer yet',
  },
  withdraw: {
    title: 'Withdraw your consent?',
    leads: {
      ended:
        'Nightkeep stops at once, ends the token at your provider and destroys it here. You can agree again later.',
      destroyed:
        'Nightkeep stops at once and destroys the token here, so that nobody here can use it. Your provider offers no way for Nightkeep to end it there. You can agree again later.',
      unknown:
        'Nightkeep stops at once, and nobody here can use the token from then on. Your provider does not answer now: where it can be told, Nightkeep ends the token there too as soon as it answers. You can agree again later.',
    },
    legend: 'Your snapshots',
    keepFor: (days: number, until: string) =>
      `stay ${days === 365 ? 'one year' : days === 1 ? 'one day' : `${formats.number(days)} days`}, until ${until}`,
    eraseNow: 'are erased at once, and Nightkeep cannot bring them back',
    snapshots: 'Your snapshots',
    stay: 'Your snapshots stay until you say otherwise.',
    stayUntil: (at: string) =>
      `Your snapshots stay until ${at}, and then they are erased. Agree again before, and everything goes on as it was.`,
    change: 'Change that',
    erasing:
      'They are to be erased now. A worker does it, and tries again until it is done; this page shows the receipt then.',
    erased: (at: string) => `Everything was erased on ${at}.`,
    erasedWhat: (snapshots: number, files: number, size: string) =>
      `${formats.number(snapshots)} ${snapshots === 1 ? 'snapshot' : 'snapshots'} in ${formats.number(files)} ${files === 1 ? 'file' : 'files'} (${size}) ${snapshots === 1 ? 'was' : 'were'} removed, the keys first. The store was listed again afterwards: nothing is left.`,
    repository: 'Repository',
    choose: 'Go on',
    sureEndTitle: 'End your consent now?',
    sureEndLead: 'No night comes after this. Nothing was changed so far.',
    sureEnd: 'Yes, withdraw my consent',
    sureTitle: 'Erase everything?',
    sureLead:
      'All of your snapshots go from the store, and Nightkeep cannot bring them back. Copies of the store that the operator may have made elsewhere are not touched.',
    sureWithdraw: 'Withdraw and erase everything',
    sureErase: 'Erase everything',
    back: 'No, go back',
  },
  /** Why somebody is protected or not: first what concerns their consent, then what concerns their nights. */
  protection: {
    consent: {
      no_consent: {
        happened: 'Nightkeep needs your consent to back up your files while you are away.',
        act: 'Read what you would agree to; nothing is fetched before.',
      },
      withdrawn: {
        happened: 'You withdrew your consent here.',
        act: 'Nothing is fetched any more. You can agree again whenever you like.',
      },
      withdrawn_by_operator: {
        happened: 'The operator of Nightkeep withdrew your consent here.',
        act: 'Nothing is fetched any more. You can agree again whenever you like.',
      },
      back_channel_logout: {
        happened: 'You were signed out at your provider, and it asked Nightkeep to end your consent as well.',
        act: again,
      },
      ended_at_provider: {
        happened: 'Your provider does not accept your consent any more; it was ended there.',
        act: again,
      },
      withdrawn_at_provider: {
        happened: 'Your consent was taken back at your provider, by you or by an administrator.',
        act: 'If the nights are to go on, agree again.',
      },
      signed_out: {
        happened: 'An administrator of your provider signed you out everywhere, and your consent ended with that.',
        act: again,
      },
      account_disabled: {
        happened: 'Your account is disabled at your provider.',
        act: 'An administrator there can enable it. Your consent then comes back by itself: you need not agree again.',
      },
      permission_missing: {
        happened: 'The permission for offline access was taken away at your provider, from you or from Nightkeep.',
        act: 'An administrator there can give it back. Your consent then comes back by itself, or at once if you agree again.',
      },
      expired_idle: {
        happened: 'Your consent was not used for so long that your provider ended it.',
        act: again,
      },
      expired_maximum: {
        happened: 'Your consent reached the longest time that your provider allows.',
        act: again,
      },
      lost_rotation: {
        happened:
          'Your provider replaced the token of your consent, and the new one was lost before Nightkeep could keep it. It was nothing that you did.',
        act: again,
      },
      token_reused: {
        happened:
          'Your provider was shown a token that had been used before, and ended your consent to be safe. It was nothing that you did.',
        act: again,
      },
      interaction_required: {
        happened: 'Your provider wants you to sign in there again before Nightkeep may go on.',
        act: again,
      },
      consent_ended: { happened: 'Your provider does not accept your consent any more.', act: again },
      lost_answers: {
        happened: 'Answers of your provider were lost on their way, or could not be used.',
        act: (when, asked) => `Nightkeep asks again ${when}; ${nothing(asked)}.`,
      },
      consent_refused: {
        happened: 'Your provider refused your consent last time.',
        act: (when: string) =>
          `Nightkeep asks again ${when}. If you know that it was ended there, agree again; it is mended at once.`,
      },
      consent_unused: {
        happened: 'Your consent was not used for longer than your provider allows.',
        act: 'The operator of Nightkeep can mend it: its workers keep consents alive.',
      },
      consent_ends: {
        happened: 'Your consent ends soon, whatever is done.',
        act: 'Renew it before, and everything goes on as it was.',
      },
      provider_trouble: {
        happened: 'Your provider, or the access of Nightkeep to it, is in trouble.',
        act: (_, asked) =>
          `The operator of Nightkeep can mend it, and it is in their log. Until then${asked ? ',' : ''} ${nothing(asked)}; whether your consent still stands shows after that.`,
      },
    },
    nights: {
      complete: {
        happened: 'Your last backup holds everything that was there.',
        act: (_, asked): string =>
          asked ? 'But for what stands above, there is nothing to do.' : 'There is nothing to do.',
      },
      nothing_to_fetch: {
        happened: 'Nightkeep does not know where your files are.',
        act: 'The operator of Nightkeep can set their address.',
      },
      paused: { happened: 'Your nights are paused.', act: 'The operator of Nightkeep can let them go on.' },
      paused_until: {
        happened: 'Your nights are paused, as you asked.',
        act: (when) => `They begin again ${when}; in your settings you can let them go on before.`,
      },
      paused_beyond_consent: {
        happened: 'Your nights are paused, as you asked, for longer than your consent lasts.',
        act: (when) =>
          `It ends ${when}, whatever is done. Renew it before, and the nights begin again after the pause.`,
      },
      server_away: { happened: 'The server of your files did not answer, or not with your files.', act: triedAgain },
      server_refuses: {
        happened: 'The server of your files does not let Nightkeep in.',
        act: 'The operator of Nightkeep can mend it: the server must accept the tokens of your provider.',
      },
      address_unknown: {
        happened: 'Your provider does not tell Nightkeep what the address of your files needs.',
        act: 'The operator of Nightkeep can mend it: the page of the backup says what is missing. Sign in again after that.',
      },
      address_refused: {
        happened:
          'Your files are at a server that the settings of Nightkeep do not name any more, so it was not asked.',
        act: 'The operator of Nightkeep can mend it: the page of the backup says which server it is. If your files have another address now, you can mend it too: the page Consent names the one that the settings name, and you can agree to that.',
      },
      address_wrong: {
        happened: 'What answers at the address of your files does not list them.',
        act: 'The operator of Nightkeep can mend it: the page of the backup says what was asked, and what came.',
      },
      consent_in_use: {
        happened: 'Another part of Nightkeep had the use of your consent, or ended while it had it.',
        act: triedAgain,
      },
      provider_away: { happened: 'Your provider did not answer, or not with access to your files.', act: triedAgain },
      repository_locked: { happened: 'Another program was at work on your snapshots.', act: triedAgain },
      store_full: {
        happened: 'There is no room left where your snapshots are kept. The snapshots that are there stay as they are.',
        act: 'The operator of Nightkeep can make room: the next backup goes on then.',
      },
      store_trouble: {
        happened: 'The place where your snapshots are kept could not be used.',
        act: 'The operator of Nightkeep can mend it.',
      },
      time_over: {
        happened: 'The backup took longer than one may. What it read is kept, and the next one goes on from there.',
        act: triedAgain,
      },
      service_trouble: {
        happened: 'Nightkeep itself failed.',
        act: 'The operator of Nightkeep can mend it: its log says why.',
      },
      no_worker: {
        happened: 'No worker of Nightkeep takes up your backups.',
        act: 'The operator of Nightkeep can start one, or let the night go on where it is paused.',
      },
      run_under_way: { happened: 'A backup is under way.', act: onlyWait },
      run_waits: {
        happened: 'A backup is waiting for its turn.',
        act: onlyWait,
      },
      no_run: {
        happened: 'No backup was made of late.',
        act: 'Press “Back up now”, or wait for the next night.',
      },
      unreadable: {
        happened: 'Some of your files could not be read.',
        act: 'Look which ones, and why. Where there is an earlier copy, it is kept.',
      },
      damaged: {
        happened: 'Something of what is kept of your files is damaged.',
        act: 'Your next night reads it again, as far as the server of your files still has it; none comes while your nights are paused, or without your consent. The operator of Nightkeep should look at where your snapshots are kept.',
      },
      lost: {
        happened: 'Something of what was kept of your files cannot be restored any more.',
        act: 'Look what it is, and in which snapshots. A complete backup since then did not find it at the server of your files as it was.',
      },
      snapshots_removed: {
        happened: 'Snapshots of yours are gone from where they are kept, and it was not Nightkeep that let them go.',
        act: 'Look which ones. If it was you, say that you have looked. If not, the operator of Nightkeep should find out who can delete there.',
      },
      repository_damaged: {
        happened: 'The place where your snapshots are kept is damaged. Nothing of your files is lost.',
        act: 'The operator of Nightkeep can mend it.',
      },
      repository_gone: {
        happened:
          'Your snapshots are not where they were made, or nothing opens them there: Nightkeep can restore none of them now.',
        act: 'The operator of Nightkeep should look at the place: a disk may not be mounted, or somebody may have deleted something there.',
      },
      key_damaged: {
        happened: 'The recovery key that you were given does not open your snapshots any more.',
        act: 'Have a new one made: without it you depend on Nightkeep.',
      },
      unverified: {
        happened: 'For three days or more nobody has verified that your snapshots can be restored.',
        act: 'The operator of Nightkeep can mend it: its log says why.',
      },
      great_loss: {
        happened:
          'Half of your files or more are not where they were in the snapshot before, or have another content there.',
        act: 'Look whether that is right. What is gone is still in your earlier snapshots.',
      },
      root_gone: {
        happened: 'The server no longer offers a part of your files that it offered the night before.',
        act: 'Look whether that is right. The copy of the night before is kept.',
      },
      great_change: {
        happened:
          'Half of your files or more have another content than in the snapshot before, or are not where they were.',
        act: 'Look whether that is right. What was there is still in your earlier snapshots.',
      },
    },
    /** When something is tried again or begins. */
    soon: 'soon',
    at: (at: string, until: string | undefined) => `on ${at}${until === undefined ? '' : `, and then until ${until}`}`,
  } satisfies {
    consent: Record<ConsentReason, ReasonWords>;
    nights: Record<NightReason, ReasonWords>;
    soon: string;
    at: (at: string, until: string | undefined) => string;
  },
  /** Mails, and webhooks of operators. */
  notices: {
    late: (time: string) => `This is as it was at ${time}: it could not be sent before.`,
    person: {
      subject: {
        protected: 'Nightkeep: renew your consent',
        partly: 'Nightkeep: please look at your last backup',
        late: 'Nightkeep: a night passed without a backup',
        not: 'Nightkeep: your files are not protected at present',
      },
      damaged: 'Nightkeep: something of your backups is damaged',
      unverified: 'Nightkeep: your backups have not been verified for days',
      more: (url: string) => `See more, and mend it: ${url}`,
    },
    digest: {
      subject: 'Nightkeep: people wait for you, or are late',
      sum: ({ whole, partly, late, not }: Record<'whole' | 'partly' | 'late' | 'not', number>) =>
        `Protected: ${whole}. In part: ${partly}. Late: ${late}. Not protected: ${not}.`,
      line: (count: number, reason: string) => `${formats.number(count)} × ${reason}`,
      quoted: (sentence: string) => `“${sentence}”`,
      more: 'nightkeep protection names the people, nightkeep doctor the cure.',
    },
    circuit: {
      subject: 'Nightkeep: the OpenID provider is in trouble',
      happened: (issuer: string) =>
        `${issuer} refuses Nightkeep, or many people at once. Meanwhile no consent is used but for one probe a minute.`,
      more: 'nightkeep circuits says why, nightkeep doctor how to mend it.',
      over: {
        subject: 'Nightkeep: the OpenID provider is used again',
        happened: (issuer: string, span: string) =>
          `Consents at ${issuer} are used again, after ${span} in which none was but for one probe a minute.`,
        more: 'Runs that still wait for it go on by themselves. nightkeep protection names who is not protected.',
      },
    },
    night: {
      begun: (night: string) => `Nightkeep: the night of ${formats.night(night)} has begun`,
      quiet: (night: string) =>
        `Nightkeep: the night of ${formats.night(night)} is over, and nobody waits for you or is late`,
    },
    rotationLost: {
      subject: 'Nightkeep: tokens were lost',
      happened: (grants: number): string =>
        grants === 1
          ? 'The provider replaced the token of one consent, and Nightkeep does not have the new one. This person must agree again.'
          : `The provider replaced the tokens of ${formats.number(grants)} consents, and Nightkeep does not have the new ones. These people must agree again.`,
      more: 'Keep the log, and look in it for grant.save.failed and spool.keep-failed: what arrived must never be lost. Where it has neither, the answer of the provider never arrived, and nightkeep doctor names the cure.',
    },
    snapshotsLost: {
      subject: 'Nightkeep: your earlier snapshots are lost',
      happened:
        'The operator of Nightkeep stated that your earlier snapshots are lost: the place where they were kept is gone. Your consent and your nights stay as they are.',
      act: 'Your next backup begins anew, with a new recovery key. Keep that one: the earlier one opens nothing any more.',
    },
    filesMoved: {
      subject: (what: string) => `Nightkeep: your ${what} are fetched from another address`,
      happened: (what: string, from: string, to: string) =>
        `The operator of Nightkeep stated that the same ${what} of yours have another address now. Your next backup fetches them below ${to}, with the access that your consent gives. When you agreed, it was ${from}.`,
      act: 'If that is right, there is nothing for you to do. If it is not, withdraw your consent, or pause your nights and ask the operator.',
      more: (url: string) => `See more, or agree to the new address: ${url}`,
    },
    healed: {
      subject: 'Nightkeep: what was damaged is whole again',
      happened: 'What was damaged of your backups is whole again: everything that was read of them can be restored.',
      more: (url: string) => `See more: ${url}`,
    },
    repositories: {
      damaged: {
        subject: (people: number): string =>
          people === 1 ? 'Nightkeep: a repository is damaged' : 'Nightkeep: repositories are damaged',
        happened: (people: number) =>
          `Damage was found in the ${people === 1 ? 'repository of one person' : `repositories of ${formats.number(people)} people`}.`,
        more: 'The next night of each such person reads again what the source still has; none comes while nights are paused or once a consent has ended. Look at the disks or the bucket: one that is not mounted looks the same. nightkeep protection names the people, nightkeep doctor the cure.',
      },
      healed: {
        subject: (people: number): string =>
          people === 1 ? 'Nightkeep: a repository is whole again' : 'Nightkeep: repositories are whole again',
        happened: (people: number) =>
          `What was damaged is whole again in the ${people === 1 ? 'repository of one person' : `repositories of ${formats.number(people)} people`}.`,
        more: 'There is nothing to do.',
      },
      unverified: {
        subject: (people: number): string =>
          people === 1 ? 'Nightkeep: a repository is not verified' : 'Nightkeep: repositories are not verified',
        happened: (people: number) =>
          `For three days or more nobody has verified the ${people === 1 ? 'repository of one person' : `repositories of ${formats.number(people)} people`}.`,
        more: 'nightkeep doctor names the people and says why.',
      },
      held: {
        subject: (): string => 'Nightkeep: snapshots do not go by their rule',
        happened: (people: number) =>
          `For three days or more no snapshot of ${people === 1 ? 'one person' : `${formats.number(people)} people`} went by their rule.`,
        more: 'nightkeep doctor names the people, says why, and what to do about it.',
      },
    },
    operatorTold: (at: string, means: string) =>
      `The operator was told on ${at}, by ${means}, that people have this trouble.`,
    means: {
      mail: 'mail',
      json: 'webhook',
      ntfy: 'ntfy',
      slack: 'a chat',
      apprise: 'Apprise',
      healthchecks: 'Healthchecks',
      kuma: 'Uptime Kuma',
    },
  },
  formerAddress: {
    happened: (issuer: string) =>
      `It seems that you were here before, through another address of your provider: ${issuer}.`,
    act: 'What was backed up then is not lost, but not here under this address either. Ask the operator of Nightkeep to move it here before you agree; otherwise you begin anew, beside it.',
  },
  consentEnds: {
    endsIn: (days: number) =>
      days <= 1
        ? 'Your consent ends within a day.'
        : `Your consent ends in ${formats.number(days)} days, whatever is done.`,
    endsAt: (at: string) =>
      `That is the longest that your provider allows, ${at}. Renew it before, and everything goes on as it was.`,
    renew: 'Renew it now',
  },
  verification: {
    title: 'Whether it can be restored',
    verified: (at: string) => `Last verified restorable: ${at}.`,
    notWhole: (at: string) => `Your snapshots were verified on ${at}, and were not found whole yet.`,
    verifiedButLost: (at: string) => `Last verified restorable, but for what is lost: ${at}.`,
    never: 'Your snapshots were not verified yet. That is done once a day, some time after a backup.',
    neverWas: 'Your snapshots were never verified.',
    nothing: 'There is nothing to verify: your next backup makes a repository.',
    what: (days: number) =>
      `Once a day your snapshots are verified: every folder and key file, a random sample of files, which is restored to nothing, and a part of the data, so that all of it is read again within ${days === 1 ? 'a day' : `${days} days`}.`,
    ended: (at: string) => `Nobody verifies your snapshots any more, as they are to be erased on ${at}.`,
    checked: 'Last verification',
    packs: 'Packs of data read then',
    sample: 'Files restored to nothing then',
    compared: 'Files restored to nothing and compared with the server',
    comparedIn: (files: number, at: string) => `${formats.number(files)}, in the backup of ${at}`,
    comparedNever: 'none yet',
    next: 'Next verification',
    soon: 'soon',
    failed: 'The last one could not be done',
    foundAt: (at: string) => `This was found on ${at}.`,
    healedAt: (at: string) => `What was damaged was found healed on ${at}.`,
    files: 'What cannot be restored',
    file: 'File or folder',
    snapshots: 'In the snapshots of',
    more: (count: number) => `and ${formats.number(count)} more`,
    some: 'Only the first of them are listed.',
    whole: (count: number) =>
      `Of ${count === 1 ? 'one snapshot' : `${formats.number(count)} snapshots`} nothing can be restored:`,
    removed: (count: number) =>
      count === 1
        ? 'One snapshot is gone that retention did not let go:'
        : `${formats.number(count)} snapshots are gone that retention did not let go:`,
    superseded:
      'Damaged files lie where your snapshots are kept, which no snapshot needs any more: what was damaged was stored again beside them. They stay, since nothing may be deleted there.',
    accepted: 'You have looked at this. It stays here until a verification finds nothing of it any more.',
    looked: 'I have looked at it',
  },
  retention: {
    title: 'Which snapshots stay',
    link: 'Which snapshots stay, and why',
    erasing: 'All of your snapshots are to be erased now.',
    notAgreed: 'All of your snapshots stay, since you have not agreed that any go.',
    offer: 'So that the past does not grow without end, you can agree to this:',
    agree: 'Agree: let the others go',
    agreedAt: (at: string) => `You agreed to this on ${at}.`,
    alarm:
      'All of your snapshots stay for now: much was gone or changed in a backup, and nobody has looked at it yet. Home says which backup it was.',
    failed:
      'Last time it could not be done to its end: the repository was in use, or could not be read or changed. It is tried again after the next backup.',
    byHand:
      'Nightkeep itself may delete nothing where your snapshots are kept. Those that could go stay until the operator removes them with another key.',
    doneAt: (at: string) => `It was last done on ${at}.`,
    caption: 'Your snapshots',
    snapshot: 'Snapshot',
    what: 'What becomes of it',
    why: 'Why it stays',
    stays: 'stays',
    goes: 'goes after the next backup',
    wouldGo: 'would go',
    goesByHand: 'goes when the operator removes it',
    countsByHand: (staying: number, going: number) =>
      `${formats.number(staying)} ${staying === 1 ? 'stays' : 'stay'}, ${going === 0 ? 'none goes' : `${formats.number(going)} ${going === 1 ? 'goes' : 'go'}`} when the operator removes ${going === 1 ? 'it' : 'them'}.`,
    counts: (staying: number, going: number, agreed: boolean) =>
      agreed
        ? `${formats.number(staying)} ${staying === 1 ? 'stays' : 'stay'}, ${going === 0 ? 'none goes' : `${formats.number(going)} ${going === 1 ? 'goes' : 'go'}`} after the next backup.`
        : `If you agreed, ${formats.number(staying)} would stay and ${going === 0 ? 'none' : formats.number(going)} go.`,
    more: (count: number) =>
      `${count === 1 ? 'One older one is' : `${formats.number(count)} older ones are`} not listed here.`,
    reasons: {
      last: 'one of the last',
      hourly: 'newest of its hour',
      daily: 'newest of its day',
      weekly: 'newest of its week',
      monthly: 'newest of its month',
      yearly: 'newest of its year',
      within: 'not old enough to go',
      tag: 'by its tag',
      oldest: 'the oldest of all',
      everything: 'all stay',
      newest: 'the newest',
      complete: 'the last that holds everything',
      pinned: 'pinned',
      foreign: 'made by another program',
    } satisfies Record<StayReason, string>,
  },
  restores: {
    way: 'Put back',
    title: 'Put back to where it came from',
    lead: 'Nightkeep writes this into a new folder among your files at the source. Nothing that is there is changed.',
    what: 'What',
    all: 'Everything of this snapshot',
    asOf: 'As it was',
    size: 'Size',
    sizeOf: (files: string, size: string, count: number) => `${files} ${count === 1 ? 'file' : 'files'}, ${size}`,
    asFiles:
      'Calendars and contacts are written there as files (.ics and .vcf): Nightkeep changes no calendar and no address book. Import these files in your calendar or address book, or download them instead.',
    newFolder: 'The new folder is called “Restored”, with the date and time of today.',
    access:
      'Your provider asks you whether Nightkeep may do this: what you agreed to for the nights is not used for it.',
    notKept: 'This access is kept in memory until everything is written, and then dropped.',
    begin: 'Go to the provider and put it back',
    back: 'Back to the snapshot',
    running: 'Something is being put back already.',
    see: 'See how far it is',
    stateTitle: 'Put back',
    states: {
      asked: 'Nothing is written yet: your provider has not said yes. Begin again at the snapshot.',
      running: 'It is being written to your files.',
      succeeded: 'Everything is written. Look for the folder among your files.',
      partial: 'It is written but for what is listed below.',
      failed: 'It could not be written to its end. What was written is in the folder.',
      cancelled: 'It was cancelled. What was written before is in the folder, if there is one.',
      lost: 'The part of Nightkeep that was writing it ended in the middle. What was written is in the folder, if there is one; the rest can be put back by beginning again.',
    },
    failedBefore: 'It could not be begun. Nothing was written.',
    cancel: 'Cancel',
    cancelling: 'It is being cancelled.',
    progress: 'How much is written',
    folder: 'Folder at the source',
    written: 'Files written',
    of: (files: string) => ` of ${files}`,
    bytes: 'Data written',
    started: 'Begun',
    finished: 'Ended',
    problems: (count: string) => `Not written: ${count}`,
    problemsCaption: 'What could not be written, and why',
    path: 'Path',
    why: 'Why',
    more: (count: string) => `And ${count} more.`,
    toSnapshot: 'To the snapshot',
  },
  snapshots: {
    title: 'Snapshots',
    none: 'There is no snapshot.',
    taken: 'Taken',
    files: 'Files',
    kept: 'All nights that are kept',
    zone: (zone: string) => `Times are those of ${zone}.`,
    root: 'All files',
    columns: { name: 'Name', size: 'Size', changed: 'Changed' },
    sortBy: { name: 'Sort by name', size: 'Largest first', changed: 'Changed last first' },
    fileCount: (files: number) => (files === 1 ? '1 file' : `${formats.number(files)} files`),
    sum: (entries: number, files: number | undefined, size: string | undefined) => {
      const here = entries === 1 ? '1 entry' : `${formats.number(entries)} entries`;
      if (files === undefined || size === undefined) return here;
      return `${here}; ${files === 1 ? '1 file' : `${formats.number(files)} files`} in all, ${size}`;
    },
    linkTo: 'a link to',
    special: 'a device or pipe, which is not brought back',
    unreadableEntry: 'damaged, or of a kind that is not known',
    zip: (size: string | undefined) => `Download this folder (zip${size === undefined ? '' : `, ${size}`})`,
    zipAll: (size: string | undefined) => `Download everything (zip${size === undefined ? '' : `, ${size}`})`,
    empty: 'This folder is empty.',
    contents: (zone: string) => `Contents of this folder; times are those of ${zone}`,
    pages: 'Pages of this folder',
    entries: (first: number, last: number, all: number) =>
      `Entries ${formats.number(first)} to ${formats.number(last)} of ${formats.number(all)}`,
    nightPages: 'Pages of nights',
    nightsShown: (first: number, last: number, all: number) =>
      `Nights ${formats.number(first)} to ${formats.number(last)} of ${formats.number(all)}`,
    previous: 'Previous page',
    following: 'Next page',
    where: 'Where you are',
    night: 'The night',
    nights: 'Other nights',
    asAt: (time: string, zone: string) => `as it was at ${time} in ${zone}`,
    earlier: 'earlier',
    later: 'later',
    stateOf: (moment: string) => `As it was on ${moment}`,
    goTo: 'Go to',
    go: 'Show',
    all: (nights: number) => (nights === 1 ? 'The only night' : `All ${formats.number(nights)} nights`),
    states: {
      first: 'new',
      other: 'changed',
      same: 'as the night before',
      absent: 'not there',
      unread: 'not known',
    },
    preview: 'Preview',
    previewOf: (name: string) => `Preview of ${name}`,
    noPreview: 'This file is not shown here; download it to open it.',
    emptyFile: 'This file is empty.',
    cut: (size: string) => `These are the first ${size}; download the file for all of it.`,
    damagedSnapshots: (count: number) =>
      count === 1
        ? 'One snapshot cannot be read, as its file in the store is damaged; it is missing here. The operator of Nightkeep must look into it.'
        : `${formats.number(count)} snapshots cannot be read, as their files in the store are damaged; they are missing here. The operator of Nightkeep must look into it.`,
    damaged: 'This file cannot be read in this snapshot. Another version of it may be whole.',
    fileFacts: (size: string, moment: string) => `${size}, changed ${moment}`,
    download: 'Download this version',
    downloadOf: (moment: string) => `Download the version of ${moment}`,
    versions: (count: number) => (count === 1 ? 'The only version' : `${formats.number(count)} versions`),
    fromTo: (first: string, last: string) => `${first} to ${last}`,
    notFile: 'no file then',
    newerVersions: 'Newer versions',
    olderVersions: 'Older versions',
    versionsCut: 'There may be more versions: not all nights could be looked through.',
    whatChanged: 'What changed since the night before',
    changesTitle: 'What changed',
    between: (since: string, until: string, zone: string) => `Between ${since} and ${until} (${zone})`,
    firstNight: (moment: string) => `${moment} is the first night that is kept: there is nothing to compare it with.`,
    since: 'Compare with',
    compare: 'Compare',
    backToFolder: 'Back to the folder',
    what: 'What',
    kinds: { new: 'new', changed: 'changed', gone: 'gone' },
    noChanges: 'Nothing changed here.',
    changeCount: (count: number) => (count === 1 ? '1 change' : `${formats.number(count)} changes`),
    wholeFolder: 'the whole folder',
    sizeBefore: (size: string) => `${size} → `,
    changesCut: 'There may be more: not everything could be compared or shown. Look into the folders one by one.',
    changePages: 'Pages of changes',
    find: 'Find a name in every night',
    search: 'Find',
    found: 'Names that contain',
    findIn: 'Looked for below',
    findEverywhere: 'Look everywhere',
    foundCount: (found: number, nights: number, zone: string) =>
      `${found === 0 ? 'Nothing' : formats.number(found)} found in ${nights === 1 ? 'one night' : `${formats.number(nights)} nights`}. Times are those of ${zone}.`,
    lastThere: 'Last there',
    stillThere: 'in the last night',
    tooMany: (most: number) =>
      `More than ${formats.number(most)} were found; these are the first of them. A longer text finds less.`,
    stopped: (nights: number, moment: string) =>
      `The search stopped after ${nights === 1 ? 'one night' : `${formats.number(nights)} nights`}, at ${moment}: there is a lot to look through.`,
    stoppedWithin: (moment: string) =>
      `The search stopped within the night of ${moment}: there is too much to look through at once. Search in a folder.`,
    unreadable: (folders: number) =>
      `${folders === 1 ? 'One folder' : `${formats.number(folders)} folders`} could not be read; what is in there is not found here.`,
    searchOn: 'Go on with the nights before',
    foundPages: 'Pages of what was found',
  },
  recovery: {
    title: 'Recovery',
    lead: 'Your snapshots are an ordinary restic repository. With the recovery key and the free program restic, they can be restored without Nightkeep.',
    none: 'There is no repository. Your next backup makes one.',
    adopt: {
      title: 'Your snapshots of before',
      link: 'You have a recovery key of before? Get your snapshots back',
      lead: 'If you were backed up here before and Nightkeep no longer knows it, your recovery key shows that those snapshots are yours. Do this before you agree to backups again.',
      where: 'Both stand on your recovery sheet: the repository at its top, and the recovery key.',
      folder: 'Repository',
      key: 'Recovery key',
      button: 'These snapshots are mine',
      after: 'The key is used to open the repository and is kept nowhere. It goes on to be your recovery key.',
      has: 'You have a repository here, with the snapshots that the page Snapshots shows. A second one cannot be added to it; the recovery key opens that one without Nightkeep.',
      back: 'To the page Recovery',
      refused: {
        another: 'You have a repository here already. It stays yours, and nothing was changed.',
        known: 'That repository belongs to somebody here already. Nothing was changed.',
        others: 'That repository is somebody else’s: Nightkeep can still read whose it is. Nothing was changed.',
        misspelled:
          'That is no recovery key: one has six groups of five letters and digits. Type it as it stands on your recovery sheet. Nothing was changed.',
        wrong:
          'There is no such repository in the store, or this recovery key does not open it. Look at the top of your recovery sheet and at all six groups again: a key that was replaced by a newer one opens nothing. Or ask the operator whether the store is the one of before.',
      },
    },
    state: {
      unseen: 'You have not seen your recovery key yet',
      unseenLead: 'Have paper, a printer or a password manager at hand.',
      seen: (at: string) => `Your recovery key was shown on ${at}`,
      seenLead: 'Whether you kept it is not known yet. Type a part of it, or have it shown again.',
      kept: (at: string) => `You have your recovery key: you showed that on ${at}`,
      keptLead: 'It is not here any more. Try it now and then: the commands below need nothing of Nightkeep.',
      lost: (at: string) => `Your recovery key was shown on ${at}, and is not here any more`,
      lostLead: 'Whether you kept it is not known. If you do not find it, have a new one made.',
    },
    show: 'Show the recovery key',
    prove: {
      title: 'Show that you kept it',
      lead: 'Once you have it on paper or in a password manager, type these two groups of five from there. Nightkeep then deletes the key here.',
      third: 'Third group',
      fifth: 'Fifth group',
      button: 'I have kept it',
      wrong: 'These are not the third and the fifth group of your recovery key. Look again; nothing was deleted.',
    },
    reissue: {
      title: 'If you lost it',
      lead: 'Nightkeep can make a new recovery key, which takes the place of the old one.',
      button: 'Make a new recovery key',
      sureTitle: 'Make a new recovery key?',
      sureLead:
        'The old one no longer opens your repository where it lies, unless the store lets Nightkeep delete nothing. It still opens copies of the repository from before. The snapshots stay as they are.',
      sure: 'Yes, make a new one',
      back: 'No, go back',
      stays: (count: number) =>
        `${count === 1 ? 'A recovery key that was replaced still opens' : `${count} recovery keys that were replaced still open`} your repository where it lies: the store did not let Nightkeep delete ${count === 1 ? 'it' : 'them'}. The newest one works all the same. Each verification tries again; where the store lets Nightkeep delete nothing, the operator of Nightkeep can.`,
    },
    foreign: {
      title: 'Other keys open your repository',
      lead: 'Nightkeep did not make them. If they are not yours, remove them: somebody added them with your recovery key or with access to the store. Whoever used one may have kept a copy of what it opens.',
      added: 'Added',
      by: 'By',
      noDate: 'not known',
      button: 'Remove',
      unknown: 'Whether other keys open your repository cannot be told just now. Try again later.',
    },
    sheet: {
      title: (name: string) => `Recovery sheet of ${name}`,
      hint: 'Print this page, or save it as a PDF, and keep it where you find it without this computer. Whoever has it and a copy of the repository can read all of your snapshots.',
      of: (repository: string, at: string) => `Repository ${repository}, sheet of ${at}`,
      key: 'Recovery key',
      qr: 'The recovery key as a QR code',
      without: 'It stands on the sheet that you printed, or in your password manager.',
      how: 'How to get everything back',
      restic: 'Get restic, a free program (restic.net), version 0.14 or newer:',
      copy: (folder: string) => `Get a copy of your repository: the folder ${folder}.`,
      where: (path: string) =>
        `It lies where you cannot get at it yourself: ask the operator of Nightkeep for a copy, on a disk for example. The operator finds it at ${path}.`,
      bucket: {
        key: 'Ask the operator of Nightkeep for a key to the object store that may read your repository: an ID and a secret.',
        where:
          'Your repository lies in an object store, at the address in the commands below. Keep the key apart from this sheet; without it, the recovery key opens nothing.',
        certificates:
          'Ask for the file store-ca.pem too, which holds the certificates of the store, and put it into the folder where you restore.',
        type: 'Open a terminal (on Windows: PowerShell) in an empty folder and type this, with your key in the places of ID and SECRET. Where restic asks for a password, type the recovery key.',
      },
      type: 'Open a terminal (on Windows: PowerShell) in the folder that holds the copy, and type this. Where restic asks for a password, type the recovery key.',
      unix: 'Linux and macOS',
      windows: 'Windows',
      after:
        'Your files are in the folder “restored” then. The first command lists the snapshots: for an earlier night, put its ID in the place of “latest”.',
    },
  },
  setup: {
    title: 'Set up Nightkeep',
    lead: 'This installation is new: no operator has signed in yet. Whoever runs it can see here what is set and what is missing.',
    token: 'Setup token',
    whereToken: 'It stands in what “nightkeep start” printed. This page is gone once an operator has signed in.',
    show: 'Show what is set',
    wrong: 'That is not the token that the start printed.',
    well: 'Nothing is wrong. Save the keyring, then sign in as an operator.',
    toDo: (count: number) =>
      `${count === 1 ? 'One thing is' : `${formats.number(count)} things are`} wrong. Mend what is named below, start Nightkeep again, and come back here.`,
    found: 'What the doctor finds',
    states: { ok: 'well', warn: 'look at it', wrong: 'wrong', unknown: 'not known' },
    backups: 'Backups of a lost installation',
    backupsLead: (count: number) =>
      `The store holds ${count === 1 ? 'one repository' : `${count} repositories`} that this database does not know. Each goes back to the person that its card names: they sign in and agree again, and the nights go on where they were.`,
    exported: (at: string) =>
      `What Nightkeep itself knew lies there too, as it was on ${at}: consents, plans and records. To bring that back as well, stop Nightkeep, and before you take over anything or anybody signs in, type:`,
    moreBackups: (count: number) => `And ${count} more: nightkeep adopt --dry-run lists all of them.`,
    adopt: 'Take over what can be read',
    keyring: 'Save the keyring',
    keyringLead:
      'Tokens and repository passwords are sealed with it. Without it nothing opens again: keep a copy apart from the backups of the database.',
    keyringSet: (where: string) => `It comes from ${where}.`,
    keyringMade: (file: string) => `It was made at the first start, in ${file}.`,
    keyringNone: 'There is none yet, or it cannot be read: one is made at the first start that has all settings.',
    keyringKeys: (ids: string) => `Its keys, the newest first: ${ids}. The copy must begin its lines with the same.`,
    rest: (count: number) => `What is well, or cannot be seen yet (${formats.number(count)})`,
    settings: 'What is set',
    usual: (count: number) => `Everything else, as it is by default (${formats.number(count)})`,
    next: 'Then',
    nextLead:
      'Sign in with an account that has the operator’s role. Afterwards nightkeep doctor and nightkeep settings tell the same.',
    signIn: 'Sign in',
    hint: 'This installation is new: no operator has signed in yet. If you run it, see what is set and what is missing.',
    link: 'Set up Nightkeep',
  },
  /** What went wrong, once, and what can be done; where nothing says what happened, the error itself does. */
  errors: {
    wait: (time: string) => `You can do it again in ${time}.`,
    told: told({
      'request/invalid': { title: 'That could not be understood' },
      'request/wrong-method': { title: 'Not in this way' },
      'request/wrong-type': { title: 'That could not be understood' },
      'request/forbidden': { title: 'Not allowed' },
      'request/operators-only': {
        title: 'For operators only',
        act: 'An administrator of your provider can give you that role. Sign out and in again after that.',
      },
      'request/too-many': {
        title: 'That was too often',
        happened: 'This was asked for more often than one person, or one address, may ask. Your backups go on.',
      },
      'request/not-found': { title: 'Not found' },
      'repository/not-found': { title: 'Not found' },
      'repository/not-usable': {
        title: 'Your snapshots cannot be read',
        happened: 'The place where your snapshots are kept could not be used.',
        act: 'The operator of Nightkeep can mend it: its log says why.',
      },
      'repository/no-such-snapshot': { title: 'Not found', happened: 'There is no such snapshot, or not any more.' },
      'repository/no-such-path': { title: 'Not found' },
      'repository/damaged': {
        title: 'This cannot be read',
        happened: 'A part of this snapshot is damaged.',
        act: 'Another night may hold it whole: choose one among your snapshots. The operator of Nightkeep finds the details in the log.',
      },
      'consent/invalid-callback': { title: 'Please start again' },
      'consent/foreign-answer': { title: 'That was no answer of your provider' },
      'consent/denied': {
        title: 'You did not agree',
        happened: 'You or your provider said no, so nothing was changed.',
        act: 'You can agree whenever you like.',
      },
      'consent/not-offline': {
        title: 'Your provider does not allow it yet',
        happened: 'You signed in, but your provider does not let Nightkeep work while you are away.',
        act: 'An administrator of your provider can allow it: your account and Nightkeep both need the permission offline_access there. Then agree again.',
      },
      'provider/refused': { title: 'Your provider refused' },
      'provider/refused-client': {
        title: 'Your provider does not accept Nightkeep',
        happened: 'Your provider refused Nightkeep itself; that is not about you.',
        act: 'The operator of Nightkeep can correct its settings at the provider: the log says what is wrong.',
      },
      'provider/wrong-answer': {
        title: 'The answer of your provider cannot be taken',
        act: 'Nothing was changed. Show this to the operator of Nightkeep, who can mend it.',
      },
      'source/missing-claim': {
        title: 'It is not ready for you yet',
        act: 'So no backup could work, and nothing was agreed. Show this to the operator of Nightkeep, who can mend it.',
      },
      'grant/not-usable': { title: 'Your consent has ended' },
      'grant/wrong-subject': { title: 'That was somebody else' },
      'provider/unavailable': {
        title: 'Your provider has trouble',
        happened:
          'Your provider does not answer right now, or says that it has trouble of its own. Nothing was changed.',
        act: 'Try again in some minutes.',
      },
      'database/unavailable': away,
      'queue/unavailable': away,
      'queue/damaged': away,
      'store/unavailable': away,
      'store/full': away,
    }),
    unexpected: { title: 'That did not work' } as Told,
    agree: 'Back to the consent page',
    signIn: 'Sign in again',
    again: 'Try again',
    back: 'Go back',
    home: 'To the home page',
  },
  operator: {
    menu: { tonight: 'Tonight', grants: 'Grants', queues: 'Queues', audit: 'Audit' },
    pages: 'Pages for operators',
    somebody: 'somebody who was erased',
    tonight: {
      title: 'Tonight',
      courses: {
        paused: 'The night is paused.',
        nobody: 'Nobody is to be backed up in this night.',
        to_come: 'The night has not begun.',
        no_worker: 'Nobody works: runs wait, and no worker takes them.',
        too_slow: 'Tonight will not end in time.',
        on_time: 'Tonight is on time.',
        under_way: 'The night is under way.',
        all_well: 'The night is over, and every backup of it is complete.',
        over: 'The night is over.',
      } satisfies Record<NightCourse, string>,
      countedAt: (at: string) => `Counted ${at}.`,
      toComeAt: (at: string) => `What is to come was counted ${at}.`,
      forecast: {
        title: (needed: number, there: number) => `${formats.hours(needed)} needed, ${formats.hours(there)} there`,
        busiest: (plans: number, from: string, to: string) =>
          `In the busiest hours to come, from ${from} to ${to}, ${formats.number(plans)} ${plans === 1 ? 'backup becomes' : 'backups become'} due.`,
        holds: 'The windows to come hold all backups.',
        mend: {
          provider:
            'Give the provider more processors and let it be asked oftener (OIDC_RATE). A wider window (WINDOW) is for people who agree from then on.',
          workers:
            'Add a worker, or let each do more at once (CONCURRENCY). A wider window (WINDOW) is for people who agree from then on.',
        },
        how: 'By how long the last backups took, the workers of the last night, and how often the provider may be asked.',
      },
      done: (done: number, all: number) =>
        `${formats.number(done)} of ${formats.number(all)} ${all === 1 ? 'backup' : 'backups'} ${done === 1 ? 'has' : 'have'} ended.`,
      expected: (at: string) => `Expected end ${at}, if it goes on as in the last quarter of an hour.`,
      begins: (at: string) => `The first begins at ${at}.`,
      until: (at: string) => `What fails is tried again until ${at} at the latest.`,
      night: (from: string, to: string) => `The night counts from ${from} to ${to}.`,
      bar: (counts: string) => `How far the night is: ${counts}`,
      legend: {
        succeeded: 'complete',
        partial: 'in part',
        failed: 'failed',
        dropped: 'skipped or cancelled',
        running: 'running',
        waiting: 'waiting',
        again: 'to be tried again',
        toCome: 'to come',
      },
      rate: 'Backups an hour',
      rateValue: (perHour: number) => formats.number(perHour),
      rateNone: 'none',
      rateNote: (ended: number) => `${formats.number(ended)} ended in the last quarter of an hour`,
      workers: (count: number) =>
        count === 1 ? '1 worker has runs in hand' : `${formats.number(count)} workers have runs in hand`,
      backlog: 'Waiting',
      oldest: 'Oldest waiting',
      nothingWaits: 'nothing waits',
      partial: 'In part',
      failed: 'Not at all',
      ofNight: 'of this night',
      rotations: 'Rotations lost',
      rotationsNote: 'consents whose token Nightkeep lost; must be 0',
      provider: 'Provider',
      providerWell: 'well',
      providerTrouble: 'in trouble',
      providerNote: 'no circuit is open',
      providerOpen: (issuer: string) => `${issuer}: one request a minute goes there`,
      trouble: 'What went wrong, by cause',
      troubleLead: 'The latest backup of each person, where it did not bring everything.',
      noTrouble: 'Of nobody is it known that their latest backup did not bring everything.',
      cause: 'Cause',
      people: 'People',
      since: 'Since',
      doSomething: 'What to do',
      retry: 'Try again',
      show: 'Show',
      retried: (count: number) =>
        count === 1 ? 'One backup was asked for.' : `${formats.number(count)} backups were asked for.`,
      retriedPart: 'There are more in the group: try again once these are done.',
      outcomes: {
        partial: (cause: string) => `In part: ${cause}`,
        failed: (cause: string) => `Not at all: ${cause}`,
        queued: (cause: string) => `Waits: ${cause}`,
      },
      kept: 'Earlier copies are kept.',
      again: (at: string) => `Tried again by itself, from ${at}.`,
      ended: 'Consent ended at the provider',
      verified: (at: string) => `Verified restorable, of everybody of whom anything was verified, at least: ${at}.`,
      pending: (people: number) => `Not verified yet: ${formats.number(people)}.`,
      damaged: (people: number) =>
        `Damaged: ${people === 1 ? 'one repository' : `${formats.number(people)} repositories`}.`,
      unverified: (people: number) => `Not verified for three days: ${formats.number(people)}.`,
      damagedNote: 'nightkeep doctor names the people.',
      exported: (at: string) => `What Nightkeep itself knows was last exported into the store: ${at}.`,
      exportedNever: 'What Nightkeep itself knows was not exported into the store yet.',
      exportedOff: 'What Nightkeep itself knows is not exported into the store: STATE_EXPORTS is 0.',
      exportLate: 'An export was missed: nightkeep doctor says why.',
      endedNote: 'They read on their pages that they need to agree again.',
      servers: 'Slowest servers',
      serversLead: 'Time of a backup for each request, over the last 24 hours.',
      noServers: 'No backup has ended in the last 24 hours.',
      runs: (count: number) => (count === 1 ? '1 backup' : `${formats.number(count)} backups`),
      nights: 'Thirty nights',
      nightsLead: 'Each bar is a night: complete, in part, failed. Of each person the best backup of the night counts.',
      noNights: 'No night has passed yet.',
      numbers: 'The same in numbers',
      nightOf: ({
        night,
        succeeded,
        partial,
        failed,
      }: Record<'succeeded' | 'partial' | 'failed', number> & { night: string }) =>
        `${night}: ${succeeded} complete, ${partial} in part, ${failed} failed`,
    },
    grants: {
      title: 'Grants',
      states: {
        active: 'active',
        suspect: 'suspect',
        needs_consent: 'ended',
        withdrawn: 'withdrawn',
        none: 'never agreed',
      },
      /** Why a consent is as it is, beside its state. */
      reasons: {
        withdrawn: 'by the person',
        withdrawn_by_operator: 'by an operator',
        client_changed: 'by a consent for another client',
        back_channel_logout: 'signed out at the provider, which asked for it',
        ended_at_provider: 'the provider does not accept it any more',
        withdrawn_at_provider: 'taken back at the provider',
        signed_out: 'signed out there by an administrator',
        account_disabled: 'the account is disabled there',
        permission_missing: 'the permission for offline access is missing',
        expired_idle: 'not used for too long',
        expired_maximum: 'the longest time was reached',
        lost_rotation: 'Nightkeep lost a token',
        token_reused: 'a token was used twice',
        interaction_required: 'the provider wants a new sign-in',
        lost_answers: 'answers of the provider were lost, or could not be used',
        consent_ended: 'it has ended',
        imported: 'imported without its token',
      } as Readonly<Record<string, string>>,
      notes: {
        active: 'used at night',
        suspect: 'refused of late, asked again by itself',
        needs_consent: 'these people need to agree again, or their account to be mended at the provider',
        withdrawn: 'nothing is fetched any more',
      },
      forecast: 'Ends ahead',
      forecastLead: (days: number) =>
        `Consents that end within ${days === 1 ? 'a day' : `${formats.number(days)} days`}.`,
      forecastMax: (count: number, all: number) =>
        `${formats.number(count)} of ${formats.number(all)} ${count === 1 ? 'ends whatever is done: this person has' : 'end whatever is done: these people have'} to renew.`,
      forecastIdle: (count: number) => `${formats.number(count)} would end if nothing were exchanged from now.`,
      byDay: (day: number, max: number, idle: number) =>
        `In ${formats.number(day)} ${day === 1 ? 'day' : 'days'}: ${formats.number(max)}, or ${formats.number(idle)} without an exchange`,
      numbers: 'The same in numbers',
      verdicts: 'Exchanges per hour',
      verdictsLead: 'What the provider said in the last 24 hours: granted, no answer, refused.',
      noVerdicts: 'Nothing was exchanged in the last 24 hours.',
      verdictsOf: (hour: string, ok: number, unanswered: number, refused: number) =>
        `${hour}: ${formats.number(ok)} granted, ${formats.number(unanswered)} without an answer, ${formats.number(refused)} refused`,
      circuits: 'Circuits',
      noCircuits: 'No circuit was ever opened.',
      circuit: (open: boolean, reason: string, at: string) =>
        open ? `open since ${at}: ${reason}` : `closed on ${at}; it was: ${reason}`,
      people: 'People',
      search: 'User name, name, subject or id',
      state: 'State',
      any: 'any',
      show: 'Show',
      none: 'There is nobody like that.',
      more: 'More people',
      first: 'From the beginning',
      person: 'Person',
      idle: 'Ends unless used before',
      max: 'Ends at the latest',
      next: 'Next night',
      paused: 'paused',
    },
    queues: {
      title: 'Queues',
      place: { postgres: 'It lives in PostgreSQL.', redis: 'It lives in Redis.' },
      runs: 'The queue gives out runs.',
      pausedBy: (who: string, at: string) => `The night was paused by ${who} on ${at}.`,
      pausedElsewhere:
        'The queue is paused, and not by Nightkeep: another program did that, such as a queue board. No worker takes a run.',
      pausedNote: 'No worker takes a run; those under way go on.',
      reason: (words: string) => `The reason: ${words}`,
      damaged:
        'Another program put something of its own where Redis keeps the queue, so that no run is given out. Nothing is lost: runs are in PostgreSQL, and are queued again once it is deleted.',
      away: 'The queue does not answer. Nothing is lost: runs are in PostgreSQL, and are queued again once it is back.',
      waiting: 'Waiting',
      active: 'In hand',
      delayed: 'Delayed',
      notes: { waiting: 'for a worker', active: 'workers have them', delayed: 'to be tried again later' },
      pause: 'Pause the night',
      pauseLead: 'While the night is paused, no worker takes a run, on any machine. Those under way go on.',
      resume: 'Let the night go on',
      drain: 'End the night early',
      drainLead:
        'Runs under way go on. Those that wait are skipped and come again next night. Backups that somebody asked for keep their place.',
      drainTitle: 'End the night early?',
      drainNow: 'End this night',
      back: 'No, go back',
      why: 'Why (for the audit)',
      jobs: 'Jobs',
      jobsLead: (shown: number) => `At most ${formats.number(shown)} of them, those in hand first.`,
      board: 'Each job, with Bull Board',
      readOnly: 'The queue board is for looking only: QUEUE_BOARD is not `writable`.',
      noJobs: 'The queue is empty.',
      job: 'Job',
      state: 'State',
      since: 'Put in',
      states: { active: 'in hand', waiting: 'waiting', delayed: 'delayed' },
      told: {
        paused: 'The night is paused.',
        resumed: 'The night goes on.',
        drained: 'The night ends early: what waited is skipped.',
        unchanged: 'Nothing was changed: it is so already.',
      },
    },
    person: {
      verdicts: {
        protected: 'protected',
        partly: 'partly protected',
        late: 'late',
        not: 'not protected',
      } satisfies Record<ProtectionVerdict, string>,
      damaged: (files: number, snapshots: number, since: string) =>
        `Damage, known since ${since}: ${formats.number(files)} ${files === 1 ? 'file or folder' : 'files or folders'}${files >= mostNames ? ' or more' : ''} cannot be restored${snapshots === 0 ? '' : `, and nothing of ${formats.number(snapshots)} ${snapshots === 1 ? 'snapshot' : 'snapshots'}`}.`,
      damages: {
        gone: 'the repository is not there, or nothing opens it',
        healing: 'the next night reads it again',
        lost: 'a complete night did not bring it back',
        removed: 'snapshots are gone from the store that nobody let go',
        key: 'the person needs a new recovery key',
        mending: 'nothing of it is lost',
        superseded: 'no snapshot needs what is damaged',
        accepted: 'the person has looked at what is lost',
      } satisfies Record<DamageState, string>,
      notVerified: (cause: string) => `The last verification could not be done: ${cause}.`,
      reads: (sentence: string) => `What they read on their home page: “${sentence}”`,
      who: 'Who',
      name: 'Name',
      id: 'Id',
      subject: 'Subject',
      issuer: 'Provider',
      signedIn: 'Signed in last',
      never: 'never',
      consent: 'Consent',
      state: 'State',
      lastUsed: 'Last used',
      asked: 'Asked again',
      plan: 'Nights',
      window: 'Window',
      next: 'Next',
      runs: 'Backups',
      runsLead: 'The newest fifty. Neither files nor names of files are shown here.',
      noRuns: 'There is none.',
      night: 'Night',
      outcome: 'Outcome',
      cause: 'Cause',
      notRead: (count: number) => (count === 1 ? 'one entry not read' : `${formats.number(count)} entries not read`),
      tries: 'Tries',
      started: 'Started',
      took: 'Took',
      actions: 'What you can do',
      actionsLead: 'Each goes into the audit with your name; the person sees what came of it on their pages.',
      why: 'Why (for the audit)',
      askAgain: 'Ask the provider again',
      run: 'Back up now',
      pause: 'Pause their nights',
      resume: 'Let their nights go on',
      signOut: 'Sign them out everywhere here',
      withdraw: 'Withdraw for them',
      withdrawTitle: 'Withdraw for this person?',
      withdrawLead:
        'Their consent ends at once and their nights stop. The snapshots stay until they, or you by the command line, say otherwise. They read that an operator did it, and can agree again.',
      withdrawNow: 'Withdraw their consent',
      back: 'No, go back',
      audit: 'What the audit says of them',
      told: {
        accepted: 'The provider accepts the consent again.',
        refused: 'The provider still refuses the consent.',
        unanswered: 'The provider gave no answer that counts; it is asked again by itself.',
        run: 'A backup was asked for.',
        'no-run': 'The consent has ended, so no backup can run.',
        paused: 'No new night of theirs begins. A backup that is under way or waits goes on.',
        resumed: 'Their nights are no longer paused. Those that were missed are not made up for.',
        'signed-out': 'They are signed out of Nightkeep everywhere. Their consent and their nights are as before.',
        withdrawn: 'The consent has ended here.',
        unchanged: 'Nothing was changed: it is so already.',
      },
    },
    causes: {
      server_away: 'the WebDAV server does not answer, or not with files',
      server_refuses: 'the WebDAV server refuses access',
      address_unknown: 'a claim that the address of files needs is missing',
      address_refused: 'the settings do not name the WebDAV server that was agreed to (FILES_ORIGINS)',
      address_wrong: 'what answers at the address of files does not list them',
      consent_refused: 'the provider refuses the consent',
      consent_in_use: 'another worker uses the consent, or ended while it did',
      provider_away: 'the provider does not answer',
      provider_trouble: 'the provider, or the access of Nightkeep to it, is in trouble',
      repository_locked: 'another program has the repository',
      store_full: 'the store is full',
      store_trouble: 'the store could not be used',
      time_over: 'the backup took longer than one may at a stretch (RUN_TIME)',
      service_trouble: 'Nightkeep itself failed',
    } satisfies Record<RunFault, string>,
    unreadable: 'something could not be read',
    changed: 'files changed while they were read',
    damaged: 'a file of the repository is damaged',
    zone: (zone: string) => `Times are those of ${zone}.`,
    audit: {
      title: 'Audit',
      lead: 'Who did what, on whom and why. Nobody can change an entry, or remove one that is younger than a year, operators included. Where a person is erased, the reasons that were written about them go.',
      when: 'When',
      who: 'Who',
      what: 'What',
      whom: 'On whom',
      about: 'About',
      now: 'at once',
      exports: {
        'into the store': 'into the store',
        'with tokens': 'with offline tokens',
        'without tokens': 'without offline tokens',
      },
      snapshots: (count: number) => `${formats.number(count)} ${count === 1 ? 'snapshot' : 'snapshots'}`,
      files: (count: number) => `${formats.number(count)} ${count === 1 ? 'file or folder' : 'files or folders'}`,
      backups: (count: number) => `${formats.number(count)} ${count === 1 ? 'backup' : 'backups'}`,
      skipped: (count: number) => `${formats.number(count)} ${count === 1 ? 'backup' : 'backups'} skipped`,
      retried: (cause: string, count: number) => `${cause}: ${formats.number(count)} asked for`,
      erased: (snapshots: number, files: number, size: string) =>
        `${formats.number(snapshots)} ${snapshots === 1 ? 'snapshot' : 'snapshots'} with ${formats.number(files)} ${files === 1 ? 'file' : 'files'}, ${size}`,
      kept: (rule: RetentionRule) => (isEmpty(rule) ? 'all of them' : staying(rule)),
      oneSnapshot: (id: string) => `snapshot ${id}`,
      twoSnapshots: (first: string, second: string) => `snapshots ${first} and ${second}`,
      allSnapshots: 'all snapshots',
      toSource: (id: string) => `snapshot ${id}, back to the server of the files`,
      putBack: 'older rows, put back into the database',
      movedAddress: (from: string, to: string) => `from ${from} to ${to}`,
      language: (name: string) => `language: ${name}`,
      browserLanguage: 'as the browser says',
      noMail: (kinds: string) => `no mail of: ${kinds}`,
      everyMail: 'every kind of mail',
      hours: (start: string, end: string, zone: string) => `nights from ${start} to ${end}, ${zone}`,
      why: 'Why',
      filter: 'Filter',
      anybody: 'anybody',
      anything: 'anything',
      person: 'Person (user name, subject or id)',
      since: 'From',
      until: 'Up to and including',
      show: 'Show',
      none: 'There is no such entry.',
      unknownPerson: (name: string) => `Nobody here is called “${name}”, or several people are.`,
      older: 'Older ones',
      newest: 'The newest',
      download: 'Download all of these:',
      actors: {
        user: 'a person',
        operator: 'an operator',
        command: 'the command line',
        provider: 'the provider',
        schedule: 'the schedule',
      } satisfies Record<ActorKind, string>,
      acts: {
        'consent-given': 'agreed',
        'consent-renewed': 'renewed the consent',
        'consent-withdrawn': 'withdrew the consent',
        'consent-asked-again': 'had the provider asked again',
        'key-shown': 'was shown the recovery key',
        'key-kept': 'showed that the recovery key was kept',
        'key-reissued': 'had a new recovery key made',
        'foreign-key-removed': 'removed another key of the repository',
        'erasure-chosen': 'chose when the snapshots are erased',
        'snapshots-erased': 'erased the snapshots',
        'retention-changed': 'changed which snapshots stay',
        'snapshots-forgotten': 'forgot snapshots as agreed',
        'data-pruned': 'removed data that no snapshot needs',
        'repository-repaired': 'mended the repository',
        'key-files-mended': 'made key files of the repository anew',
        'repository-adopted': 'took over the repository of a person from a lost installation',
        'repository-moved': 'moved the repository of a person to another store',
        'repository-lost': 'stated that the repository of a person is lost',
        'old-copy-deleted': 'deleted the copy of a repository that was moved',
        'person-erased': 'erased a person',
        'settings-changed': 'changed settings',
        'changes-confirmed': 'confirmed a great loss or change',
        'losses-accepted': 'looked at what cannot be restored any more',
        'run-requested': 'asked for a backup',
        'runs-retried': 'had a group of backups tried again',
        'plan-paused': 'paused the nights of a person',
        'plan-resumed': 'let the nights of a person go on',
        'signed-out': 'signed a person out of Nightkeep',
        'operator-signed-in': 'signed in as an operator',
        'files-restored': 'restored files of a person',
        'names-read': 'read names of a person’s files',
        'night-paused': 'paused the night',
        'night-drained': 'ended the night early',
        'night-resumed': 'let the night go on',
        'queue-changed': 'changed the queue with its board',
        'refusals-trusted': 'accepted refusals of a provider as true',
        'provider-moved': 'moved people to another address of the provider',
        'files-moved': 'stated another address of what is backed up of a person',
        'database-migrated': 'brought the database up to a new version',
        'keys-rotated': 'sealed everything under the newest key',
        'key-retired': 'retired a key',
        'rows-confirmed': 'confirmed what the database says of a person',
        'service-healed': 'had lapsed work mended',
        'state-exported': 'exported Nightkeep’s own state',
        'state-imported': 'imported Nightkeep’s own state',
        'audit-exported': 'downloaded the audit',
      } satisfies Record<Act, string>,
    },
  },
};

/** What a language has to say: nothing more and nothing less than English says. */
export type Texts = Readonly<typeof texts>;
