import type { Act, ActorKind } from '../../domain/audit.ts';
import { type DamageState, mostNames } from '../../domain/damage.ts';
import type { Hint } from '../../domain/hint.ts';
import type { Language } from '../../domain/language.ts';
import type { ConsentReason, NightReason, ProtectionVerdict } from '../../domain/protection-reasons.ts';
import { mostNotes, type RestorePlace, type writtenInPart } from '../../domain/restore-place.ts';
import type { StayReason } from '../../domain/retention/apply-rule.ts';
import { countWords, isEmpty, type RetentionRule } from '../../domain/retention/rule.ts';
import type { CountName } from '../../domain/run-counts.ts';
import type { RunFault } from '../../domain/run-fault.ts';
import type { SourceName } from '../../domain/source-names.ts';
import type { NightCourse } from '../../domain/tonight.ts';
import { dayMs, hourMs, minuteMs } from '../../durations.ts';
import type { ErrorCode } from '../../errors.ts';
import { formatsIn } from './formats.ts';

/** Whether the page asks something else of the person further up. */
export interface Above {
  readonly asked: boolean;
}

/** What happened, the one thing that fixes it, and who can do that; `when` is "soon", or "on" and a time. */
interface ReasonWords {
  happened: string;
  act: string | ((when: string, above: Above) => string);
}

/** What is backed up, and where it is. */
export type AddressesAgreed = Readonly<Partial<Record<SourceName, string | undefined>>>;

const again = 'Agree again, and your nights continue.';
const nothing = ({ asked }: Above) =>
  asked ? 'apart from what is said above, you do not have to do anything' : 'you do not have to do anything';
const triedAgain = (when: string, above: Above) => `It is tried again ${when}; ${nothing(above)}.`;
const onlyWait = (_when: string, { asked }: Above): string =>
  `${asked ? 'Apart from what is said above, you' : 'You'} do not have to do anything.`;

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
  act: 'Try again in a few minutes. If it does not get better, tell the operator of Nightkeep.',
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
    [dayMs, 'day'],
    [hourMs, 'hour'],
    [minuteMs, 'minute'],
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
const entries = (count: number) => `${formats.number(count)} ${count === 1 ? 'entry' : 'entries'}`;

/** How a restore into a new one of these goes. */
const restoring = (it: string, where: string) => ({
  asked: 'Nothing has been written: your provider has not given access. Begin again at the snapshot.',
  running: `It is being written to a new ${it} ${where}.`,
  succeeded: `Everything is written. Look for the new ${it} ${where}.`,
  partial: 'Everything is written except for what is listed below.',
  failed: `It could not be completed. What was written is in the new ${it}.`,
  cancelled: `It was cancelled. What was written before is in the new ${it}, if there is one.`,
  lost: `The part of Nightkeep that was writing stopped in the middle. What was written is in the new ${it}, if there is one. A new restore begins from the start, in another ${it}.`,
});

/** Every word that people read on the pages and in mails, in one place. */
/** The words of what is in a zip file beside the files. */
export const zipNotes = {
  missing: {
    file: 'NOT RESTORED.txt',
    lead: 'These could not be read from the backup, or no zip file holds them',
    why: {
      damaged: (message: string) => `damaged in the backup. ${message}`,
      unreadable: 'damaged in the backup, or of an unknown kind',
      unsafe: 'a name that would leave its folder',
      special: 'a device, pipe or socket, which no zip file holds',
      tooLarge:
        'what is in this folder is left out, as it is too much for this zip file or too far down. Download it by itself, or a part of it',
    },
  },
  renamed: {
    file: 'RENAMED.txt',
    lead: 'Some systems treat these names as something else, so they are written differently here',
  },
  odd: {
    file: 'OTHER SYSTEMS.txt',
    lead: 'Not every system can hold these names. Where one does not, whatever unpacks this file may change the name, leave the file out, or put it in the place of another',
    why: {
      case: 'for Windows and macOS the same name as',
      form: 'for macOS the same name as',
      long: 'longer than the 255 bytes that Linux allows; Windows and macOS allow 255 characters',
      windows: 'not allowed on Windows',
    },
  },
  more: (count: number) => `And ${formats.number(count)} more.`,
};

export const texts = {
  /** The tag of these words (BCP 47). */
  language: 'en' as Language,
  /** What the language calls itself. */
  languageName: 'English',
  formats,
  name: 'Nightkeep',
  tagline: 'Your data, kept safe every night.',
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
    why: 'So that nobody else can do this in a browser that you left open, your provider asks you to sign in once more.',
    signIn: 'Sign in again to continue',
  },
  signedOut: {
    title: 'You are signed out',
    lead: 'This page was still open when your session here ended, so it no longer shows anything.',
  },
  settings: {
    title: 'Settings',
    told: {
      /** What was pressed for stands now. */
      done: {
        hours: 'Your hours are saved.',
        paused: 'Your nights are paused.',
        resumed: 'Your nights are no longer paused.',
        language: 'Your language is saved.',
        mails: 'Your choice of mails is saved.',
        sources: 'Your choice of what to back up is saved. It counts from the next backup on.',
        'session-ended': 'That browser is signed out.',
        'sessions-ended': 'All other browsers are signed out.',
      },
      /** It does not. */
      not: {
        'no-plan': 'Nothing was saved.',
        held: 'Nothing was changed: an operator of Nightkeep has paused your nights.',
        ended: 'Nothing was changed: without a consent there are no nights.',
        'no-session': 'That browser is not among those where you are signed in.',
      },
    },
    noPlan: 'You are not backed up, so there are no hours to set.',
    hours: {
      title: 'Hours of your nights',
      lead: 'Your backup begins at some moment between these two times, in the time zone below.',
      allowed: (start: string, end: string) => `The operator allows hours between ${start} and ${end}.`,
      from: 'From',
      to: 'To',
      zone: 'Time zone',
      next: (at: string) => `Next night: ${at}.`,
      ended: 'Your consent has ended, so there are no nights. If you agree again, they have these hours.',
      agreed: 'You agreed to the hours of that time; the page Consent shows them, and what has changed since.',
      save: 'Save the hours',
      faults: {
        unreadable: 'Enter two times of day, and choose a time zone from the list.',
        short: 'There must be at least an hour between the two times.',
        outside: 'The operator does not allow these hours.',
      },
    },
    sources: {
      title: 'What to back up',
      lead: 'What you untick is not in new snapshots, from the next backup on. Copies of it in earlier snapshots stay as long as those do. A backup that is running finishes as it began.',
      again: 'What you tick again is read as if for the first time.',
      save: 'Save what to back up',
      fault: 'Tick at least one. To stop everything, pause your nights or withdraw your consent.',
      notAgreed: 'You have not agreed to all of that. Nothing was changed.',
      beyond: (what: readonly SourceName[]) =>
        `Your ${formats.list(what)} can be backed up as well, if you agree to it:`,
      agree: 'Read what you would agree to',
    },
    kept: {
      title: 'What is kept',
      all: 'You have not agreed to let any snapshot go, so all of them stay.',
      link: 'See each snapshot, whether it stays, and why',
    },
    pause: {
      title: 'Pause',
      lead: 'No night begins before the day you choose. Backups that are waiting or running continue. What changes during the pause is not backed up.',
      alive: 'Your consent is kept alive.',
      dead: 'There is a problem with your consent, which a pause does not fix: see the page Consent.',
      until: 'Continue nights on',
      save: 'Pause my nights',
      now: (at: string) => `Your nights are paused until ${at}.`,
      byOperator: 'Your nights were paused by an operator of Nightkeep, who can resume them.',
      ended: 'Your consent has ended, so there are no nights to pause.',
      resume: 'Resume my nights now',
      change: 'Pause until that day instead',
      fault: 'Choose a day from tomorrow on and within a year.',
    },
    language: {
      title: 'Language',
      label: 'Language of pages and mails',
      none: 'As set in my browser',
      save: 'Save the language',
    },
    mails: {
      title: 'Mail',
      lead: (address: string) => `Mail goes to ${address}, the address that your provider gave at your last sign-in.`,
      noAddress:
        'At your last sign-in your provider gave no mail address, or said that it is unverified, so you get no mail.',
      off: 'Nightkeep is not set up to send mail here.',
      legend: 'Mail me',
      kinds: {
        'consent-ends': '14, 7 and 2 days before my consent ends',
        trouble: 'when there is a problem that I can fix, or my snapshots are damaged or not verified',
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
      title: 'Export my Nightkeep data',
      lead: 'One file with everything that Nightkeep’s database holds about you: what you agreed to, your plan, backups, uses of your consent, notices, and who did what. It holds no keys and no tokens; what was backed up is under Snapshots.',
      link: 'Download it as JSON',
    },
    erase: {
      title: 'Erase me',
      lead: 'Your consent, your snapshots and everything else that Nightkeep holds about you.',
      link: 'See what is erased',
      stepTitle: 'Erase everything about me?',
      all: 'This cannot be undone. At once:',
      atOnce: [
        'your consent ends here, your nights stop, and Nightkeep asks your provider to end the token;',
        'the records of what you agreed to, of your backups and of the uses of your consent, notices to you, and your name and mail address are deleted;',
        'every browser is signed out.',
      ],
      later:
        'After that a worker erases all your snapshots, and then whatever had to wait for this. Nightly copies of Nightkeep’s own records are kept, sealed, in the store; those that contain yours are deleted too, or, if the store does not allow that, the operator has to do it. You get a receipt that says what is done and what is still to do.',
      stays:
        'What stays: the receipt, and entries in the audit of what was done and when, under a number that is no longer linked to any name. Your data is not touched where it was backed up from, and neither is your account at your provider.',
      keep: 'If you want to keep anything, download it first:',
      word: 'erase',
      type: (word: string) => `Type “${word}” to continue`,
      button: 'Erase everything about me',
      wrong: 'That was not the right word. Nothing was erased.',
      back: 'Back to the settings',
    },
    receipt: {
      title: 'Receipt: everything about you is erased',
      waitingTitle: 'Receipt: everything about you is being erased',
      number: 'Receipt',
      keep: 'Print this page, or save its address: you are signed out, and there is no other way to get here.',
      begun: (at: string) =>
        `You requested it on ${at}. Since then your consent no longer counts here, and no night begins.`,
      removed: {
        title: 'Deleted at that time',
        consents: 'Records of what you agreed to',
        uses: 'Records of uses of your consent',
        backups: 'Records of backups',
        notices: 'Notices to you',
        events: 'Entries of what happened',
        sessions: 'Browsers signed out',
        person:
          'Your name, your mail address and whatever else your provider had told Nightkeep about you were deleted at that time, too.',
      },
      tokens: {
        title: 'Your consent at the provider',
        outstanding:
          'The provider has not confirmed it yet. Nightkeep keeps trying until the token expires there; then it is destroyed here.',
        revoked: 'The provider has ended the token.',
        expired: 'The token has expired at the provider, and was destroyed here.',
        shredded: 'The provider offers no way for Nightkeep to end the token. It was destroyed here.',
        none: 'There was no token left.',
      },
      snapshots: {
        title: 'Your snapshots',
        kept: 'They are still there. A worker erases them; this page shows when it has.',
        none: 'There were none.',
      },
      rest: {
        title: 'The rest',
        waits:
          'The database row to which tokens and snapshots belong no longer names anybody. It is deleted when nothing else is left to do.',
        gone: (at: string) =>
          `On ${at} nothing about you was left in the database except this receipt and the audit. Copies of the database in the store that contain your data are deleted within some minutes after that, if the store lets Nightkeep delete them.`,
      },
      download: 'Download the receipt as JSON',
    },
  },
  welcome: {
    title: 'Your data, kept safe every night',
    lead: 'Sign in, agree once, and Nightkeep backs up your data every night while you are away. You can see what your consent is used for, and withdraw it at any time.',
  },
  home: {
    adopted:
      'Your earlier snapshots are here: the operator has set Nightkeep up again. Agree again, and your nights continue where they stopped.',
    adoptedSnapshots: 'See them',
    snapshotsLost: (time: string) =>
      `On ${time} the operator of Nightkeep declared your earlier snapshots lost: the place where they were kept is gone. The first backup after that starts over, with a new recovery key; the earlier one no longer opens anything. This message disappears once you have shown that you kept the new one.`,
    snapshotsLostKey: 'See your recovery key',
    /** What of a person it is, in the sentence that follows. */
    sources: { files: 'files', calendars: 'calendars', contacts: 'contacts', mail: 'emails' },
    filesMoved: (what: string, time: string, from: string, to: string) =>
      `On ${time} the operator of Nightkeep declared that your ${what}, unchanged, are now at another address, and your next backup fetches them there: ${to}. When you agreed, it was ${from}. If that is not right, withdraw your consent, or pause your nights and ask the operator. This message disappears once you agree again.`,
    filesMovedAgree: 'Agree to the new address',
    filesMovedConsent: 'See your consent',
    more: {
      what: (what: readonly SourceName[]) => `Your ${formats.list(what)} can be backed up as well.`,
      how: 'Nothing of that is read until you have agreed to it. Renew your consent to read the sentences, and your nights go on as they are either way.',
      see: 'Read what you would agree to',
    },
    title: 'Am I protected?',
    protected: 'Yes, you are protected.',
    soFar: 'So far, yes: your last backup is complete.',
    partly: 'Only in part.',
    butFor: (count: number) => `Yes, except for ${entries(count)}.`,
    late: 'Not quite: a night passed without a backup.',
    /** Of what the last backup could not read. */
    leftOutNow: (what: string) =>
      `Your last backup could not read all of your ${what}. They are left out now: your next backup is without them.`,
    underway: 'Not yet: a backup is running or waiting.',
    expired: 'No: your consent has ended.',
    none: 'No, not yet.',
    not: 'No, not at the moment.',
    agree: 'See what you would agree to',
    look: 'See what happened',
    seeRun: 'See that backup',
    seeConsent: 'See your consent',
    lastOfAll: 'Last backup',
    last: 'Last complete backup',
    never: 'none yet',
    /** Of backups that were made, and of which no snapshot is left. */
    noneLeft: 'none that is still there',
    next: 'Next night',
    nextValue: (day: string, start: string, end: string, zone: string) =>
      `${day}, between ${start} and ${end} (${zone})`,
    tonight: 'tonight',
    comingNight: 'the coming night',
    nightOf: (date: string) => `the night of ${date}`,
    paused: 'paused',
    pausedForAll: 'once an operator resumes the night, which is paused for everybody',
    pausedUntil: (at: string) => `paused until ${at}`,
    renewKey: 'See your recovery key',
    seeVerification: 'See what is known about it',
    verified: 'Last verified restorable',
    butLost: 'except for what is lost',
    notVerified: 'not yet',
    seePause: 'See your pause',
    ends: 'Consent',
    now: 'Back up now',
    recent: 'Recent backups',
    all: 'All backups',
    noRuns: 'There is no backup yet.',
    told: {
      'old-answer':
        'You are signed in. The page that you went back to was an answer from your provider that had been used already or was too old; nothing was changed.',
      unsent:
        'You were no longer signed in when you pressed that button, so nothing was done. You are signed in now: open the page again and repeat it.',
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
      open: 'not over yet, or without a backup',
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
    titleOfEnded: 'What was backed up',
    files: 'Files',
    calendars: 'Calendars',
    contacts: 'Contacts',
    mail: 'Mail',
    nothing: 'Nothing.',
    entries: (count: number, size: string) => `${entries(count)}, ${size}`,
    changes: (added: number, changed: number, gone: number) =>
      `Since the snapshot before: ${formats.number(added)} new, ${formats.number(changed)} changed, ${formats.number(gone)} gone.`,
    unread: (folders: number, single: number) => {
      const what = [
        ...(folders > 0 ? [`${formats.number(folders)} ${folders === 1 ? 'folder' : 'folders'}`] : []),
        ...(single > 0 ? [entries(single)] : []),
      ];
      return `${formats.list(what)} could not be read; where there is a copy from an earlier night, it is kept.`;
    },
    empty:
      'The server listed nothing at all. If that is not right, ask the operator of Nightkeep to check the address and the server.',
    goneFolders: 'Gone as a whole since the snapshot before, and with content that is nowhere else:',
    goneEntries: (count: number) => entries(count),
    goneMore: (count: number) => `${formats.number(count)} more`,
    unreadRoots: (what: string) =>
      `Nothing of your ${what} could be read; where there is a copy from an earlier night, it is kept.`,
    which: 'Which, and why',
    missing: 'The server no longer offers this; the copy from an earlier night is still there.',
    notOffered: 'missing',
    nothingElse: 'Nothing else is backed up.',
    leftOut: 'Left out: you chose so when you agreed.',
    leftOutByYou: (at: string) =>
      `Left out: you chose so on ${at}. Copies in earlier snapshots stay as long as those do.`,
    leftOutByOperator: (at: string) =>
      `Left out: the operator of Nightkeep chose so for you on ${at}. Copies in earlier snapshots stay as long as those do.`,
    change: 'Change it',
    key: 'Recovery key',
    keyKept: (at: string) => `kept: you confirmed that on ${at}`,
    keySeen: (at: string) => `Shown to you on ${at}. Please confirm that you kept it.`,
    keyProve: 'Confirm it',
    keyUnseen: 'You have not looked at it yet. Keep it somewhere safe: with it you can restore even without Nightkeep.',
    keyShow: 'Show it',
    snapshots: 'Browse snapshots',
  },
  run: {
    title: (night: string) => `Backup of ${night}`,
    night: 'Night',
    outcome: 'Result',
    started: 'Started',
    finished: 'Finished',
    why: 'Why',
    trigger: 'Requested by',
    snapshot: 'Snapshot',
    browse: 'Browse what was kept',
    forgotten: (at: string) => `Its snapshot was removed on ${at}, according to the rule that you agreed to.`,
    repaired: (at: string) =>
      `A part of its snapshot was lost. On ${at} it was replaced by one without that part, so the counts here may be higher than what can be restored.`,
    lost: (at: string) =>
      `Its snapshot was removed on ${at}, when the repository was repaired: nothing in it could be restored any more.`,
    removed: (at: string) =>
      `Its snapshot was removed from the store, but not by Nightkeep. You confirmed on ${at} that you had looked at that.`,
    counts: 'All counts',
    problems: 'What could not be read',
    /** Of what a server gives nothing of. */
    refused: (what: readonly SourceName[]) =>
      `Nothing of your ${formats.list(what)} could be backed up: the server did not let you in, or has nothing of yours. If you have no account there, untick that under Settings; your backups are then complete without it. If you have one, the operator of Nightkeep has to find out what is wrong.`,
    more: (named: number, all: number) => `These are the first ${formats.number(named)} of ${formats.number(all)}.`,
    range: (first: number, last: number, all: number) => `${first} to ${last} of ${formats.number(all)}`,
    previous: 'Previous page',
    following: 'Next page',
    path: 'Path',
    instead: 'In your backup',
    copyOf: (at: string) => `a copy from ${at}`,
    copy: 'a copy from an earlier night',
    noCopy: 'nothing',
    waits: (at: string, until: string) => `The backup is tried again on ${at}, and then until ${until}.`,
    confirm: 'Confirm that this is right',
    unreliable:
      'The server said that something was unchanged although it differed from the snapshot before. For now Nightkeep does not rely on that: this backup read everything, and so will the next ones until several in a row have found nothing of the kind.',
    unchecked:
      'The server delivered nothing of what Nightkeep wanted to read again and compare. In this backup, what the server says is unchanged was accepted without a check.',
    confirmed: (at: string) => `You or the operator looked at it on ${at}.`,
  },
  /** Why something could not be read or written, by its code, where the message of that is not in this language. */
  problems: {} as Readonly<Partial<Record<ErrorCode | typeof writtenInPart, string>>>,
  changes: {
    title: 'Result',
    new: 'New',
    changed: 'Changed',
    gone: 'Gone',
    kept: 'Kept from an earlier night',
    which: 'What was new, changed or gone',
    all: 'In the snapshot',
  },
  live: {
    running: 'A backup is running',
    queued: 'A backup is waiting for its turn',
    waits: (at: string) => `It begins on ${at}, or a little later.`,
    soon: 'It begins as soon as a worker is free.',
    halted:
      'The night is paused, so nobody’s backup begins at the moment. Once an operator of Nightkeep resumes the night, this one begins.',
    goesOn: (at: string) =>
      `It has been running for some time, and now lets others go first. What it has read is kept. It continues as soon as nobody is waiting, and it is its turn from ${at} on.`,
    afterNights: (at: string) =>
      `The nightly backups go first. It begins as soon as none of them is waiting, and it is its turn from ${at} on.`,
    progress: 'Progress of the backup',
    steps: {
      access: 'Ask your provider for access',
      repository: 'Open your repository',
      reading: 'Read your data',
      snapshot: 'Write the snapshot',
    },
    done: 'done',
    now: 'now',
    files: 'Entries so far',
    filesOf: (seen: string, expected: string) => `${seen} of about ${expected}`,
    read: 'Data read',
    speed: 'Speed',
    speedValue: (size: string) => `${size} a second`,
    left: 'Time left',
    leftValue: (minutes: number) => {
      if (minutes < 1) return 'less than a minute';
      return `about ${minutes < 120 ? `${minutes} min` : formats.hours(minutes * minuteMs)}`;
    },
    unread: 'Could not be read so far',
    folder: 'Folder',
    see: 'See the progress',
    cancel: 'Cancel this backup',
    cancelTitle: 'Cancel this backup?',
    cancelLead:
      'It ends without a snapshot. Your earlier snapshots and your consent stay as they are, and the next night begins as planned.',
    cancelNow: 'Cancel it',
    keepOn: 'No, let it continue',
    over: 'It has already ended, so there is nothing to cancel.',
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
    entriesResumed: 'Of these, read before the backup was interrupted',
    entriesUnchanged: 'Unchanged according to the server',
    entriesChecked: 'Of these, read again as a check, and the same',
    entriesRestored: 'Of these, also restored from the store as a check',
    entriesUnchecked: 'To be read again as a check too, but not delivered by the server',
    foldersPassedOver: 'Folders not listed, unchanged according to the server',
    entriesKept: 'Could not be read, kept from an earlier night',
    entriesGone: 'Gone since the previous snapshot',
    filesNew: 'New since the previous snapshot',
    filesChanged: 'Changed since the previous snapshot',
    bytesRead: 'Data read',
    dataAdded: 'Data added to your repository',
    totalBytes: 'Data in the snapshot',
    requests: 'Requests',
    ms: 'Time taken',
  } satisfies Record<CountName, string>,
  consent: {
    /** Of the sentences that are agreed to: the day since which they stand so. Whoever changes them writes a new one. */
    version: '2026-11-27',
    /** The same of those that name more than files. */
    versionOfAll: '2026-11-28',
    /** The same of those that are read before it is known who agrees. */
    versionForAnyone: '2026-11-28',
    title: 'Let Nightkeep work while you are away',
    lead: 'Read this before you agree. On the next page, your provider asks you once more.',
    changed: 'These sentences have changed since you opened the page. Please read them again.',
    what: 'What is fetched',
    whatValue: (files: string) => `Your files at ${files}. They are only read; nothing there is changed.`,
    whatValueOfAll: ({ files, calendars, contacts, mail }: AddressesAgreed) => {
      const named = { files, calendars, contacts, mail };
      const what = Object.entries(named).flatMap(([name, at]) => (at === undefined ? [] : [`your ${name} at ${at}`]));
      const [first = ''] = what;
      if (what.length === 1)
        return `Y${first.slice(1)}. ${mail === undefined ? 'They are' : 'It is'} only read; nothing there is changed.`;
      return `Y${what.slice(0, -1).join(', ').slice(1)}, and ${what.at(-1)}. They are only read; nothing there is changed.`;
    },
    leftOut: 'What is left out',
    leftOutValue: (what: readonly SourceName[]) =>
      `Your ${formats.list(what)}. Nothing of that is read unless you agree to it later.`,
    when: 'When',
    whenValue: (start: string, end: string, zone: string) =>
      `Every night between ${start} and ${end} (time zone ${zone}), and once right after you agree.`,
    whenUnlessNamed: (start: string, end: string, zone: string) =>
      `Every night between ${start} and ${end} (time zone ${zone}, or your own where your provider names it), and once right after you agree.`,
    whenUnlessPlanned: (start: string, end: string, zone: string) =>
      `Every night between ${start} and ${end} (time zone ${zone}, or your own where your provider names it), and once right after you agree. If you have nights here already, their hours stay as they are.`,
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
    choose: 'What to back up',
    chooseHow:
      'Untick what is not to be backed up, or what you have no account for; one has to stay. After a change you read the sentences again before anything is agreed.',
    chooseNone: 'Tick at least one: without that there would be nothing to back up. Nothing was agreed.',
    chosen: 'You changed what to back up. These are the sentences for that: please read them, then agree.',
    agree: 'Agree and continue to the provider',
    back: 'Not now',
    blocked: 'It is not ready for you yet',
    blockedLead:
      'Your provider does not give Nightkeep something that the address of your files needs, so no backup could work. The operator of Nightkeep can fix that; show them this:',
    refused: 'Agreeing will probably not work at the moment',
    refusedTold:
      'Nightkeep has just asked your provider; its answer is in the operator’s log. Nothing was changed. You can come back later, or try anyway.',
    signInAgain: 'Sign in again once it is fixed',
    renewTitle: 'Renew your consent',
    renewing: (at: string) =>
      `You agreed on ${at}. If you renew, your plan, your snapshots and this record stay, and the token is replaced by a new one.`,
  },
  grant: {
    title: 'Your consent',
    none: 'You have not agreed to anything.',
    agreed: 'Agreed',
    earlier: 'Agreed before',
    earlierMore: 'earlier ones are in the data that you can download under Settings',
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
    version: (version: string, language: string) => `text of ${version} (${language})`,
    versionName: 'Version',
    oldRecord: 'This is an older record: it says what was agreed, but not in the sentences that you read.',
    old: {
      files: 'Your files at',
      window: 'Nights',
      zone: 'Time zone',
      kept: 'Kept',
      rest: 'The record as it is stored',
    },
    kept: 'Whatever it says about nights, weeks and months: all of your snapshots are kept until you agree to let some go.',
    since: {
      title: 'What has changed since',
      nothing: 'Nothing: your nights are as you agreed.',
      unknown: 'The record does not contain enough to compare.',
      files: (was: string, is: string) => `Your files are fetched from ${is}. When you agreed, it was ${was}.`,
      calendars: (was: string, is: string) => `Your calendars are fetched from ${is}. When you agreed, it was ${was}.`,
      contacts: (was: string, is: string) => `Your contacts are fetched from ${is}. When you agreed, it was ${was}.`,
      mail: (was: string, is: string) => `Your mail is fetched from ${is}. When you agreed, it was ${was}.`,
      window: (was: string, is: string) => `Your nights are between ${is}. When you agreed, it was ${was}.`,
      zone: (was: string, is: string) => `Your nights are in the time zone ${is}. The record says ${was}.`,
      kept: (was: RetentionRule, is: RetentionRule) =>
        `These snapshots stay: ${staying(is)}. When you agreed, it was: ${staying(was)}.`,
      leftOut: {
        byYou: (what: string, at: string) => `Your ${what} are not backed up any more: you left them out on ${at}.`,
        byOperator: (what: string, at: string) =>
          `Your ${what} are not backed up any more: the operator of Nightkeep left them out on ${at}. You can change that under Settings.`,
      },
      words:
        'Nightkeep now asks for consent in other words. Yours stays valid as it is here; renew it to read and agree to the new ones.',
    },
    lasts: {
      title: 'How long it lasts',
      used: 'It was used',
      night: 'The next night uses it, and the time without use starts over',
      kept: 'Nightkeep uses it at the latest, even if no night does: it asks your provider for access, and the time without use starts over',
      idle: (time: string) =>
        `It ends by itself if nothing has used it by then: your provider ends consents that were not used for ${time}`,
      max: 'It ends, however often it is used: your provider allows no longer',
      reminder: (days: number, { mailed }: { mailed: boolean }) =>
        `You are reminded here${mailed ? ' and by mail' : ''}: ${days === 1 ? '1 day is' : `${formats.number(days)} days are`} left`,
      idleLearned: (time: string) => `Without use it ends after ${time}: your provider’s tokens say so.`,
      idleSet: (time: string) =>
        `Without use it ends after ${time}: the operator has set that, or it is known of this kind of provider. The tokens themselves do not say.`,
      maxUnknown:
        'It is not known whether it also ends on a fixed day: neither your provider nor the operator has told Nightkeep. If it does, this page says so afterwards, and you can agree again.',
      days: (count: number) => (count === 1 ? '1 day' : `${formats.number(count)} days`),
      hours: (count: number) => (count === 1 ? '1 hour' : `${formats.number(count)} hours`),
      minutes: (count: number) => (count === 1 ? '1 minute' : `${formats.number(count)} minutes`),
      mail: {
        to: (address: string) => `Nightkeep sends mail to ${address} 14, 7 and 2 days before a fixed end.`,
        noServer: 'Nightkeep is not set up to send mail here, so you can read it only on these pages.',
        muted:
          'Nightkeep sends you no mail about it, as you chose in the settings, so you can read it only on these pages.',
        noAddress:
          'Nightkeep sends you no mail, since your provider gives no verified mail address, so you can read it only on these pages.',
      },
    },
    ended: 'Ended',
    lastUsed: 'Last used',
    askedAgain: 'To be asked again',
    renew: 'Renew it now',
    again: 'Agree again',
    ask: 'Ask my provider again now',
    wayOut: 'To withdraw your consent',
    token: 'Token at your provider',
    revocation: {
      revoked: (at: string) => `ended there too, on ${at}`,
      outstanding: (until: string) =>
        `not ended there yet: the provider has not confirmed it. Nightkeep tries again; it expires by itself on ${until} at the latest. Nobody here can use it any more.`,
      expired: (at: string) => `the provider never confirmed it, but the token has expired; destroyed here on ${at}`,
      shredded: (at: string) =>
        `destroyed here on ${at}, so nobody here can use it. Nightkeep cannot end it at your provider, which offers no way to do so.`,
    },
    endThere: 'To end it there as well:',
    endThereAt: 'your provider’s page about what applications may do',
    endThereBy:
      'remove Nightkeep’s access in your account there if it lists applications, or ask an administrator of your provider.',
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
      `Each time that Nightkeep asked the provider for access to your data, for at least the last ${days === 1 ? 'day' : `${formats.number(days)} days`}.`,
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
      heal: 'recovering from an interruption',
    },
    verdicts: {
      ok: 'granted',
      transient: 'no answer, or “not now”; it was asked again later',
      operator: 'Nightkeep itself was refused; the operator’s log says more',
      person: 'refused',
      unclear: 'refused without a reason; it was asked again later',
      unsound: 'an answer came that failed a check by Nightkeep; the operator’s log says more',
      ambiguous: 'the answer was lost on its way, or could not be used',
    },
    hints: {
      withdrawn_at_provider: 'it was withdrawn there',
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
        'Nightkeep stops at once, and nobody here can use the token from then on. Your provider does not answer at the moment: as soon as it does, Nightkeep ends the token there too, if the provider offers that. You can agree again later.',
    },
    legend: 'Your snapshots',
    keepFor: (days: number, until: string) =>
      `stay ${days === 365 ? 'one year' : days === 1 ? 'one day' : `${formats.number(days)} days`}, until ${until}`,
    eraseNow: 'are erased at once, and Nightkeep cannot bring them back',
    snapshots: 'Your snapshots',
    stay: 'Your snapshots stay until you decide otherwise.',
    stayUntil: (at: string) =>
      `Your snapshots stay until ${at}, and then they are erased. If you agree again before, everything continues as it was.`,
    change: 'Change that',
    erasing:
      'They are being erased. A worker does it, and tries again until it is done; then this page shows the receipt.',
    erased: (at: string) => `Everything was erased on ${at}.`,
    erasedWhat: (snapshots: number, files: number, size: string) =>
      `${formats.number(snapshots)} ${snapshots === 1 ? 'snapshot' : 'snapshots'} in ${formats.number(files)} ${files === 1 ? 'file' : 'files'} (${size}) ${snapshots === 1 ? 'was' : 'were'} removed, the keys first. The store was listed again afterwards: nothing is left.`,
    repository: 'Repository',
    choose: 'Continue',
    sureEndTitle: 'End your consent now?',
    sureEndLead: 'There are no more nights after this. Nothing has been changed so far.',
    sureEnd: 'Yes, withdraw my consent',
    sureTitle: 'Erase everything?',
    sureLead:
      'All of your snapshots are erased from the store, and Nightkeep cannot bring them back. Copies of the store that the operator may have made elsewhere are not touched.',
    sureWithdraw: 'Withdraw and erase everything',
    sureErase: 'Erase everything',
    back: 'No, go back',
  },
  /** Why somebody is protected or not: first what concerns their consent, then what concerns their nights. */
  protection: {
    consent: {
      no_consent: {
        happened: 'Nightkeep needs your consent to back up your data while you are away.',
        act: 'Read what you would agree to; nothing is fetched before that.',
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
        happened: 'Your provider no longer accepts your consent; it was ended there.',
        act: again,
      },
      withdrawn_at_provider: {
        happened: 'Your consent was withdrawn at your provider, by you or by an administrator.',
        act: 'If you want your nights to continue, agree again.',
      },
      signed_out: {
        happened: 'An administrator of your provider signed you out everywhere, and your consent ended with that.',
        act: again,
      },
      account_disabled: {
        happened: 'Your account is disabled at your provider.',
        act: 'An administrator there can enable it. Your consent then works again by itself: you need not agree again.',
      },
      permission_missing: {
        happened: 'The permission for offline access was removed at your provider, from you or from Nightkeep.',
        act: 'An administrator there can give it back. Your consent then works again by itself, or at once if you agree again.',
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
          'Your provider replaced the token of your consent, and the new one was lost before Nightkeep could save it. You did nothing wrong.',
        act: again,
      },
      token_reused: {
        happened:
          'Your provider received a token that had been used before, and ended your consent to be safe. You did nothing wrong.',
        act: again,
      },
      interaction_required: {
        happened: 'Your provider wants you to sign in there again before Nightkeep may continue.',
        act: again,
      },
      consent_ended: { happened: 'Your provider no longer accepts your consent.', act: again },
      lost_answers: {
        happened: 'Answers from your provider were lost on the way, or could not be used.',
        act: (when, above) => `Nightkeep asks again ${when}; ${nothing(above)}.`,
      },
      consent_refused: {
        happened: 'Your provider refused your consent last time.',
        act: (when: string) =>
          `Nightkeep asks again ${when}. If you know that it was ended there, agree again, which fixes it at once.`,
      },
      consent_unused: {
        happened: 'Your consent was not used for longer than your provider allows.',
        act: 'The operator of Nightkeep can fix it: its workers should have kept the consent alive.',
      },
      consent_ends: {
        happened: 'Your consent ends soon, whatever is done.',
        act: 'Renew it before then, and everything continues as it was.',
      },
      provider_trouble: {
        happened: 'There is a problem with your provider, or with Nightkeep’s access to it.',
        act: (_, above) =>
          `The operator of Nightkeep can fix it, and it is in their log. Until then${above.asked ? ',' : ''} ${nothing(above)}; whether your consent is still valid will show after that.`,
      },
    },
    nights: {
      complete: {
        happened: 'Your last backup holds everything that was there.',
        act: onlyWait,
      },
      nothing_to_fetch: {
        happened: 'Nightkeep does not know where your data is.',
        act: 'The operator of Nightkeep can set its address.',
      },
      paused: { happened: 'Your nights are paused.', act: 'The operator of Nightkeep can resume them.' },
      paused_until: {
        happened: 'Your nights are paused, as you requested.',
        act: (when) => `They begin again ${when}; you can resume them earlier in your settings.`,
      },
      paused_beyond_consent: {
        happened: 'Your nights are paused, as you requested, for longer than your consent lasts.',
        act: (when) =>
          `Your consent ends ${when}, whatever is done. Renew it before then, and the nights begin again after the pause.`,
      },
      paused_for_all: {
        happened: 'The night is paused for everybody.',
        act: 'No backup begins before the operator of Nightkeep resumes it.',
      },
      server_away: {
        happened: 'A server that has your data did not answer, or did not deliver it.',
        act: triedAgain,
      },
      server_refuses: {
        happened: 'A server that has your data does not let Nightkeep in.',
        act: 'The operator of Nightkeep can fix it: the server must accept the tokens of your provider.',
      },
      address_unknown: {
        happened: 'Your provider does not give Nightkeep something that an address of your data needs.',
        act: 'The operator of Nightkeep can fix it: the page of the backup says what is missing. Sign in again after that.',
      },
      address_refused: {
        happened: 'A server that has your data is no longer in the settings of Nightkeep, so it was not contacted.',
        act: 'The operator of Nightkeep can fix it: the page of the backup says which server it is. If that data has another address now, you can fix it too: the page Consent shows the address in the settings, and you can agree to that one.',
      },
      address_wrong: {
        happened: 'Whatever answers at an address of your data does not list it.',
        act: 'The operator of Nightkeep can fix it: the page of the backup says what was requested, and what came back.',
      },
      consent_in_use: {
        happened: 'Another part of Nightkeep was using your consent, or stopped while it did.',
        act: triedAgain,
      },
      provider_away: {
        happened: 'Your provider did not answer, or did not give access to your data.',
        act: triedAgain,
      },
      repository_locked: { happened: 'Another program was working on your snapshots.', act: triedAgain },
      store_full: {
        happened: 'There is no room left where your snapshots are kept. The snapshots that are there stay as they are.',
        act: 'The operator of Nightkeep can make room; the next backup then continues.',
      },
      store_trouble: {
        happened: 'The place where your snapshots are kept could not be used.',
        act: 'The operator of Nightkeep can fix it.',
      },
      time_over: {
        happened:
          'The backup took longer than is allowed. What it read is kept, and the next one continues from there.',
        act: triedAgain,
      },
      service_trouble: {
        happened: 'Nightkeep itself failed.',
        act: 'The operator of Nightkeep can fix it: its log says why.',
      },
      no_worker: {
        happened: 'No worker of Nightkeep is processing your backups.',
        act: 'The operator of Nightkeep can start one, or resume the night if it is paused.',
      },
      run_under_way: { happened: 'A backup is running.', act: onlyWait },
      run_waits: {
        happened: 'A backup is waiting for its turn.',
        act: onlyWait,
      },
      no_run: {
        happened: 'There is no recent backup.',
        act: 'Press “Back up now”, or wait for the next night.',
      },
      unreadable: {
        happened: 'Some of your data could not be read.',
        act: 'See what, and why. If there is an earlier copy, it is kept.',
      },
      damaged: {
        happened: 'Some of your backed-up data is damaged.',
        act: 'Your next night reads it again, if it is still where it came from; there is no next night while your nights are paused, or without your consent. The operator of Nightkeep should check the place where your snapshots are kept.',
      },
      lost: {
        happened: 'Some of your backed-up data can no longer be restored.',
        act: 'See what it is, and in which snapshots. A complete backup since then no longer found it unchanged where it came from.',
      },
      snapshots_removed: {
        happened:
          'Some of your snapshots are gone from the place where they are kept, and Nightkeep did not remove them.',
        act: 'See which ones. If you removed them, confirm that you have looked. If not, the operator of Nightkeep should find out who can delete there.',
      },
      repository_damaged: {
        happened: 'The place where your snapshots are kept is damaged. None of your backed-up data is lost.',
        act: 'The operator of Nightkeep can fix it.',
      },
      repository_gone: {
        happened:
          'Your snapshots are not where they should be, or nothing opens them there: at the moment Nightkeep cannot restore any of them.',
        act: 'The operator of Nightkeep should check that place: a disk may not be mounted, or somebody may have deleted something there.',
      },
      key_damaged: {
        happened: 'The recovery key that you were given no longer opens your snapshots.',
        act: 'Make a new one: without it you depend on Nightkeep.',
      },
      unverified: {
        happened: 'For three days or more it has not been verified that your snapshots can be restored.',
        act: 'The operator of Nightkeep can fix it: its log says why.',
      },
      great_loss: {
        happened:
          'Since the snapshot before, half or more of your files, calendars, contacts or mail has gone or has other content, or a whole folder, calendar, address book or mailbox has gone.',
        act: 'Check whether that is right. What is gone is still in your earlier snapshots.',
      },
      root_gone: {
        happened: 'A part of your data that was offered the night before is no longer offered.',
        act: 'Check whether that is right. The copy from the night before is kept.',
      },
      great_change: {
        happened:
          'Half or more of your files, calendars, contacts or mail has other content than in the snapshot before, or has gone.',
        act: 'Check whether that is right. What was there is still in your earlier snapshots.',
      },
    },
    /** When something is tried again or begins. */
    soon: 'soon',
    at: (at: string, until: string | undefined) => `on ${at}${until === undefined ? '' : `, and then until ${until}`}`,
    pausedSince: (at: string) => `It has been paused at least since ${at}.`,
  } satisfies {
    consent: Record<ConsentReason, ReasonWords>;
    nights: Record<NightReason, ReasonWords>;
    pausedSince: (at: string) => string;
    soon: string;
    at: (at: string, until: string | undefined) => string;
  },
  /** Mails, and webhooks of operators. */
  notices: {
    late: (time: string) => `This describes the situation at ${time}: it could not be sent earlier.`,
    person: {
      subject: {
        protected: 'Nightkeep: renew your consent',
        partly: 'Nightkeep: please look at your last backup',
        late: 'Nightkeep: a night passed without a backup',
        not: 'Nightkeep: your data is not protected at the moment',
      },
      damaged: 'Nightkeep: some of your backup data is damaged',
      unverified: 'Nightkeep: your backups have not been verified for days',
      more: (url: string) => `See more, and fix it: ${url}`,
    },
    digest: {
      subject: 'Nightkeep: people wait for you, or are late',
      sum: ({
        whole,
        partly,
        late,
        lateUnderWay,
        not,
        paused,
      }: Record<'whole' | 'partly' | 'late' | 'lateUnderWay' | 'not' | 'paused', number>) =>
        `Protected: ${formats.number(whole)}. In part: ${formats.number(partly)}. Late: ${formats.number(late)}${lateUnderWay === 0 ? '' : ` (${formats.number(lateUnderWay)} with a backup under way)`}. Not protected: ${formats.number(not)}.${paused === 0 ? '' : ` Paused, with an older backup: ${formats.number(paused)}.`}`,
      line: (count: number, reason: string) => `${formats.number(count)} × ${reason}`,
      quoted: (sentence: string) => `“${sentence}”`,
      more: 'nightkeep protection names the people, nightkeep doctor the cure.',
    },
    circuit: {
      subject: 'Nightkeep: there is a problem with the OpenID provider',
      happened: (issuer: string) =>
        `${issuer} refuses Nightkeep, or many people at once. Until that is over, no consent is used except for one probe a minute.`,
      more: 'nightkeep circuits says why, nightkeep doctor how to fix it.',
      over: {
        subject: 'Nightkeep: the problem with the OpenID provider is over',
        happened: (issuer: string, span: string) =>
          `Consents at ${issuer} are used again. For ${span} none was, except for one probe a minute.`,
        more: 'Runs that are still waiting for it continue by themselves. nightkeep protection names who is not protected.',
      },
    },
    night: {
      begun: (night: string) => `Nightkeep: the night to ${formats.night(night)} has begun`,
      quiet: (night: string) =>
        `Nightkeep: the night to ${formats.night(night)} is over, and nobody waits for you or is late`,
    },
    forecast: {
      tooShort: 'Nightkeep: the coming windows are too short for all backups',
      holds: 'Nightkeep: the coming windows are long enough for all backups again',
    },
    rotationLost: {
      subject: 'Nightkeep: tokens were lost',
      happened: (grants: number): string =>
        grants === 1
          ? 'The provider replaced the token of one consent, and Nightkeep does not have the new one. This person must agree again.'
          : `The provider replaced the tokens of ${formats.number(grants)} consents, and Nightkeep does not have the new ones. These people must agree again.`,
      more: 'Keep the log, and look in it for grant.save.failed and spool.keep-failed: what arrived must never be lost. If it has neither, the provider’s answer never arrived, and nightkeep doctor names the cure.',
    },
    snapshotsLost: {
      subject: 'Nightkeep: your earlier snapshots are lost',
      happened:
        'The operator of Nightkeep declared your earlier snapshots lost: the place where they were kept is gone. Your consent and your nights stay as they are.',
      act: 'The first backup from now on starts over, with a new recovery key. Keep that one: the earlier one no longer opens anything.',
    },
    filesMoved: {
      subject: (what: string) => `Nightkeep: your ${what} are fetched from another address`,
      happened: (what: string, from: string, to: string) =>
        `The operator of Nightkeep declared that your ${what}, unchanged, are now at another address. Your next backup fetches them below ${to}, with the access that your consent gives. When you agreed, it was ${from}.`,
      act: 'If that is right, you do not have to do anything. If it is not, withdraw your consent, or pause your nights and ask the operator.',
      more: (url: string) => `See more, or agree to the new address: ${url}`,
    },
    healed: {
      subject: 'Nightkeep: the damage to your backups is repaired',
      happened: 'The damage to your backups is repaired: everything that was read of them can be restored.',
      more: (url: string) => `See more: ${url}`,
    },
    repositories: {
      damaged: {
        subject: (people: number): string =>
          people === 1 ? 'Nightkeep: a repository is damaged' : 'Nightkeep: repositories are damaged',
        happened: (people: number) =>
          `Damage was found in the ${people === 1 ? 'repository of one person' : `repositories of ${formats.number(people)} people`}.`,
        more: 'The next night of each of these people reads again what the source still has; there is none while nights are paused or once a consent has ended. Look at the disks or the bucket. nightkeep protection names the people, nightkeep doctor the cure.',
      },
      gone: {
        subject: (people: number): string =>
          people === 1 ? 'Nightkeep: a repository is gone' : 'Nightkeep: repositories are gone',
        happened: (people: number) =>
          `The ${people === 1 ? 'repository of one person is' : `repositories of ${formats.number(people)} people are`} not where Nightkeep made ${people === 1 ? 'it' : 'them'}, or nothing opens ${people === 1 ? 'it' : 'them'}. As long as that is so, nothing of ${people === 1 ? 'it' : 'them'} can be restored, and these nights fail.`,
        more: 'Is a disk not mounted, or a bucket empty? Nightkeep looks again every five minutes. nightkeep protection names the people, nightkeep doctor the cure.',
      },
      back: {
        subject: (people: number): string =>
          people === 1 ? 'Nightkeep: a repository is back' : 'Nightkeep: repositories are back',
        happened: (people: number) =>
          `The ${people === 1 ? 'repository of one person that was gone is' : `repositories of ${formats.number(people)} people that were gone are`} back: Nightkeep opens ${people === 1 ? 'it' : 'them'} again.`,
        more: 'You do not have to do anything. Whether everything in there is whole is found out by the next verification, which is due at once.',
      },
      healed: {
        subject: (people: number): string =>
          people === 1 ? 'Nightkeep: a repository is repaired' : 'Nightkeep: repositories are repaired',
        happened: (people: number) =>
          `The damage in the ${people === 1 ? 'repository of one person' : `repositories of ${formats.number(people)} people`} is repaired.`,
        more: 'You do not have to do anything.',
      },
      unverified: {
        subject: (people: number): string =>
          people === 1
            ? 'Nightkeep: a repository is not being verified'
            : 'Nightkeep: repositories are not being verified',
        happened: (people: number) =>
          `For three days or more the ${people === 1 ? 'repository of one person has' : `repositories of ${formats.number(people)} people have`} not been verified.`,
        more: 'nightkeep doctor names the people and says why.',
      },
      held: {
        subject: (): string => 'Nightkeep: snapshots or their data are not removed as agreed',
        happened: (people: number) =>
          `For three days or more, snapshots of ${people === 1 ? 'one person' : `${formats.number(people)} people`}, or data that no snapshot needs any more, could not be removed as agreed.`,
        more: 'nightkeep doctor names the people, says why, and what to do about it.',
      },
    },
    operatorTold: (at: string, means: string) => `The operator was notified of this problem on ${at}, by ${means}.`,
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
    act: 'What was backed up then is not lost, but it is not available under this address. Ask the operator of Nightkeep to move it before you agree; otherwise you start over with a second set of snapshots.',
  },
  consentEnds: {
    endsIn: (days: number) =>
      days <= 1
        ? 'Your consent ends within a day.'
        : `Your consent ends in ${formats.number(days)} days, whatever is done.`,
    endsAt: (at: string) =>
      `Your provider allows no longer than ${at}. Renew it before then, and everything continues as it was.`,
    renew: 'Renew it now',
  },
  verification: {
    title: 'Can it be restored?',
    verified: (at: string) => `Last verified restorable: ${at}.`,
    notWhole: (at: string) => `Your snapshots were verified on ${at}, and have never been found intact so far.`,
    verifiedButLost: (at: string) => `Last verified restorable, except for what is lost: ${at}.`,
    never: 'Your snapshots have not been verified yet. That is done once a day, some time after a backup.',
    neverWas: 'Your snapshots were never verified.',
    nothing: 'There is nothing to verify, since there is no repository. A backup creates one.',
    what: (days: number) =>
      `Once a day your snapshots are verified: every folder and key file, a random sample of entries, which are restored as a test, and a part of the data, so that all of it is read again within ${days === 1 ? 'a day' : `${days} days`}.`,
    ended: (at: string) => `Your snapshots are no longer verified, since they will be erased on ${at}.`,
    checked: 'Last verification',
    packs: 'Packs of data that it read',
    sample: 'Entries that it restored as a test',
    compared: 'Entries restored as a test and compared with the server',
    comparedIn: (files: number, at: string) => `${formats.number(files)}, in the backup of ${at}`,
    comparedNever: 'none yet',
    next: 'Next verification',
    soon: 'soon',
    failed: 'The last verification failed',
    foundAt: (at: string) => `This was found on ${at}.`,
    damagedBefore: (at: string) => `Before that, damage to your snapshots was found on ${at}.`,
    healedAt: (at: string) => `On ${at} the damage was found to be repaired.`,
    files: 'What cannot be restored',
    file: 'Entry',
    snapshots: 'In the snapshots of',
    more: (count: number) => `and ${formats.number(count)} more`,
    some: 'Only the first of them are listed.',
    whole: (count: number) =>
      `Nothing can be restored from ${count === 1 ? 'one snapshot' : `${formats.number(count)} snapshots`}:`,
    removed: (count: number) =>
      count === 1
        ? 'One snapshot is gone that retention did not remove:'
        : `${formats.number(count)} snapshots are gone that retention did not remove:`,
    superseded:
      'There are damaged files where your snapshots are kept, but no snapshot needs them any more: their content was stored again. They stay, since nothing may be deleted there.',
    accepted: 'You have confirmed that you looked at this. It stays here until a verification no longer finds it.',
    looked: 'Confirm that I have looked',
  },
  retention: {
    title: 'Which snapshots stay',
    link: 'Which snapshots stay, and why',
    erasing: 'All of your snapshots are being erased.',
    notAgreed: 'All of your snapshots stay, since you have not agreed to let any go.',
    offer: 'So that your snapshots do not take up more and more room, you can agree to this:',
    agree: 'Agree to let the others go',
    agreedAt: (at: string) => `You agreed to this on ${at}.`,
    alarm:
      'All of your snapshots stay for now: in one backup much was gone or changed, and nobody has looked at it yet. The page Home says which backup it was.',
    failed:
      'Last time this could not be completed: the repository was in use, or could not be read or changed. It is tried again after the next backup.',
    byHand:
      'Nightkeep itself may not delete anything where your snapshots are kept. Those that could go stay until the operator removes them with another key.',
    reckoned: (at: string) =>
      `This is reckoned for a next backup that ends at ${at}. One that ends later may let others go.`,
    doneAt: (at: string) => `It was last done on ${at}.`,
    caption: 'Your snapshots',
    snapshot: 'Snapshot',
    what: 'What happens to it',
    why: 'Why it stays',
    stays: 'stays',
    goes: 'goes after the next backup',
    wouldGo: 'would go',
    goesByHand: 'goes when the operator removes it',
    countsByHand: (staying: number, going: number) =>
      `${formats.number(staying)} ${staying === 1 ? 'stays' : 'stay'}, ${going === 0 ? 'none goes' : `${formats.number(going)} ${going === 1 ? 'goes' : 'go'}`} when the operator removes ${going === 1 ? 'it' : 'them'}.`,
    counts: (staying: number, going: number) =>
      `${formats.number(staying)} ${staying === 1 ? 'stays' : 'stay'}, ${going === 0 ? 'none goes' : `${formats.number(going)} ${going === 1 ? 'goes' : 'go'}`} after the next backup.`,
    countsIfAgreed: (staying: number, going: number) =>
      `If you agreed, ${formats.number(staying)} would stay and ${going === 0 ? 'none' : formats.number(going)} go.`,
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
      complete: 'the last complete one',
      pinned: 'pinned',
      future: 'dated into the future',
      foreign: 'made by another program',
    } satisfies Record<StayReason, string>,
  },
  restores: {
    way: 'Restore',
    title: 'Restore to where it came from',
    titleAsFiles: 'Restore as files',
    lead: {
      files:
        'Nightkeep writes this into a new folder among your files on their server. Nothing that is there is changed.',
      calendars:
        'Nightkeep makes a new calendar beside yours on their server, and writes this into it. Your calendars there stay as they are.',
      contacts:
        'Nightkeep makes a new address book beside yours on their server, and writes this into it. Your address books there stay as they are.',
      mail: 'Nightkeep makes new mailboxes beside yours on the mail server, and writes this into them, with flags and times of receipt. Your mailboxes there stay as they are.',
    } satisfies Record<RestorePlace, string>,
    what: 'What',
    all: 'Everything in this snapshot',
    asOf: 'As it was',
    size: 'Size',
    sizeOf: {
      files: (count: number, size: string) => `${formats.number(count)} ${count === 1 ? 'file' : 'files'}, ${size}`,
      calendars: (count: number, size: string) => `${entries(count)}, ${size}`,
      contacts: (count: number, size: string) => `${entries(count)}, ${size}`,
      mail: (count: number, size: string) => `${entries(count)}, ${size}`,
    } satisfies Record<RestorePlace, unknown>,
    asFiles:
      'Calendars, contacts and mail are written there as files (.ics, .vcf and .eml): Nightkeep changes no calendar, no address book and no mailbox. Import these files into your calendar, address book or mail program, or download them instead.',
    byItself:
      'A calendar or an address book that is restored by itself becomes a new one on its server instead: open it in the snapshot, and press “Restore” there.',
    mailByItself:
      'Mail that is restored by itself goes into new mailboxes on the mail server instead: open “Mail” in the snapshot, or a mailbox or message in it, and press “Restore” there.',
    newName: {
      files: 'The new folder is called “Restored”, followed by the current date and time.',
      calendars:
        'The new calendar is called “Restored”, followed by the current date and time, and the name of this one in brackets.',
      contacts:
        'The new address book is called “Restored”, followed by the current date and time, and the name of this one in brackets.',
      mail: 'The new mailbox is called “Restored”, followed by the current date and time. If more than one is made, the names of the others begin so, too.',
    } satisfies Record<RestorePlace, string>,
    access: 'Your provider asks you whether Nightkeep may do this: your consent for the nights is not used for it.',
    notKept: 'This access is kept in memory until everything is written, and then dropped.',
    begin: 'Go to the provider and restore',
    back: 'Back to the snapshot',
    running: 'Another restore is still running.',
    see: 'See the progress',
    stateTitle: 'Restore',
    states: {
      files: restoring('folder', 'among your files'),
      calendars: restoring('calendar', 'among your calendars'),
      contacts: restoring('address book', 'among your address books'),
      mail: restoring('mailbox', 'among your mailboxes'),
    } satisfies Record<RestorePlace, unknown>,
    failedBefore: 'It could not be started. Nothing was written.',
    cancel: 'Cancel',
    cancelling: 'It is being cancelled.',
    progress: 'Progress of the restore',
    folder: {
      files: 'Folder on the server',
      calendars: 'New calendar',
      contacts: 'New address book',
      mail: 'New mailbox',
    } satisfies Record<RestorePlace, string>,
    written: {
      files: 'Files written',
      calendars: 'Entries written',
      contacts: 'Entries written',
      mail: 'Written, or there from before',
    } satisfies Record<RestorePlace, string>,
    continue: 'Go to the provider and continue',
    continues:
      'It can be continued in the same mailbox: what is there already is not written again. Your provider asks you again whether Nightkeep may do this.',
    of: (files: string) => ` of ${files}`,
    bytes: 'Data written',
    started: 'Started',
    finished: 'Finished',
    problems: (count: string) => `Not written: ${count}`,
    problemsCaption: 'What could not be written, and why',
    withoutFlags: 'Everything is written, but some messages without all of their flags: see below.',
    notes: 'Written without all of their flags',
    mostNotes: `No more than ${formats.number(mostNotes)} mailboxes are named here.`,
    path: 'Path',
    why: 'Why',
    more: (count: string) => `And ${count} more.`,
    toSnapshot: 'To the snapshot',
  },
  snapshots: {
    title: 'Snapshots',
    none: 'There is no snapshot. A backup creates one.',
    taken: 'Taken',
    files: 'Entries',
    kept: 'All nights that are kept',
    zone: (zone: string) => `Times are those of ${zone}.`,
    root: 'Everything',
    columns: { name: 'Name', size: 'Size', changed: 'Changed' },
    sortBy: { name: 'Sort by name', size: 'Largest first', changed: 'Changed last first' },
    below: entries,
    /** `below` counts no folders. */
    sum: (count: number, below: number | undefined, size: string | undefined) => {
      const here = entries(count);
      if (below === undefined || size === undefined) return here;
      return below === count
        ? `${here}, ${size}`
        : `${here}; ${formats.number(below)} in all, not counting folders; ${size}`;
    },
    linkTo: 'a link to',
    special: 'a device or pipe, which is not restored',
    unreadableEntry: 'damaged, or of an unknown kind',
    zip: (size: string | undefined) => `Download this folder (zip${size === undefined ? '' : `, ${size}`})`,
    zipAll: (size: string | undefined) => `Download everything (zip${size === undefined ? '' : `, ${size}`})`,
    odd: {
      count: (names: number) =>
        names === 1
          ? 'Not every system can hold one of the names here'
          : `Not every system can hold ${formats.number(names)} of the names here`,
      lead: `Where a system cannot hold a name, whatever unpacks the zip file there may change it, leave the file out, or put one file in the place of another. In the zip file, these names are listed in ${zipNotes.odd.file}, and those that are written otherwise in ${zipNotes.renamed.file}. Each file can also be downloaded by itself.`,
      renamed: 'in the zip file it is called',
      more: (count: string) => `and ${count} more`,
      unknown: `Not all names below this folder were looked at. Those that not every system can hold are listed in the zip file, in ${zipNotes.odd.file} and ${zipNotes.renamed.file}, if there are any.`,
    },
    notes: zipNotes,
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
    noPreview: 'It cannot be shown here; download it to open it.',
    emptyFile: 'It is empty.',
    cut: (size: string) => `These are the first ${size}; download it to see all of it.`,
    damagedSnapshots: (count: number) =>
      count === 1
        ? 'One snapshot cannot be read, since its file in the store is damaged; it is missing here. The operator of Nightkeep must look into it.'
        : `${formats.number(count)} snapshots cannot be read, since their files in the store are damaged; they are missing here. The operator of Nightkeep must look into it.`,
    damaged: 'It cannot be read in this snapshot. Another version of it may be intact.',
    fileFacts: (size: string, moment: string) => `${size}, changed ${moment}`,
    download: 'Download this version',
    downloadOf: (moment: string) => `Download the version of ${moment}`,
    versions: (count: number) => (count === 1 ? 'The only version' : `${formats.number(count)} versions`),
    fromTo: (first: string, last: string) => `${first} to ${last}`,
    notFile: 'something else then',
    newerVersions: 'Newer versions',
    olderVersions: 'Older versions',
    versionsCut: 'There may be more versions: not all nights could be searched.',
    whatChanged: 'What changed since the night before',
    changesTitle: 'What changed',
    between: (since: string, until: string, zone: string) => `Between ${since} and ${until} (${zone})`,
    firstNight: (moment: string) =>
      `${moment} is the first night that is kept, so there is nothing to compare it with.`,
    since: 'Compare with',
    compare: 'Compare',
    backToFolder: 'Back to the folder',
    what: 'What',
    kinds: { new: 'new', changed: 'changed', gone: 'gone' },
    noChanges: 'Nothing changed here.',
    changeCount: (count: number) => (count === 1 ? '1 change' : `${formats.number(count)} changes`),
    wholeFolder: 'the whole folder',
    sizeBefore: (size: string) => `${size} → `,
    changesCut: 'There may be more: not everything could be compared or shown. Open the folders one by one.',
    changePages: 'Pages of changes',
    find: 'Find a name in every night',
    search: 'Find',
    found: 'Names that contain',
    byFileName: 'Events and contacts are found by the names of their files, not by their titles.',
    findIn: 'Searched below',
    findEverywhere: 'Search everywhere',
    foundCount: (found: number, nights: number, zone: string) =>
      `${found === 0 ? 'Nothing' : formats.number(found)} found in ${nights === 1 ? 'one night' : `${formats.number(nights)} nights`}. Times are those of ${zone}.`,
    lastThere: 'Last there',
    stillThere: 'in the last night',
    tooMany: (most: number) =>
      `More than ${formats.number(most)} were found; these are the first of them. Search for a longer text to find fewer.`,
    stopped: (nights: number, moment: string) =>
      `The search stopped after ${nights === 1 ? 'one night' : `${formats.number(nights)} nights`}, at ${moment}: there is a lot to search.`,
    stoppedWithin: (moment: string) =>
      `The search stopped within the night of ${moment}: there is too much to search at once. Search in a folder.`,
    unreadable: (folders: number) =>
      `${folders === 1 ? 'One folder' : `${formats.number(folders)} folders`} could not be read; what is in there cannot be found.`,
    searchOn: 'Search earlier nights',
    foundPages: 'Pages of what was found',
  },
  /** Events, tasks, contacts and messages. */
  objects: {
    untitled: {
      event: 'Event without a title',
      task: 'Task without a title',
      journal: 'Journal entry without a title',
      contact: 'Contact without a name',
      message: 'Message without a subject',
    },
    /** What is in the files that Nightkeep keeps beside them. */
    beside: {
      calendars: 'Properties of this calendar',
      contacts: 'Properties of this address book',
      mail: 'Flags and times of receipt of these messages',
    },
    when: 'When',
    fromTo: (first: string, last: string) => `${first} to ${last}`,
    repeats: 'It repeats; this is the first time.',
    due: 'Due',
    where: 'Where',
    notes: 'Notes',
    organization: 'Organization',
    mail: 'Mail',
    phone: 'Phone',
    address: 'Address',
    from: 'From',
    to: 'To',
    copies: 'Copies to',
    date: 'Date',
    attachments: 'Attachments',
    unnamed: 'without a name',
    attachmentsCut: 'Not all of this message was searched for attachments; the download has all of it.',
    noText: 'It holds no plain text: download it to read it in a mail program.',
    stored: 'As it is stored',
  },
  recovery: {
    title: 'Recovery',
    lead: 'Your snapshots are an ordinary restic repository. With the recovery key and the free program restic, they can be restored without Nightkeep.',
    none: 'There is no repository. A backup creates one.',
    adopt: {
      title: 'Your earlier snapshots',
      link: 'Do you have an earlier recovery key? Get your snapshots back',
      lead: 'If you were backed up here before and Nightkeep no longer knows it, your recovery key shows that those snapshots are yours. Do this before you agree to backups again.',
      where: 'Both are on your recovery sheet: the repository at the top, and the recovery key.',
      folder: 'Repository',
      key: 'Recovery key',
      button: 'Get my snapshots back',
      after: 'The key is used to open the repository and is not stored anywhere. It remains your recovery key.',
      has: 'You already have a repository here, with the snapshots on the page Snapshots. A second one cannot be added; with its recovery key you can open that one without Nightkeep.',
      back: 'To the page Recovery',
      refused: {
        another: 'You have a repository here already. It stays yours, and nothing was changed.',
        known: 'That repository belongs to somebody here already. Nothing was changed.',
        others: 'That repository is somebody else’s: Nightkeep can still read whose it is. Nothing was changed.',
        misspelled:
          'That is not a recovery key: it has six groups of five letters and digits. Type it as it is on your recovery sheet. Nothing was changed.',
        wrong:
          'There is no such repository in the store, or this recovery key does not open it. Check the top of your recovery sheet and all six groups again: a key that was replaced by a newer one opens nothing. Or ask the operator whether this is the same store as before.',
      },
    },
    state: {
      unseen: 'You have not seen your recovery key yet',
      unseenLead: 'Have paper, a printer or a password manager at hand.',
      seen: (at: string) => `Your recovery key was shown on ${at}`,
      seenLead: 'You have not confirmed yet that you kept it. Type a part of it, or show it again.',
      kept: (at: string) => `You have your recovery key: you confirmed that on ${at}`,
      keptLead: 'It is no longer stored here. Try it from time to time: the commands below work without Nightkeep.',
      lost: (at: string) => `Your recovery key was shown on ${at}, and is no longer stored here`,
      lostLead: 'It is not known whether you kept it. If you cannot find it, make a new one.',
    },
    show: 'Show the recovery key',
    prove: {
      title: 'Confirm that you kept it',
      lead: 'Once you have it on paper or in a password manager, type these two groups of five characters from there. Nightkeep then deletes its copy of the key.',
      third: 'Third group',
      fifth: 'Fifth group',
      button: 'Confirm',
      wrong: 'These are not the third and the fifth group of your recovery key. Check them again; nothing was deleted.',
    },
    reissue: {
      title: 'If you lost it',
      lead: 'Nightkeep can make a new recovery key, which replaces the old one.',
      button: 'Make a new recovery key',
      sureTitle: 'Make a new recovery key?',
      sureLead:
        'The old one will no longer open your repository in the store, unless the store does not let Nightkeep delete anything. It still opens copies of the repository from before. The snapshots stay as they are.',
      sure: 'Yes, make a new one',
      back: 'No, go back',
      stays: (count: number) =>
        `${count === 1 ? 'A recovery key that was replaced still opens' : `${formats.number(count)} recovery keys that were replaced still open`} your repository: the store did not let Nightkeep delete ${count === 1 ? 'it' : 'them'}. The newest one works too. Each verification tries again; if the store does not let Nightkeep delete anything, the operator of Nightkeep can.`,
    },
    foreign: {
      title: 'Other keys open your repository',
      lead: 'Nightkeep did not make them. If they are not yours, remove them: somebody added them with your recovery key and access to the store. Whoever used one may have kept a copy of what it opens.',
      added: 'Added',
      by: 'By',
      noDate: 'not known',
      button: 'Remove',
      unknown: 'It cannot be checked at the moment whether other keys open your repository. Try again later.',
    },
    sheet: {
      title: (name: string) => `Recovery sheet of ${name}`,
      hint: 'Print this page, or save it as a PDF, and keep it where you can find it without this computer. Whoever has it and a copy of the repository can read all of your snapshots.',
      of: (repository: string, at: string) => `Repository ${repository}, sheet of ${at}`,
      key: 'Recovery key',
      qr: 'The recovery key as a QR code',
      without: 'It is on the sheet that you printed, or in your password manager.',
      how: 'How to get everything back',
      restic: 'Get restic, a free program (restic.net), version 0.14 or newer:',
      copy: (folder: string) => `Get a copy of your repository: the folder ${folder}.`,
      where: (path: string) =>
        `You cannot get at it yourself: ask the operator of Nightkeep for a copy, on a disk for example. The operator finds it at ${path}.`,
      bucket: {
        key: 'Ask the operator of Nightkeep for a key to the object store that may read your repository: an ID and a secret.',
        where:
          'Your repository is in an object store, at the address in the commands below. Keep the key apart from this sheet; without it, the recovery key opens nothing.',
        certificates:
          'Ask for the file store-ca.pem too, which holds the certificates of the store, and put it into the folder where you restore.',
        type: 'Open a terminal (on Windows: PowerShell) in an empty folder and type this, with your key in place of ID and SECRET. Where restic asks for a password, type the recovery key.',
      },
      type: 'Open a terminal (on Windows: PowerShell) in the folder that holds the copy, and type this. Where restic asks for a password, type the recovery key.',
      unix: 'Linux and macOS',
      windows: 'Windows',
      after:
        'Your data is then in the folder “restored”. The first command lists the snapshots: for an earlier night, put its ID in place of “latest”.',
    },
  },
  setup: {
    title: 'Set up Nightkeep',
    lead: 'This installation is new: no operator has signed in yet. Whoever runs it can see here what is set and what is missing.',
    token: 'Setup token',
    whereToken: '“nightkeep start” printed it. This page is gone once an operator has signed in.',
    show: 'Show what is set',
    wrong: 'That is not the token that the start printed.',
    well: 'Nothing is wrong. Save the keyring, then sign in as an operator.',
    toDo: (count: number) =>
      `${count === 1 ? 'One thing is' : `${formats.number(count)} things are`} wrong. Fix what is named below, start Nightkeep again, and come back here.`,
    found: 'What the doctor finds',
    states: { ok: 'ok', warn: 'check this', wrong: 'wrong', unknown: 'not known' },
    backups: 'Backups of a lost installation',
    backupsLead: (count: number) =>
      `The store holds ${count === 1 ? 'one repository' : `${formats.number(count)} repositories`} that this database does not know. Each goes back to the person whom its card names: they sign in and agree again, and their nights continue where they stopped.`,
    exported: (at: string) =>
      `Nightkeep’s own state is there too, as it was on ${at}: consents, plans and records. To bring that back as well, stop Nightkeep, and before you adopt anything or anybody signs in, type:`,
    moreBackups: (count: number) => `And ${formats.number(count)} more: nightkeep adopt --dry-run lists all of them.`,
    adopt: 'Adopt what can be read',
    keyring: 'Save the keyring',
    keyringLead:
      'Tokens and repository passwords are sealed with it. Without it nothing can be opened again: keep a copy apart from the backups of the database.',
    keyringSet: (where: string) => `It comes from ${where}.`,
    keyringMade: (file: string) => `It was created at the first start, in ${file}.`,
    keyringNone: 'There is none yet, or it cannot be read: one is created at the first start that has all settings.',
    keyringKeys: (ids: string) => `Its keys, the newest first: ${ids}. The lines of the copy must begin with the same.`,
    rest: (count: number) => `What is ok, or cannot be checked yet (${formats.number(count)})`,
    settings: 'What is set',
    usual: (count: number) => `Everything else, as it is by default (${formats.number(count)})`,
    next: 'Then',
    nextLead:
      'Sign in with an account that has the operator’s role. Afterwards nightkeep doctor and nightkeep settings say the same.',
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
        happened: 'This was requested more often than one person, or one address, may. Your backups continue.',
      },
      'request/not-found': { title: 'Not found' },
      'repository/not-found': { title: 'Not found' },
      'repository/not-usable': {
        title: 'Your snapshots cannot be read',
        happened: 'The place where your snapshots are kept could not be used.',
        act: 'The operator of Nightkeep can fix it: its log says why.',
      },
      'repository/no-such-snapshot': {
        title: 'Not found',
        happened: 'There is no such snapshot, or it no longer exists.',
      },
      'repository/no-such-path': { title: 'Not found' },
      'repository/damaged': {
        title: 'This cannot be read',
        happened: 'A part of this snapshot is damaged.',
        act: 'Another night may have it intact: choose one among your snapshots. The operator of Nightkeep finds the details in the log.',
      },
      'consent/invalid-callback': { title: 'Please start again' },
      'consent/foreign-answer': { title: 'That was not an answer from your provider' },
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
        title: 'Your provider’s answer cannot be accepted',
        act: 'Nothing was changed. Show this to the operator of Nightkeep, who can fix it.',
      },
      'source/missing-claim': {
        title: 'It is not ready for you yet',
        act: 'So no backup could work, and nothing was agreed. Show this to the operator of Nightkeep, who can fix it.',
      },
      'grant/not-usable': { title: 'Your consent has ended' },
      'grant/wrong-subject': { title: 'That was somebody else' },
      'provider/unavailable': {
        title: 'Your provider has a problem',
        happened:
          'Your provider does not answer at the moment, or says that it has a problem of its own. Nothing was changed.',
        act: 'Try again in a few minutes.',
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
        nobody: 'Nobody is due for a backup this night.',
        to_come: 'The night has not begun.',
        no_worker: 'No worker is active: runs are waiting, and none is being processed.',
        too_slow: 'Tonight will not end in time.',
        on_time: 'Tonight is on time.',
        under_way: 'The night is in progress.',
        all_well: 'The night is over, and all of its backups are complete.',
        over: 'The night is over.',
      } satisfies Record<NightCourse, string>,
      countedAt: (at: string) => `Counted ${at}.`,
      toComeAt: (at: string) => `Upcoming backups were counted ${at}.`,
      forecast: {
        title: (needed: number, there: number) =>
          `${needed < 180_000 ? `Less than ${formats.hours(360_000)}` : formats.hours(needed)} needed, ${formats.hours(there)} available`,
        busiest: (plans: number, from: string, to: string) =>
          `In the busiest coming hours, from ${from} to ${to}, ${formats.number(plans)} ${plans === 1 ? 'backup becomes' : 'backups become'} due.`,
        holds: 'The coming windows are long enough for all backups.',
        mend: {
          provider:
            'Give the provider more processors and allow more requests to it (OIDC_RATE). A wider window (WINDOW) applies only to people who agree after that.',
          workers:
            'Add a worker, or let each do more at once (CONCURRENCY). A wider window (WINDOW) applies only to people who agree after that.',
        },
        how: 'Estimated from the duration of the last backups, the workers of the last night, and how many requests to the provider are allowed. Nights that are paused do not count, unless the pause is over before the next window opens.',
      },
      done: (done: number, all: number) =>
        `${formats.number(done)} of ${formats.number(all)} ${all === 1 ? 'backup' : 'backups'} ${done === 1 ? 'has' : 'have'} ended.`,
      expected: (at: string) => `Expected end ${at}, at the speed of the last quarter of an hour.`,
      begins: (at: string) => `The first begins at ${at}.`,
      until: (at: string) => `What fails is tried again until ${at} at the latest.`,
      night: (from: string, to: string) => `The night counts from ${from} to ${to}.`,
      bar: (counts: string) => `Progress of the night: ${counts}`,
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
        count === 1 ? '1 worker is processing runs' : `${formats.number(count)} workers are processing runs`,
      backlog: 'Waiting',
      oldest: 'Oldest waiting',
      nothingWaits: 'nothing is waiting',
      partial: 'In part',
      failed: 'Failed',
      ofNight: 'of this night',
      rotations: 'Rotations lost',
      rotationsNote: 'consents whose token Nightkeep lost; must be 0',
      provider: 'Provider',
      providerWell: 'ok',
      providerTrouble: 'problem',
      providerNote: 'no circuit is open',
      providerOpen: (issuer: string) => `${issuer}: one request a minute goes there`,
      trouble: 'What went wrong, by cause',
      troubleLead: 'The latest backup of each person, if it did not save everything.',
      noTrouble: 'As far as is known, everybody’s latest backup saved everything.',
      cause: 'Cause',
      people: 'People',
      since: 'Since',
      doSomething: 'What to do',
      retry: 'Try again',
      show: 'Show',
      retried: (count: number) =>
        count === 0
          ? 'No backup was requested: everybody in this group has one waiting or running already, or has left the group.'
          : count === 1
            ? 'One backup was requested.'
            : `${formats.number(count)} backups were requested.`,
      retriedPart: 'There are more in the group: try again once these are done.',
      outcomes: {
        partial: (cause: string) => `In part: ${cause}`,
        failed: (cause: string) => `Failed: ${cause}`,
        queued: (cause: string) => `Waiting: ${cause}`,
      },
      kept: 'Earlier copies are kept.',
      again: (at: string) => `Tried again automatically, from ${at}.`,
      ended: 'Consent ended at the provider',
      verified: (at: string) => `Oldest of everybody’s last verifications that found everything restorable: ${at}.`,
      pending: (people: number) => `Not verified yet: ${formats.number(people)}.`,
      damaged: (people: number) =>
        `Damaged: ${people === 1 ? 'one repository' : `${formats.number(people)} repositories`}.`,
      gone: (people: number): string =>
        people === 1
          ? 'Gone: one repository is not there, or nothing opens it.'
          : `Gone: ${formats.number(people)} repositories are not there, or nothing opens them.`,
      unverified: (people: number) => `Not verified for three days: ${formats.number(people)}.`,
      damagedNote: 'nightkeep doctor names the people.',
      exported: (at: string) => `Nightkeep’s own state was last exported to the store: ${at}.`,
      exportedNever: 'Nightkeep’s own state has not been exported to the store yet.',
      exportedOff: 'Nightkeep’s own state is not exported to the store: STATE_EXPORTS is 0.',
      exportLate: 'An export was missed: nightkeep doctor says why.',
      endedNote: 'Their pages tell them that they need to agree again.',
      servers: 'Slowest servers',
      serversLead: 'Time per request of a backup, over the last 24 hours.',
      noServers: 'No backup has ended in the last 24 hours.',
      runs: (count: number) => (count === 1 ? '1 backup' : `${formats.number(count)} backups`),
      nights: 'Thirty nights',
      nightsLead:
        'Each bar is a night: complete, in part, failed. For each person, the best backup of the night counts.',
      noNights: 'No night has passed yet.',
      numbers: 'The same as numbers',
      nightOf: ({
        night,
        succeeded,
        partial,
        failed,
      }: Record<'succeeded' | 'partial' | 'failed', number> & { night: string }) =>
        `${formats.night(night)}: ${formats.number(succeeded)} complete, ${formats.number(partial)} in part, ${formats.number(failed)} failed`,
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
        back_channel_logout: 'signed out at the provider, which requested it',
        ended_at_provider: 'the provider no longer accepts it',
        withdrawn_at_provider: 'withdrawn at the provider',
        signed_out: 'signed out there by an administrator',
        account_disabled: 'the account is disabled there',
        permission_missing: 'the permission for offline access is missing',
        expired_idle: 'not used for too long',
        expired_maximum: 'the longest time was reached',
        lost_rotation: 'Nightkeep lost a token',
        token_reused: 'a token was used twice',
        interaction_required: 'the provider wants a new sign-in',
        lost_answers: 'answers from the provider were lost, or could not be used',
        consent_ended: 'it has ended',
        imported: 'imported without its token',
      } as Readonly<Record<string, string>>,
      notes: {
        active: 'used at night',
        suspect: 'refused recently, tried again automatically',
        needs_consent: 'these people need to agree again, or their account needs fixing at the provider',
        withdrawn: 'nothing is fetched any more',
      },
      forecast: 'Upcoming ends',
      forecastLead: (days: number) =>
        `Consents that end within ${days === 1 ? 'a day' : `${formats.number(days)} days`}.`,
      forecastMax: (count: number, all: number) =>
        `${formats.number(count)} of ${formats.number(all)} ${count === 1 ? 'ends whatever is done: this person has' : 'end whatever is done: these people have'} to renew.`,
      forecastIdle: (count: number) => `${formats.number(count)} would end if nothing were exchanged from now on.`,
      byDay: (day: number, max: number, idle: number) =>
        `In ${formats.number(day)} ${day === 1 ? 'day' : 'days'}: ${formats.number(max)}, or ${formats.number(idle)} without an exchange`,
      numbers: 'The same as numbers',
      verdicts: 'Exchanges per hour',
      verdictsLead: 'What the provider answered in the last 24 hours: granted, no answer, refused.',
      noVerdicts: 'Nothing was exchanged in the last 24 hours.',
      verdictsOf: (hour: string, ok: number, unanswered: number, refused: number) =>
        `${hour}: ${formats.number(ok)} granted, ${formats.number(unanswered)} without an answer, ${formats.number(refused)} refused`,
      circuits: 'Circuits',
      noCircuits: 'No circuit has ever been opened.',
      circuitOpen: (reason: string, since: string) => `open since ${since}: ${reason}`,
      circuitClosed: (reason: string, at: string) => `closed on ${at}; it was: ${reason}`,
      people: 'People',
      search: 'User name, name, subject or id',
      state: 'State',
      any: 'any',
      show: 'Show',
      none: 'Nobody was found.',
      more: 'More people',
      first: 'From the beginning',
      person: 'Person',
      idle: 'Ends unless used by',
      max: 'Ends at the latest',
      next: 'Next night',
      paused: 'paused',
    },
    queues: {
      title: 'Queues',
      place: { postgres: 'It is in PostgreSQL.', redis: 'It is in Redis.' },
      runs: 'The queue is giving out runs.',
      pausedBy: (who: string, at: string) => `The night was paused by ${who} on ${at}.`,
      pausedElsewhere:
        'The queue is paused, but not by Nightkeep: another program, such as a queue board, did that. No worker starts a run.',
      pausedNote: 'No worker starts a run; runs in progress continue.',
      reason: (words: string) => `The reason: ${words}`,
      damaged:
        'Another program put something where Redis keeps the queue, so no runs are given out. Nothing is lost: runs are in PostgreSQL, and are queued again once it is deleted.',
      away: 'The queue does not answer. Nothing is lost: runs are in PostgreSQL, and are queued again once it is back.',
      waiting: 'Waiting',
      active: 'In progress',
      delayed: 'Delayed',
      notes: { waiting: 'for a worker', active: 'with workers', delayed: 'to be tried again later' },
      pause: 'Pause the night',
      pauseLead: 'While the night is paused, no worker starts a run, on any machine. Runs in progress continue.',
      resume: 'Resume the night',
      drain: 'End the night early',
      drainLead:
        'Runs in progress continue. Waiting runs are skipped and come again next night. Backups that somebody requested keep their place.',
      drainTitle: 'End the night early?',
      drainNow: 'End this night',
      back: 'No, go back',
      why: 'Why (for the audit)',
      jobs: 'Jobs',
      jobsLead: (shown: number) => `At most ${formats.number(shown)} of them, those in progress first.`,
      board: 'See each job in Bull Board',
      readOnly: 'The queue board is read-only: QUEUE_BOARD is not `writable`.',
      noJobs: 'The queue is empty.',
      job: 'Job',
      state: 'State',
      since: 'Queued',
      states: { active: 'in progress', waiting: 'waiting', delayed: 'delayed' },
      told: {
        paused: 'The night is paused.',
        resumed: 'The night continues.',
        drained: 'The night ends early: waiting runs are skipped.',
        'nothing-waits': 'No run of the night is waiting, so none was skipped.',
        unchanged: 'Nothing was changed: it is like that already.',
      },
    },
    person: {
      verdicts: {
        protected: 'protected',
        partly: 'protected in part',
        late: 'late',
        not: 'not protected',
      } satisfies Record<ProtectionVerdict, string>,
      damaged: (files: number, snapshots: number, since: string) =>
        `Damage, known since ${since}: ${entries(files)}${files >= mostNames ? ' or more' : ''} cannot be restored${snapshots === 0 ? '' : `, and nothing of ${formats.number(snapshots)} ${snapshots === 1 ? 'snapshot' : 'snapshots'}`}.`,
      gone: (since: string) => `The repository is not there, or nothing opens it: known since ${since}.`,
      damages: {
        healing: 'the next night reads it again',
        lost: 'a complete night did not bring it back',
        removed: 'snapshots that retention did not remove are gone from the store',
        key: 'the person needs a new recovery key',
        mending: 'nothing is lost',
        superseded: 'no snapshot needs what is damaged',
        accepted: 'the person has looked at what is lost',
      } satisfies Record<Exclude<DamageState, 'gone'>, string>,
      notVerified: (cause: string) => `The last verification failed: ${cause}.`,
      allPaused: 'The night is paused for everybody: no worker starts a run.',
      reads: (sentence: string) => `What they read on their home page: “${sentence}”`,
      who: 'Who',
      name: 'Name',
      id: 'Id',
      subject: 'Subject',
      issuer: 'Provider',
      signedIn: 'Last signed in',
      never: 'never',
      consent: 'Consent',
      state: 'State',
      sources: 'Backed up',
      lastUsed: 'Last used',
      asked: 'Asked again',
      plan: 'Nights',
      window: 'Window',
      next: 'Next',
      runs: 'Backups',
      runsLead: 'The newest fifty. Neither names nor contents of what was backed up are shown here.',
      noRuns: 'There are none.',
      night: 'Night',
      outcome: 'Result',
      cause: 'Cause',
      notRead: (count: number) => (count === 1 ? 'one entry not read' : `${formats.number(count)} entries not read`),
      tries: 'Attempts',
      started: 'Started',
      took: 'Took',
      actions: 'What you can do',
      actionsLead: 'Each is recorded in the audit with your name; the person sees the result on their pages.',
      why: 'Why (for the audit)',
      askAgain: 'Ask the provider again',
      run: 'Back up now',
      pause: 'Pause their nights',
      resume: 'Resume their nights',
      signOut: 'Sign them out of Nightkeep',
      withdraw: 'Withdraw for them',
      withdrawTitle: 'Withdraw for this person?',
      withdrawLead:
        'Their consent ends at once and their nights stop. The snapshots stay until they, or you on the command line, decide otherwise. Their pages say that an operator did it, and they can agree again.',
      withdrawNow: 'Withdraw their consent',
      back: 'No, go back',
      audit: 'See the audit about them',
      told: {
        accepted: 'The provider accepts the consent again.',
        asking: 'The provider is being asked already. Reload this page to see its answer.',
        refused: 'The provider still refuses the consent.',
        unanswered: 'The provider gave no usable answer; it is asked again automatically.',
        run: 'A backup was requested.',
        'run-under-way': 'Nothing was changed: a backup is running already, or begins next.',
        'no-run': 'The consent has ended, so no backup can run.',
        paused: 'None of their nights will begin. A backup that is running or waiting continues.',
        resumed: 'Their nights are no longer paused. The ones that were missed are not made up for.',
        'signed-out': 'They are signed out of Nightkeep in all browsers. Their consent and their nights are as before.',
        withdrawn: 'The consent has ended here.',
        undoubted: 'The provider was not asked: the consent is active.',
        'no-consent': 'The provider was not asked: the consent was withdrawn, or there never was one.',
        'no-nights': 'Nothing was changed: without a consent there are no nights.',
        unchanged: 'Nothing was changed: it is like that already.',
      },
    },
    causes: {
      server_away: 'a server of people’s data does not answer, or does not deliver it',
      server_refuses: 'a server of people’s data refuses access',
      address_unknown: 'a claim that an address of people’s data needs is missing',
      address_refused: 'the settings do not name a server that was agreed to (FILES_ORIGINS)',
      address_wrong: 'what answers at an address of people’s data does not list it',
      consent_refused: 'the provider refuses the consent',
      consent_in_use: 'another worker is using the consent, or stopped while it did',
      provider_away: 'the provider does not answer',
      provider_trouble: 'there is a problem with the provider, or with Nightkeep’s access to it',
      repository_locked: 'another program is using the repository',
      store_full: 'the store is full',
      store_trouble: 'the store could not be used',
      time_over: 'the backup took longer without a break than RUN_TIME allows',
      service_trouble: 'Nightkeep itself failed',
    } satisfies Record<RunFault, string>,
    unreadable: 'something could not be read',
    changed: 'something changed while it was read',
    damaged: 'a file of the repository is damaged',
    zone: (zone: string) => `Times are those of ${zone}.`,
    audit: {
      title: 'Audit',
      lead: 'Who did what, to whom and why. Nobody, operators included, can change an entry, or remove one that is younger than a year. When a person is erased, the reasons that were written about them are removed.',
      when: 'When',
      who: 'Who',
      what: 'What',
      whom: 'To whom',
      about: 'About',
      now: 'at once',
      exports: {
        'into the store': 'to the store',
        'with tokens': 'with offline tokens',
        'without tokens': 'without offline tokens',
      },
      snapshots: (count: number) => `${formats.number(count)} ${count === 1 ? 'snapshot' : 'snapshots'}`,
      files: entries,
      backups: (count: number) => `${formats.number(count)} ${count === 1 ? 'backup' : 'backups'}`,
      skipped: (count: number) => `${formats.number(count)} ${count === 1 ? 'backup' : 'backups'} skipped`,
      retried: (cause: string, count: number) => `${cause}: ${formats.number(count)} requested`,
      erased: (snapshots: number, files: number, size: string) =>
        `${formats.number(snapshots)} ${snapshots === 1 ? 'snapshot' : 'snapshots'} with ${formats.number(files)} ${files === 1 ? 'file' : 'files'}, ${size}`,
      kept: (rule: RetentionRule) => (isEmpty(rule) ? 'all of them' : staying(rule)),
      oneSnapshot: (id: string) => `snapshot ${id}`,
      twoSnapshots: (first: string, second: string) => `snapshots ${first} and ${second}`,
      allSnapshots: 'all snapshots',
      toSource: (id: string) => `snapshot ${id}, to where it came from`,
      putBack: 'older rows that were put back into the database',
      movedAddress: (from: string, to: string) => `from ${from} to ${to}`,
      language: (name: string) => `language: ${name}`,
      browserLanguage: 'as set in the browser',
      noMail: (kinds: string) => `no mail about: ${kinds}`,
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
      none: 'There are no such entries.',
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
        outside: 'something other than Nightkeep',
      } satisfies Record<ActorKind, string>,
      acts: {
        'consent-given': 'agreed',
        'consent-renewed': 'renewed the consent',
        'consent-withdrawn': 'withdrew the consent',
        'consent-asked-again': 'had the provider asked again',
        'key-shown': 'was shown the recovery key',
        'key-kept': 'confirmed that the recovery key was kept',
        'key-reissued': 'had a new recovery key made',
        'foreign-key-removed': 'removed another key of the repository',
        'erasure-chosen': 'chose when the snapshots are erased',
        'snapshots-erased': 'erased the snapshots',
        'retention-changed': 'changed which snapshots stay',
        'snapshots-forgotten': 'forgot snapshots as agreed',
        'data-pruned': 'removed data that no snapshot needs',
        'repository-repaired': 'repaired the repository',
        'key-files-mended': 'repaired key files of the repository',
        'repository-adopted': 'adopted the repository of a person from a lost installation',
        'repository-moved': 'moved the repository of a person to another store',
        'repository-lost': 'declared the repository of a person lost',
        'old-copy-deleted': 'deleted the copy of a repository that was moved',
        'person-erased': 'erased a person',
        'settings-changed': 'changed settings',
        'sources-chosen': 'chose what to back up',
        'changes-confirmed': 'confirmed a great loss or change',
        'losses-accepted': 'looked at what cannot be restored any more',
        'run-requested': 'requested a backup',
        'runs-retried': 'had a group of backups tried again',
        'plan-paused': 'paused the nights of a person',
        'plan-resumed': 'resumed the nights of a person',
        'signed-out': 'signed a person out of Nightkeep',
        'operator-signed-in': 'signed in as an operator',
        'files-restored': 'restored data of a person',
        'names-read': 'read names in the backups of a person',
        'night-paused': 'paused the night',
        'night-drained': 'ended the night early',
        'night-resumed': 'resumed the night',
        'queue-changed': 'changed the queue with the queue board',
        'refusals-trusted': 'accepted refusals of a provider as true',
        'provider-moved': 'moved people to another address of the provider',
        'files-moved': 'declared another address of what is backed up of a person',
        'database-migrated': 'brought the database up to a new version',
        'keys-rotated': 'sealed everything under the newest key',
        'key-retired': 'retired a key',
        'rows-confirmed': 'confirmed what the database says about a person',
        'service-healed': 'recovered interrupted work',
        'state-exported': 'exported Nightkeep’s own state',
        'state-imported': 'imported Nightkeep’s own state',
        'audit-exported': 'downloaded the audit',
      } satisfies Record<Act, string>,
    },
  },
};

/** What a language has to say: nothing more and nothing less than English says. */
export type Texts = Readonly<typeof texts>;
