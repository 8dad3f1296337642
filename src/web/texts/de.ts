import { mostNames } from '../../domain/damage.ts';
import { mostNotes } from '../../domain/restore-place.ts';
import { countWords, isEmpty, type RetentionRule } from '../../domain/retention/rule.ts';
import type { SourceName } from '../../domain/source-names.ts';
import { dayMs, hourMs, minuteMs } from '../../durations.ts';
import type { Above, Texts } from './en.ts';
import { formatsIn } from './formats.ts';

const formats = formatsIn('de-DE', { byte: () => 'Byte' });

const again = 'Willigen Sie erneut ein, dann gehen Ihre Nächte weiter.';
const nothing = ({ asked }: Above) =>
  asked ? 'außer dem, was oben steht, brauchen Sie nichts zu tun' : 'Sie brauchen nichts zu tun';
const triedAgain = (when: string, above: Above) => `Es wird ${when} erneut versucht; ${nothing(above)}.`;
const onlyWait = (_when: string, { asked }: Above) =>
  asked ? 'Außer dem, was oben steht, brauchen Sie nichts zu tun.' : 'Sie brauchen nichts zu tun.';

const away = {
  title: 'Zurzeit nicht verfügbar',
  happened: 'Ein Teil von Nightkeep antwortet nicht.',
  act: 'Versuchen Sie es in einigen Minuten noch einmal. Bleibt es so, sagen Sie dem Betreiber von Nightkeep Bescheid.',
};

const counted = (count: number, one: string, many: string) => `${formats.number(count)} ${count === 1 ? one : many}`;
const mine = { files: 'Dateien', calendars: 'Kalender', contacts: 'Kontakte', mail: 'E-Mails' };
const listed = (names: readonly SourceName[]) => formats.list(names.map((name) => mine[name]));
const refused = (names: readonly SourceName[]) =>
  formats.list(
    names.map((name) =>
      name === 'files' ? 'Dateien' : name === 'calendars' ? 'Kalendern' : name === 'contacts' ? 'Kontakten' : 'E-Mails',
    ),
  );
const files = (count: number) => counted(count, 'Datei', 'Dateien');
const items = (count: number) => counted(count, 'Eintrag', 'Einträge');
const inRepositories = (people: number) =>
  people === 1 ? 'im Repository einer Person' : `in den Repositorys von ${formats.number(people)} Personen`;

/** How a restore into a new one of these goes. */
const restoring = (
  { into, the, inThe, it, inAnother }: Record<'into' | 'the' | 'inThe' | 'it' | 'inAnother', string>,
  where: string,
) => ({
  asked:
    'Noch ist nichts geschrieben: Ihr Anmeldedienst hat nicht zugestimmt. Beginnen Sie beim Sicherungsstand von vorn.',
  running: `Es wird in ${into} ${where} geschrieben.`,
  succeeded: `Alles ist geschrieben. Sie finden ${the} ${where}.`,
  partial: 'Alles ist geschrieben, bis auf das, was unten steht.',
  failed: `Es ließ sich nicht abschließen. Was geschrieben wurde, liegt ${inThe}.`,
  cancelled: `Es wurde abgebrochen. Was vorher geschrieben wurde, liegt ${inThe}, falls es ${it} gibt.`,
  lost: `Der Teil von Nightkeep, der es schrieb, wurde mittendrin beendet. Was geschrieben wurde, liegt ${inThe}, falls es ${it} gibt. Eine neue Wiederherstellung beginnt von vorn, ${inAnother}.`,
});

/** A span of time in its largest whole unit. */
function span(ms: number): string {
  const units = [
    [dayMs, 'Tag', 'Tagen'],
    [hourMs, 'Stunde', 'Stunden'],
    [minuteMs, 'Minute', 'Minuten'],
  ] as const;
  const [unitMs, one, many] = units.find(([size]) => ms % size === 0) ?? [1_000, 'Sekunde', 'Sekunden'];
  return counted(ms / unitMs, one, many);
}

/** Which snapshots a rule keeps. */
function staying(rule: RetentionRule): string {
  if (isEmpty(rule)) return 'alle';
  const { years = 0, months = 0, days = 0, hours = 0 } = rule.within ?? {};
  const units = [
    [years, 'Jahr', 'Jahre'],
    [months, 'Monat', 'Monate'],
    [days, 'Tag', 'Tage'],
    [hours, 'Stunde', 'Stunden'],
  ] as const;
  const span = units.flatMap(([count, one, many]) => (count > 0 ? [counted(count, one, many)] : []));
  const newest = countWords.flatMap((word) => {
    const count = rule[word] ?? 0;
    if (count === 0) return [];
    if (word === 'last') return [count === 1 ? 'der letzte' : `die letzten ${count}`];
    const [one, many] = each[word];
    return [
      count === 1
        ? `der neueste aus ${one}`
        : `je der neueste aus den letzten ${count} ${many}, in denen es welche gibt`,
    ];
  });
  return [
    ...newest,
    ...(span.length > 0 ? [`alle, die weniger als ${span.join(', ')} älter sind als der neueste`] : []),
    ...(rule.tags ?? []).map((tag) => `alle mit dem Schlagwort „${tag}“`),
  ].join('; ');
}

const each = {
  hourly: ['der letzten Stunde, in der es einen gibt', 'Stunden'],
  daily: ['dem letzten Tag, an dem es einen gibt', 'Tagen'],
  weekly: ['der letzten Woche, in der es einen gibt', 'Wochen'],
  monthly: ['dem letzten Monat, in dem es einen gibt', 'Monaten'],
  yearly: ['dem letzten Jahr, in dem es einen gibt', 'Jahren'],
} as const;

/** German, to people as „Sie“. */
const zipNotes: Texts['snapshots']['notes'] = {
  missing: {
    file: 'NICHT WIEDERHERGESTELLT.txt',
    lead: 'Das Folgende war in der Sicherung nicht zu lesen, oder eine ZIP-Datei kann es nicht aufnehmen',
    why: {
      damaged: (message) => `in der Sicherung beschädigt. ${message}`,
      unreadable: 'in der Sicherung beschädigt oder von unbekannter Art',
      unsafe: 'ein Name, der aus seinem Ordner herausführen würde',
      special: 'ein Gerät, eine Pipe oder ein Socket; das nimmt keine ZIP-Datei auf',
      tooLarge:
        'Der Inhalt dieses Ordners fehlt, weil er für diese ZIP-Datei zu viel ist oder zu tief liegt. Laden Sie den Ordner oder einen Teil davon einzeln herunter',
    },
  },
  renamed: {
    file: 'UMBENANNT.txt',
    lead: 'Manche Systeme halten diese Namen für etwas anderes, darum sind sie hier anders geschrieben',
  },
  odd: {
    file: 'ANDERE SYSTEME.txt',
    lead: 'Diese Namen kann nicht jedes System aufnehmen. Wo das so ist, ändert das Programm, das diese Datei entpackt, möglicherweise den Namen, lässt die Datei weg oder setzt sie an die Stelle einer anderen',
    why: {
      case: 'für Windows und macOS derselbe Name wie',
      form: 'für macOS derselbe Name wie',
      long: 'länger als die 255 Bytes, die Linux zulässt; Windows und macOS lassen 255 Zeichen zu',
      windows: 'unter Windows nicht erlaubt',
    },
  },
  more: (count) => `Und ${formats.number(count)} weitere.`,
};

export const texts: Texts = {
  language: 'de',
  languageName: 'Deutsch',
  formats,
  name: 'Nightkeep',
  tagline: 'Ihre Daten, jede Nacht gesichert.',
  skip: 'Zum Inhalt',
  pages: 'Seiten',
  languages: 'Sprache',
  // On a phone the words stand beside each other, broken where they may be.
  menu: {
    home: 'Über\u00adsicht',
    snapshots: 'Siche\u00adrungen',
    grant: 'Ein\u00adwilli\u00adgung',
    recovery: 'Not\u00adfall',
    settings: 'Einstel\u00adlungen',
    operators: 'Be\u00adtrieb',
    signIn: 'Anmelden',
    signOut: 'Abmelden',
  },
  fresh: {
    why: 'Damit es niemand anders in einem Browser tut, den Sie offen gelassen haben, fragt Ihr Anmeldedienst noch einmal, wer Sie sind.',
    signIn: 'Neu anmelden, um fortzufahren',
  },
  signedOut: {
    title: 'Sie sind abgemeldet',
    lead: 'Diese Seite war noch offen, als Ihre Sitzung hier endete; deshalb zeigt sie nichts mehr.',
  },
  settings: {
    title: 'Einstellungen',
    told: {
      done: {
        hours: 'Ihre Zeiten sind gespeichert.',
        paused: 'Ihre Nächte sind ausgesetzt.',
        resumed: 'Ihre Nächte sind nicht mehr ausgesetzt.',
        language: 'Ihre Sprache ist gespeichert.',
        mails: 'Ihre Auswahl der E-Mails ist gespeichert.',
        sources: 'Ihre Auswahl, was gesichert wird, ist gespeichert. Sie gilt ab der nächsten Sicherung.',
        'session-ended': 'Dieser Browser ist abgemeldet.',
        'sessions-ended': 'Alle anderen Browser sind abgemeldet.',
      },
      not: {
        'no-plan': 'Es wurde nichts gespeichert.',
        held: 'Es wurde nichts geändert: Ein Betreiber von Nightkeep hat Ihre Nächte ausgesetzt.',
        ended: 'Es wurde nichts geändert: Ohne Einwilligung gibt es keine Nächte.',
        'no-session': 'Dieser Browser ist keiner von denen, in denen Sie angemeldet sind.',
      },
    },
    noPlan: 'Sie werden nicht gesichert, also gibt es keine Zeiten einzustellen.',
    hours: {
      title: 'Zeiten Ihrer Nächte',
      lead: 'Ihre Sicherung beginnt irgendwann zwischen diesen beiden Uhrzeiten, in der Zeitzone darunter.',
      allowed: (start, end) => `Der Betreiber erlaubt Zeiten zwischen ${start} und ${end} Uhr.`,
      from: 'Von',
      to: 'Bis',
      zone: 'Zeitzone',
      next: (at) => `Nächste Nacht: ${at}.`,
      ended:
        'Ihre Einwilligung ist zu Ende, also gibt es keine Nächte. Wenn Sie erneut einwilligen, haben sie diese Zeiten.',
      agreed:
        'Eingewilligt haben Sie in die Zeiten von damals; die Seite Einwilligung zeigt sie, und was sich seitdem geändert hat.',
      save: 'Zeiten speichern',
      faults: {
        unreadable: 'Geben Sie zwei Uhrzeiten an und eine Zeitzone aus der Liste.',
        short: 'Zwischen den beiden Uhrzeiten muss mindestens eine Stunde liegen.',
        outside: 'Der Betreiber erlaubt diese Zeiten nicht.',
      },
    },
    sources: {
      title: 'Was gesichert werden soll',
      lead: 'Was Sie abwählen, fehlt ab der nächsten Sicherung in neuen Sicherungsständen. Kopien davon in früheren Sicherungsständen bleiben so lange wie diese. Eine Sicherung, die gerade läuft, geht zu Ende, wie sie begonnen hat.',
      again: 'Was Sie wieder auswählen, wird wie beim ersten Mal gelesen.',
      save: 'Auswahl speichern',
      fault:
        'Setzen Sie mindestens einen Haken. Um alles anzuhalten, setzen Sie Ihre Nächte aus oder widerrufen Sie Ihre Einwilligung.',
      notAgreed: 'Sie haben nicht in all das eingewilligt. Es wurde nichts geändert.',
      beyond: (what) => `Auch Ihre ${listed(what)} können gesichert werden, wenn Sie darin einwilligen:`,
      agree: 'Lesen, worin Sie einwilligen würden',
    },
    kept: {
      title: 'Was aufgehoben wird',
      all: 'Sie haben nicht eingewilligt, dass Sicherungsstände gelöscht werden, also bleiben alle.',
      link: 'Jeden Sicherungsstand ansehen, ob er bleibt und warum',
    },
    pause: {
      title: 'Pause',
      lead: 'Bis zu dem Tag, den Sie wählen, beginnt keine Nacht. Sicherungen, die warten oder laufen, gehen weiter. Was sich in der Pause ändert, wird nicht gesichert.',
      alive: 'Ihre Einwilligung wird am Leben gehalten.',
      dead: 'Mit Ihrer Einwilligung gibt es ein Problem, das eine Pause nicht behebt: siehe die Seite Einwilligung.',
      until: 'Nächte fortsetzen am',
      save: 'Nächte aussetzen',
      now: (at) => `Ihre Nächte sind ausgesetzt bis ${at}.`,
      byOperator: 'Der Betreiber von Nightkeep hat Ihre Nächte ausgesetzt und kann sie fortsetzen.',
      ended: 'Ihre Einwilligung ist zu Ende, also gibt es keine Nächte auszusetzen.',
      resume: 'Nächte jetzt fortsetzen',
      change: 'Stattdessen bis zu diesem Tag aussetzen',
      fault: 'Wählen Sie einen Tag ab morgen, innerhalb eines Jahres.',
    },
    language: {
      title: 'Sprache',
      label: 'Sprache der Seiten und E-Mails',
      none: 'Wie in meinem Browser eingestellt',
      save: 'Sprache speichern',
    },
    mails: {
      title: 'E-Mail',
      lead: (address) =>
        `Sie erhalten E-Mails an ${address}, die Adresse, die Ihr Anmeldedienst bei Ihrer letzten Anmeldung nannte.`,
      noAddress:
        'Ihr Anmeldedienst nannte bei Ihrer letzten Anmeldung keine E-Mail-Adresse oder nannte sie unbestätigt, also erhalten Sie keine E-Mails.',
      off: 'Nightkeep ist hier nicht dafür eingerichtet, E-Mails zu verschicken.',
      legend: 'Mir eine E-Mail schicken',
      kinds: {
        'consent-ends': '14, 7 und 2 Tage bevor meine Einwilligung endet',
        trouble:
          'wenn es ein Problem gibt, das ich beheben kann, oder meine Sicherungsstände beschädigt oder nicht geprüft sind',
      },
      save: 'Speichern',
    },
    sessions: {
      title: 'Wo Sie angemeldet sind',
      lead: (idleMs, maxMs) =>
        `Ein Browser wird ohne Nutzung nach ${span(idleMs)} abgemeldet, und in jedem Fall nach ${span(maxMs)}.`,
      browser: 'Browser',
      unknown: 'nicht bekannt',
      here: 'dieser Browser',
      began: 'Angemeldet',
      seen: 'Zuletzt verwendet',
      ends: 'Endet spätestens',
      end: 'Abmelden',
      endThat: (agent, began) => `${agent} abmelden, angemeldet ${began}`,
      endOthers: 'Alle anderen abmelden',
    },
    data: {
      title: 'Meine Daten bei Nightkeep herunterladen',
      lead: 'Eine Datei mit allem, was die Datenbank von Nightkeep über Sie enthält: worin Sie eingewilligt haben, Ihr Plan, Sicherungen, Nutzungen Ihrer Einwilligung, Mitteilungen, und wer was getan hat. Schlüssel und Tokens enthält sie nicht; was gesichert wurde, finden Sie unter Sicherungen.',
      link: 'Als JSON herunterladen',
    },
    erase: {
      title: 'Alles über mich löschen',
      lead: 'Ihre Einwilligung, Ihre Sicherungsstände und alles andere, was Nightkeep über Sie hat.',
      link: 'Ansehen, was gelöscht wird',
      stepTitle: 'Alles über mich löschen?',
      all: 'Das lässt sich nicht rückgängig machen. Sofort:',
      atOnce: [
        'endet Ihre Einwilligung hier, Ihre Nächte hören auf, und Nightkeep bittet Ihren Anmeldedienst, das Token zu beenden;',
        'werden gelöscht: worin Sie eingewilligt haben, die Aufzeichnungen Ihrer Sicherungen, die Nutzungen Ihrer Einwilligung, Mitteilungen an Sie, Ihr Name und Ihre E-Mail-Adresse;',
        'wird jeder Browser abgemeldet.',
      ],
      later:
        'Danach löscht ein Arbeitsprozess alle Ihre Sicherungsstände, und dann, was darauf warten musste. Nächtliche Kopien von Nightkeeps eigenen Aufzeichnungen liegen versiegelt im Speicher; die mit Ihren werden auch gelöscht, oder, wenn der Speicher das nicht zulässt, muss der Betreiber es tun. Sie erhalten eine Quittung, die sagt, was getan ist und was noch aussteht.',
      stays:
        'Was bleibt: die Quittung, und im Prüfprotokoll, was wann getan wurde, unter einer Nummer, zu der kein Name mehr gehört. Ihre Daten werden dort, woher sie gesichert wurden, nicht angerührt, und auch Ihr Konto beim Anmeldedienst nicht.',
      keep: 'Wenn Sie etwas behalten möchten, laden Sie es vorher herunter:',
      word: 'löschen',
      type: (word) => `Tippen Sie „${word}“, um fortzufahren`,
      button: 'Alles über mich löschen',
      wrong: 'Das war nicht das richtige Wort. Es wurde nichts gelöscht.',
      back: 'Zurück zu den Einstellungen',
    },
    receipt: {
      title: 'Quittung: Alles über Sie ist gelöscht',
      waitingTitle: 'Quittung: Alles über Sie wird gelöscht',
      number: 'Quittung',
      keep: 'Drucken Sie diese Seite, oder speichern Sie ihre Adresse: Sie sind abgemeldet, und einen anderen Weg hierher gibt es nicht.',
      begun: (at) =>
        `Sie haben es am ${at} verlangt. Seitdem gilt Ihre Einwilligung hier nicht mehr, und keine Nacht beginnt.`,
      removed: {
        title: 'Damals gelöscht',
        consents: 'Aufzeichnungen, worin Sie eingewilligt haben',
        uses: 'Aufzeichnungen von Nutzungen Ihrer Einwilligung',
        backups: 'Aufzeichnungen von Sicherungen',
        notices: 'Mitteilungen an Sie',
        events: 'Einträge darüber, was geschehen ist',
        sessions: 'Abgemeldete Browser',
        person:
          'Ihr Name, Ihre E-Mail-Adresse und was Ihr Anmeldedienst sonst über Sie mitgeteilt hatte, wurden damals ebenfalls gelöscht.',
      },
      tokens: {
        title: 'Ihre Einwilligung beim Anmeldedienst',
        outstanding:
          'Der Anmeldedienst hat es noch nicht bestätigt. Nightkeep versucht es weiter, bis das Token dort abläuft; dann wird es hier vernichtet.',
        revoked: 'Der Anmeldedienst hat das Token beendet.',
        expired: 'Das Token ist beim Anmeldedienst abgelaufen und wurde hier vernichtet.',
        shredded: 'Der Anmeldedienst bietet Nightkeep keinen Weg, das Token zu beenden. Es wurde hier vernichtet.',
        none: 'Es war kein Token mehr da.',
      },
      snapshots: {
        title: 'Ihre Sicherungsstände',
        kept: 'Sie sind noch da. Ein Arbeitsprozess löscht sie; diese Seite zeigt, wann es geschehen ist.',
        none: 'Es gab keine.',
      },
      rest: {
        title: 'Der Rest',
        waits:
          'Die Zeile der Datenbank, zu der Tokens und Sicherungsstände gehören, nennt niemanden mehr. Sie wird gelöscht, sobald nichts mehr aussteht.',
        gone: (at) =>
          `Am ${at} war in der Datenbank nichts mehr über Sie außer dieser Quittung und dem Prüfprotokoll. Kopien der Datenbank im Speicher, die Ihre Daten enthalten, werden einige Minuten danach gelöscht, wenn der Speicher Nightkeep löschen lässt.`,
      },
      download: 'Die Quittung als JSON herunterladen',
    },
  },
  welcome: {
    title: 'Ihre Daten, jede Nacht gesichert',
    lead: 'Melden Sie sich an und willigen Sie einmal ein: Nightkeep sichert dann jede Nacht Ihre Daten, während Sie abwesend sind. Sie sehen, wofür Ihre Einwilligung genutzt wird, und können sie jederzeit widerrufen.',
  },
  home: {
    adopted:
      'Ihre früheren Sicherungsstände sind da: Der Betreiber hat Nightkeep neu eingerichtet. Willigen Sie erneut ein, dann gehen Ihre Nächte dort weiter, wo sie aufgehört haben.',
    adoptedSnapshots: 'Ansehen',
    snapshotsLost: (time) =>
      `Der Betreiber von Nightkeep hat am ${time} erklärt, dass Ihre früheren Sicherungsstände verloren sind: Der Ort, an dem sie lagen, ist nicht mehr da. Die erste Sicherung danach beginnt von vorn, mit einem neuen Wiederherstellungsschlüssel; der frühere öffnet nichts mehr. Sobald Sie bestätigt haben, dass Sie den neuen aufbewahrt haben, steht das hier nicht mehr.`,
    snapshotsLostKey: 'Wiederherstellungsschlüssel ansehen',
    sources: { files: 'Dateien', calendars: 'Kalender', contacts: 'Kontakte', mail: 'E-Mails' },
    filesMoved: (what, time, from, to) =>
      `Der Betreiber von Nightkeep hat am ${time} erklärt, dass Ihre ${what} unverändert jetzt unter einer anderen Adresse liegen; Ihre nächste Sicherung holt sie dort: ${to}. Als Sie einwilligten, war es ${from}. Stimmt das nicht, dann widerrufen Sie Ihre Einwilligung, oder setzen Sie Ihre Nächte aus und fragen Sie den Betreiber. Sobald Sie erneut einwilligen, steht das hier nicht mehr.`,
    filesMovedAgree: 'In die neue Adresse einwilligen',
    filesMovedConsent: 'Einwilligung ansehen',
    more: {
      what: (what) => `Auch Ihre ${listed(what)} können gesichert werden.`,
      how: 'Nichts davon wird gelesen, bevor Sie darin eingewilligt haben. Erneuern Sie Ihre Einwilligung, um die Sätze zu lesen; Ihre Nächte gehen so oder so weiter wie bisher.',
      see: 'Lesen, worin Sie einwilligen würden',
    },
    title: 'Bin ich geschützt?',
    protected: 'Ja, Sie sind geschützt.',
    soFar: 'Bisher ja: Ihre letzte Sicherung ist vollständig.',
    partly: 'Nur teilweise.',
    butFor: (count) => `Ja, bis auf ${items(count)}.`,
    late: 'Nicht ganz: Eine Nacht verging ohne Sicherung.',
    leftOutNow: (what) =>
      `Ihre ${what} konnte die letzte Sicherung nicht alle lesen. Sie sind inzwischen ausgelassen: Die nächste Sicherung ist ohne sie.`,
    underway: 'Noch nicht: Eine Sicherung läuft oder wartet.',
    expired: 'Nein: Ihre Einwilligung ist zu Ende.',
    none: 'Nein, noch nicht.',
    not: 'Nein, zurzeit nicht.',
    agree: 'Ansehen, worin Sie einwilligen würden',
    look: 'Ansehen, was geschehen ist',
    seeRun: 'Diese Sicherung ansehen',
    seeConsent: 'Ihre Einwilligung ansehen',
    lastOfAll: 'Letzte Sicherung',
    last: 'Letzte vollständige Sicherung',
    never: 'noch keine',
    noneLeft: 'keine, die noch da ist',
    next: 'Nächste Nacht',
    nextValue: (day, start, end, zone) => `${day}, zwischen ${start} und ${end} Uhr (${zone})`,
    tonight: 'diese Nacht',
    comingNight: 'die kommende Nacht',
    nightOf: (date) => `die Nacht vom ${date}`,
    paused: 'ausgesetzt',
    pausedForAll: 'sobald der Betreiber die Nacht fortsetzt, die für alle angehalten ist',
    pausedUntil: (at) => `ausgesetzt bis ${at}`,
    renewKey: 'Zum Wiederherstellungs\u00adschlüssel',
    seeVerification: 'Ansehen, was darüber bekannt ist',
    verified: 'Zuletzt als wiederherstellbar geprüft',
    butLost: 'bis auf das, was verloren ist',
    notVerified: 'noch nicht',
    seePause: 'Ihre Pause ansehen',
    ends: 'Einwilligung',
    now: 'Jetzt sichern',
    recent: 'Letzte Sicherungen',
    all: 'Alle Sicherungen',
    noRuns: 'Es gibt noch keine Sicherung.',
    told: {
      'old-answer':
        'Sie sind angemeldet. Die Seite, zu der Sie zurückgegangen sind, war eine Antwort Ihres Anmeldedienstes, die schon verwendet wurde oder zu alt ist; sie hat nichts verändert.',
      unsent:
        'Sie waren nicht mehr angemeldet, als Sie diese Schaltfläche drückten; deshalb wurde nichts ausgeführt. Jetzt sind Sie angemeldet: Öffnen Sie die Seite neu und wiederholen Sie es.',
    },
  },
  nights: {
    title: 'Ein Jahr voller Nächte',
    allTitle: 'Alle Sicherungen',
    none: 'Es gibt noch keine Sicherung.',
    skip: 'Nächte überspringen',
    sum: ({ complete, part, failed, missing, since }) =>
      `Seit ${since}: ${[
        `${counted(complete, 'Nacht', 'Nächte')} vollständig`,
        ...(part > 0 ? [`${part} teilweise`] : []),
        ...(failed > 0 ? [`${failed} fehlgeschlagen`] : []),
        ...(missing > 0 ? [`${missing} ohne Sicherung`] : []),
      ].join(', ')}.`,
    cell: (day, outcome) => `${day}: ${outcome}`,
    added: (size) => `, ${size} neu`,
    legend: {
      some: 'vollständig, wenig Neues',
      more: 'vollständig, mehr Neues',
      most: 'vollständig, viel Neues',
      part: 'teilweise',
      none: 'fehlgeschlagen',
      open: 'noch nicht zu Ende oder ohne Sicherung',
    },
    months: ['Jan', 'Feb', 'Mär', 'Apr', 'Mai', 'Jun', 'Jul', 'Aug', 'Sep', 'Okt', 'Nov', 'Dez'],
    weekdays: ['Mo', 'Mi', 'Fr'],
    ofNight: (night) => `Sicherungen vom ${night}`,
    newer: 'Neuere',
    older: 'Ältere',
    pages: 'Seiten dieser Liste',
  },
  size: {
    title: 'Größe',
    now: (size) => `Ihr letzter Sicherungsstand umfasst ${size}.`,
    added: (size) => `Durch ihn kamen ${size} zu Ihrem Repository hinzu.`,
    grew: (size, since) => `Am ${since} waren es ${size}.`,
    plot: (from, to, since, until) => `Größe der Sicherungsstände: ${from} am ${since}, ${to} am ${until}.`,
    most: (size) => `höchstens ${size}`,
  },
  holding: {
    title: 'Was gesichert wird',
    titleOfEnded: 'Was gesichert wurde',
    files: 'Dateien',
    calendars: 'Kalender',
    contacts: 'Kontakte',
    mail: 'E-Mails',
    nothing: 'Nichts.',
    entries: (count, size) => `${items(count)}, ${size}`,
    changes: (added, changed, gone) =>
      `Seit dem Sicherungsstand davor: ${formats.number(added)} neu, ${formats.number(changed)} geändert, ${formats.number(gone)} entfallen.`,
    unread: (folders, single) => {
      const what = [
        ...(folders > 0 ? [counted(folders, 'Ordner', 'Ordner')] : []),
        ...(single > 0 ? [items(single)] : []),
      ];
      return `${formats.list(what)} ${folders + single === 1 ? 'konnte' : 'konnten'} nicht gelesen werden; wo es eine Kopie aus einer früheren Nacht gibt, bleibt sie.`;
    },
    empty:
      'Der Server hat überhaupt nichts aufgeführt. Wenn das nicht richtig ist, bitten Sie den Betreiber von Nightkeep, die Adresse und den Server zu prüfen.',
    goneFolders: 'Seit dem Sicherungsstand davor als Ganzes verschwunden, mit Inhalt, der nirgends sonst ist:',
    goneEntries: (count) => items(count),
    goneMore: (count) => `${formats.number(count)} weitere`,
    unreadRoots: (what) =>
      `Nichts davon konnte gelesen werden: ${what}. Wo es eine Kopie aus einer früheren Nacht gibt, bleibt sie.`,
    which: 'Welche, und warum',
    missing: 'Der Server bietet dies nicht mehr an; die Kopie aus einer früheren Nacht ist noch da.',
    notOffered: 'fehlt',
    leftOut: 'Ausgelassen: So haben Sie es gewählt, als Sie einwilligten.',
    leftOutByYou: (at) =>
      `Ausgelassen: So haben Sie es am ${at} gewählt. Kopien in früheren Sicherungsständen bleiben so lange wie diese.`,
    leftOutByOperator: (at) =>
      `Ausgelassen: So hat es der Betreiber von Nightkeep am ${at} für Sie gewählt. Kopien in früheren Sicherungsständen bleiben so lange wie diese.`,
    change: 'Ändern',
    nothingElse: 'Sonst wird nichts gesichert.',
    key: 'Wiederherstellungs\u00adschlüssel',
    keyKept: (at) => `aufbewahrt: Das haben Sie am ${at} bestätigt`,
    keySeen: (at) => `Wurde Ihnen am ${at} gezeigt. Bitte bestätigen Sie, dass Sie ihn aufbewahrt haben.`,
    keyProve: 'Bestätigen',
    keyUnseen:
      'Sie haben ihn noch nicht angesehen. Bewahren Sie ihn sicher auf, dann können Sie Ihre Daten auch ohne Nightkeep wiederherstellen.',
    keyShow: 'Anzeigen',
    snapshots: 'Sicherungsstände durchsehen',
  },
  run: {
    title: (night) => `Sicherung vom ${night}`,
    night: 'Nacht',
    outcome: 'Ergebnis',
    started: 'Begonnen',
    finished: 'Beendet',
    why: 'Warum',
    trigger: 'Angefordert durch',
    snapshot: 'Sicherungsstand',
    browse: 'Durchsehen, was gesichert wurde',
    forgotten: (at) => `Ihr Sicherungsstand ist am ${at} entfallen, nach der Regel, in die Sie eingewilligt haben.`,
    repaired: (at) =>
      `Ein Teil ihres Sicherungsstands ging verloren. Am ${at} wurde er durch einen ohne diesen Teil ersetzt; die Zahlen hier können also höher sein als das, was sich wiederherstellen lässt.`,
    lost: (at) =>
      `Ihr Sicherungsstand ist am ${at} entfallen, als das Repository repariert wurde: Nichts davon ließ sich mehr wiederherstellen.`,
    removed: (at) =>
      `Ihr Sicherungsstand wurde aus dem Speicher entfernt, aber nicht von Nightkeep. Sie haben am ${at} bestätigt, dass Sie es angesehen haben.`,
    counts: 'Alle Zahlen',
    problems: 'Was nicht gelesen werden konnte',
    refused: (what) =>
      `Von Ihren ${refused(what)} konnte nichts gesichert werden: Der Server hat Sie nicht hereingelassen oder hat nichts von Ihnen. Wenn Sie dort kein Konto haben, wählen Sie das unter „Einstellungen“ ab; dann sind Ihre Sicherungen auch ohne das vollständig. Wenn Sie dort eines haben, muss der Betreiber von Nightkeep herausfinden, woran es liegt.`,
    more: (named, all) => `Das sind die ersten ${formats.number(named)} von ${formats.number(all)}.`,
    range: (first, last, all) => `${first} bis ${last} von ${formats.number(all)}`,
    previous: 'Vorherige Seite',
    following: 'Nächste Seite',
    path: 'Pfad',
    instead: 'In Ihrer Sicherung',
    copyOf: (at) => `eine Kopie vom ${at}`,
    copy: 'eine Kopie aus einer früheren Nacht',
    noCopy: 'nichts',
    waits: (at, until) => `Die Sicherung wird am ${at} erneut versucht und danach bis ${until}.`,
    confirm: 'Bestätigen, dass das richtig ist',
    unreliable:
      'Der Server nannte etwas unverändert, das anders war als im Sicherungsstand davor. Nightkeep verlässt sich vorerst nicht darauf: Diese Sicherung hat alles gelesen, und die nächsten tun es auch, bis mehrere hintereinander nichts dergleichen finden.',
    unchecked:
      'Der Server hat nichts von dem geliefert, was zum Vergleich erneut gelesen werden sollte. Was er unverändert nannte, wurde in dieser Sicherung ohne Kontrolle übernommen.',
    confirmed: (at) => `Sie oder der Betreiber haben es am ${at} angesehen.`,
  },
  problems: {
    'source/unauthorized': 'der Server nimmt den Zugang nicht an, den Ihr Anmeldedienst dafür gibt',
    'source/forbidden': 'der Server lässt Nightkeep das nicht tun',
    'source/not-found': 'es war dort nicht zu finden',
    'source/changed': 'es änderte sich währenddessen',
    'source/unavailable': 'der Server antwortete nicht, oder mit einem Fehler, der vorübergehen kann',
    'source/malformed': 'der Server antwortete anders, als er sollte',
    'source/too-large': 'es ist größer oder enthält mehr, als zulässig ist',
    'source/too-slow': 'der Server lieferte zu langsam',
    'source/too-deep': 'der Ordner liegt tiefer, als sich wiederherstellen ließe',
    'source/loop': 'der Ordner enthält sich selbst',
    'source/full': 'auf dem Server ist kein Platz mehr',
    'source/root-gone': 'der Server bietet es nicht mehr an',
    'source/foreign-origin': 'der Server steht nicht in den Einstellungen von Nightkeep',
    'source/refused-redirect': 'der Server verweist auf einen anderen, an den der Zugang nicht geschickt wird',
    'source/missing-claim': 'Ihr Anmeldedienst teilt etwas nicht mit, das für die Adresse nötig ist',
    'repository/damaged': 'es ist in der Sicherung beschädigt',
    'repository/not-usable': 'der Ort, an dem Ihre Sicherungsstände aufbewahrt werden, war nicht zu benutzen',
    'repository/no-such-snapshot': 'diesen Sicherungsstand gibt es nicht mehr',
    'store/unavailable': 'der Speicher Ihrer Sicherungsstände antwortete nicht',
    'restore/not-written': 'es ließ sich dort nicht schreiben',
    'restore/too-large': 'es enthält mehr oder liegt tiefer, als eine Wiederherstellung umfasst',
    'restore/permission-ended': 'der Zugang, den Ihr Anmeldedienst dafür gab, endete vorher',
    'restore/written-in-part': 'manche Nachrichten ohne alle ihre Markierungen',
    'run/stopped': 'Nightkeep wurde vorher beendet',
  },
  changes: {
    title: 'Ergebnis',
    new: 'Neu',
    changed: 'Geändert',
    gone: 'Entfallen',
    kept: 'Aus einer früheren Nacht behalten',
    which: 'Was neu, geändert oder entfallen ist',
    all: 'Im Sicherungsstand',
  },
  live: {
    running: 'Eine Sicherung läuft',
    queued: 'Eine Sicherung wartet, bis sie an der Reihe ist',
    waits: (at) => `Sie beginnt am ${at} oder etwas später.`,
    soon: 'Sie beginnt, sobald ein Arbeitsprozess frei ist.',
    halted:
      'Die Nacht ist angehalten, deshalb beginnt zurzeit bei niemandem eine Sicherung. Sobald der Betreiber von Nightkeep die Nacht fortsetzt, beginnt diese.',
    goesOn: (at) =>
      `Sie lief schon eine Weile und lässt jetzt andere vor. Was sie gelesen hat, bleibt. Sie geht weiter, sobald niemand mehr wartet, und ab ${at} ist sie an der Reihe.`,
    afterNights: (at) =>
      `Die nächtlichen Sicherungen gehen vor. Sie beginnt, sobald keine davon mehr wartet, und ab ${at} ist sie an der Reihe.`,
    progress: 'Fortschritt der Sicherung',
    steps: {
      access: 'Den Anmeldedienst um Zugang bitten',
      repository: 'Ihr Repository öffnen',
      reading: 'Ihre Daten lesen',
      snapshot: 'Den Sicherungsstand schreiben',
    },
    done: 'erledigt',
    now: 'jetzt',
    files: 'Einträge bisher',
    filesOf: (seen, expected) => `${seen} von etwa ${expected}`,
    read: 'Gelesene Daten',
    speed: 'Geschwindigkeit',
    speedValue: (size) => `${size} je Sekunde`,
    left: 'Verbleibende Zeit',
    leftValue: (minutes) => {
      if (minutes < 1) return 'weniger als eine Minute';
      return `etwa ${minutes < 120 ? `${minutes} min` : formats.hours(minutes * minuteMs)}`;
    },
    unread: 'Bisher nicht lesbar',
    folder: 'Ordner',
    see: 'Fortschritt ansehen',
    cancel: 'Diese Sicherung abbrechen',
    cancelTitle: 'Diese Sicherung abbrechen?',
    cancelLead:
      'Sie endet ohne Sicherungsstand. Ihre früheren Sicherungsstände und Ihre Einwilligung bleiben, wie sie sind, und die nächste Nacht beginnt wie vorgesehen.',
    cancelNow: 'Abbrechen',
    keepOn: 'Nein, weiterlaufen lassen',
    over: 'Sie ist schon zu Ende, es gibt also nichts abzubrechen.',
  },
  states: {
    queued: 'wartet',
    running: 'läuft',
    succeeded: 'vollständig',
    partial: 'teilweise',
    failed: 'fehlgeschlagen',
    skipped: 'übersprungen',
    cancelled: 'abgebrochen',
  },
  triggers: {
    schedule: 'den Zeitplan',
    consent: 'Ihre Einwilligung',
    person: 'Sie',
    operator: 'einen Betreiber',
  },
  counts: {
    entries: 'Gesehene Einträge',
    entriesRead: 'Gelesen',
    entriesResumed: 'Davon vor der Unterbrechung der Sicherung gelesen',
    entriesUnchanged: 'Unverändert laut Server',
    entriesChecked: 'Davon zur Kontrolle erneut gelesen, und gleich',
    entriesRestored: 'Davon zur Kontrolle auch aus dem Speicher wiederhergestellt',
    entriesUnchecked: 'Ebenfalls zur Kontrolle erneut zu lesen, aber vom Server nicht geliefert',
    foldersPassedOver: 'Nicht aufgelistete Ordner, laut Server unverändert',
    entriesKept: 'Nicht lesbar, aus einer früheren Nacht behalten',
    entriesGone: 'Entfallen seit dem Sicherungsstand davor',
    filesNew: 'Neu seit dem Sicherungsstand davor',
    filesChanged: 'Geändert seit dem Sicherungsstand davor',
    bytesRead: 'Gelesene Daten',
    dataAdded: 'Zu Ihrem Repository hinzugekommene Daten',
    totalBytes: 'Daten im Sicherungsstand',
    requests: 'Anfragen',
    ms: 'Dauer',
  },
  consent: {
    version: '2026-11-26',
    versionOfAll: '2026-11-28',
    versionForAnyone: '2026-11-28',
    title: 'Nightkeep arbeiten lassen, während Sie abwesend sind',
    lead: 'Lesen Sie dies, bevor Sie einwilligen. Auf der nächsten Seite fragt Ihr Anmeldedienst Sie noch einmal.',
    changed: 'Diese Sätze haben sich geändert, seit Sie die Seite geöffnet haben. Bitte lesen Sie sie noch einmal.',
    what: 'Was geholt wird',
    whatValue: (address) => `Ihre Dateien unter ${address}. Sie werden nur gelesen; dort wird nichts verändert.`,
    whatValueOfAll: ({ files, calendars, contacts, mail }) => {
      const named = { Dateien: files, Kalender: calendars, Kontakte: contacts, 'E-Mails': mail };
      const what = Object.entries(named).flatMap(([name, at]) =>
        at === undefined ? [] : [`Ihre ${name} unter ${at}`],
      );
      if (what.length === 1) return `${what[0]}. Sie werden nur gelesen; dort wird nichts verändert.`;
      return `${what.slice(0, -1).join(', ')} und ${what.at(-1)}. Sie werden nur gelesen; dort wird nichts verändert.`;
    },
    leftOut: 'Was ausgelassen wird',
    leftOutValue: (what) =>
      `Ihre ${listed(what)}. Davon wird nichts gelesen, es sei denn, Sie willigen später darin ein.`,
    when: 'Wann',
    whenValue: (start, end, zone) =>
      `Jede Nacht zwischen ${start} und ${end} Uhr (Zeitzone ${zone}), und einmal gleich nach Ihrer Einwilligung.`,
    whenUnlessNamed: (start, end, zone) =>
      `Jede Nacht zwischen ${start} und ${end} Uhr (Zeitzone ${zone}, oder Ihre eigene, wenn Ihr Anmeldedienst sie nennt), und einmal gleich nach Ihrer Einwilligung.`,
    whenUnlessPlanned: (start, end, zone) =>
      `Jede Nacht zwischen ${start} und ${end} Uhr (Zeitzone ${zone}, oder Ihre eigene, wenn Ihr Anmeldedienst sie nennt), und einmal gleich nach Ihrer Einwilligung. Wenn Sie hier schon Nächte haben, bleiben deren Zeiten, wie sie sind.`,
    kept: 'Wie lange es aufbewahrt wird',
    keptValue: (rule) =>
      isEmpty(rule)
        ? 'Alle Ihre Sicherungsstände werden aufbewahrt.'
        : `Von Ihren Sicherungsständen bleiben diese: ${staying(rule)}. Die anderen entfallen nach einer Sicherung, und innerhalb einiger Tage auch die Daten, die nur sie brauchten. Der neueste und der letzte vollständige bleiben immer; nach einem großen Verlust oder einer großen Änderung bleiben alle, bis jemand nachgesehen hat.`,
    how: 'Wie es funktioniert',
    howValue:
      'Ihr Anmeldedienst gibt Nightkeep ein Offline-Token. Es wird verschlüsselt gespeichert und nur verwendet, um Ihre Dateien zu lesen.',
    howValueOfAll:
      'Ihr Anmeldedienst gibt Nightkeep ein Offline-Token. Es wird verschlüsselt gespeichert und nur verwendet, um zu lesen, was hier genannt ist.',
    end: 'Wie Sie widerrufen',
    endValue:
      'Auf der Seite „Einwilligung“ von Nightkeep, jederzeit. Die Arbeit endet sofort. Sich abzumelden ist kein Widerruf.',
    choose: 'Was gesichert werden soll',
    chooseHow:
      'Nehmen Sie den Haken weg bei allem, was nicht gesichert werden soll oder wofür Sie kein Konto haben; einer muss bleiben. Nach einer Änderung lesen Sie die Sätze noch einmal, bevor etwas vereinbart ist.',
    chooseNone: 'Setzen Sie mindestens einen Haken: Sonst gäbe es nichts zu sichern. Es wurde nichts vereinbart.',
    chosen:
      'Sie haben geändert, was gesichert werden soll. Dies sind die Sätze dafür: Bitte lesen Sie sie, und willigen Sie dann ein.',
    agree: 'Einwilligen und weiter zum Anmeldedienst',
    back: 'Jetzt nicht',
    blocked: 'Es ist noch nicht für Sie bereit',
    blockedLead:
      'Ihr Anmeldedienst teilt Nightkeep etwas nicht mit, das für die Adresse Ihrer Dateien nötig ist; so könnte keine Sicherung gelingen. Der Betreiber von Nightkeep kann das beheben; zeigen Sie ihm dies:',
    refused: 'Eine Einwilligung wird zurzeit vermutlich nicht gelingen',
    refusedTold:
      'Nightkeep hat Ihren Anmeldedienst eben gefragt; seine Antwort steht im Log des Betreibers. Nichts wurde verändert. Sie können später wiederkommen oder es trotzdem versuchen.',
    signInAgain: 'Neu anmelden, sobald es behoben ist',
    renewTitle: 'Ihre Einwilligung erneuern',
    renewing: (at) =>
      `Sie haben am ${at} eingewilligt. Wenn Sie erneuern, bleiben Ihr Plan, Ihre Sicherungsstände und dieser Nachweis, und das Token wird durch ein neues ersetzt.`,
  },
  grant: {
    title: 'Ihre Einwilligung',
    none: 'Sie haben in nichts eingewilligt.',
    agreed: 'Eingewilligt',
    earlier: 'Früher eingewilligt',
    earlierMore: 'noch frühere stehen in den Daten, die Sie unter Einstellungen herunterladen können',
    provider: 'Anmeldedienst',
    scope: 'Umfang (Scope)',
    state: 'Zustand',
    states: {
      active: 'gültig',
      suspect: 'gültig, aber vom Anmeldedienst zuletzt abgelehnt',
      needs_consent: 'zu Ende',
      withdrawn: 'widerrufen',
    },
    record: 'Worin Sie eingewilligt haben, Wort für Wort',
    version: (version, language) => `Wortlaut vom ${version} (${language})`,
    versionName: 'Fassung',
    oldRecord:
      'Das ist ein älterer Nachweis: Er sagt, was vereinbart wurde, aber nicht in den Sätzen, die Sie gelesen haben.',
    old: {
      files: 'Ihre Dateien unter',
      window: 'Nächte',
      zone: 'Zeitzone',
      kept: 'Aufbewahrt',
      rest: 'Der Nachweis, wie er gespeichert ist',
    },
    kept: 'Was auch immer darin über Nächte, Wochen und Monate steht: Alle Ihre Sicherungsstände bleiben, bis Sie einwilligen, dass einige entfallen.',
    since: {
      title: 'Was sich seitdem geändert hat',
      nothing: 'Nichts: Ihre Nächte sind, wie Sie eingewilligt haben.',
      unknown: 'Der Nachweis enthält nicht genug für einen Vergleich.',
      files: (was, is) => `Ihre Dateien werden von ${is} geholt. Als Sie einwilligten, war es ${was}.`,
      calendars: (was, is) => `Ihre Kalender werden von ${is} geholt. Als Sie einwilligten, war es ${was}.`,
      contacts: (was, is) => `Ihre Kontakte werden von ${is} geholt. Als Sie einwilligten, war es ${was}.`,
      mail: (was, is) => `Ihre E-Mails werden von ${is} geholt. Als Sie einwilligten, war es ${was}.`,
      window: (was, is) => `Ihre Nächte liegen zwischen ${is}. Als Sie einwilligten, war es ${was}.`,
      zone: (was, is) => `Ihre Nächte richten sich nach der Zeitzone ${is}. Der Nachweis nennt ${was}.`,
      kept: (was, is) =>
        `Von Ihren Sicherungsständen bleiben: ${staying(is)}. Als Sie einwilligten, waren es: ${staying(was)}.`,
      leftOut: {
        byYou: (what, at) => `Ihre ${what} werden nicht mehr gesichert: Sie haben sie am ${at} abgewählt.`,
        byOperator: (what, at) =>
          `Ihre ${what} werden nicht mehr gesichert: Der Betreiber von Nightkeep hat sie am ${at} abgewählt. Sie können das unter „Einstellungen“ ändern.`,
      },
      words:
        'Nightkeep bittet inzwischen mit anderen Worten um die Einwilligung. Ihre gilt weiter, wie sie hier steht; erneuern Sie sie, um die neuen zu lesen und darin einzuwilligen.',
    },
    lasts: {
      title: 'Wie lange sie gilt',
      used: 'Sie wurde genutzt',
      night: 'Die nächste Nacht nutzt sie, und die Zeit ohne Nutzung beginnt von vorn',
      kept: 'Spätestens dann nutzt Nightkeep sie, auch wenn es keine Nacht tut: Es bittet Ihren Anmeldedienst um Zugang, und die Zeit ohne Nutzung beginnt von vorn',
      idle: (time) =>
        `Sie endet von selbst, wenn sie bis dahin nicht genutzt wurde: Ihr Anmeldedienst beendet, was ${time} lang niemand genutzt hat`,
      max: 'Sie endet, wie oft sie auch genutzt wird: Länger lässt Ihr Anmeldedienst sie nicht gelten',
      reminder: (days, { mailed }) =>
        `Sie werden hier${mailed ? ' und per E-Mail' : ''} erinnert: noch ${counted(days, 'Tag', 'Tage')}`,
      idleLearned: (time) => `Ungenutzt gilt sie ${time}: So sagen es die Tokens Ihres Anmeldedienstes.`,
      idleSet: (time) =>
        `Ungenutzt gilt sie ${time}: Der Betreiber hat das so eingestellt, oder es ist von dieser Art Anmeldedienst bekannt. Die Tokens selbst sagen es nicht.`,
      maxUnknown:
        'Ob sie auch an einem festen Tag endet, ist nicht bekannt: Weder Ihr Anmeldedienst noch der Betreiber hat Nightkeep einen genannt. Wenn es geschieht, steht es danach auf dieser Seite, und Sie können erneut einwilligen.',
      days: (count) => counted(count, 'Tag', 'Tage'),
      hours: (count) => counted(count, 'Stunde', 'Stunden'),
      minutes: (count) => counted(count, 'Minute', 'Minuten'),
      mail: {
        to: (address) => `Nightkeep schreibt Ihnen 14, 7 und 2 Tage vor einem festen Ende an ${address}.`,
        noServer:
          'Nightkeep ist hier nicht dafür eingerichtet, E-Mails zu verschicken: Sie lesen es nur auf diesen Seiten.',
        muted:
          'Nightkeep schickt Ihnen darüber keine E-Mails, wie in den Einstellungen gewählt: Sie lesen es nur auf diesen Seiten.',
        noAddress:
          'Nightkeep schickt Ihnen keine E-Mails, denn Ihr Anmeldedienst nennt keine bestätigte Adresse von Ihnen: Sie lesen es nur auf diesen Seiten.',
      },
    },
    ended: 'Beendet',
    lastUsed: 'Zuletzt genutzt',
    askedAgain: 'Nächste Nachfrage',
    renew: 'Jetzt erneuern',
    again: 'Erneut einwilligen',
    ask: 'Beim Anmeldedienst jetzt erneut nachfragen',
    wayOut: 'Ihre Einwilligung widerrufen',
    token: 'Token beim Anmeldedienst',
    revocation: {
      revoked: (at) => `auch dort beendet, am ${at}`,
      outstanding: (until) =>
        `dort noch nicht beendet: Der Anmeldedienst hat es nicht bestätigt. Nightkeep versucht es weiter; spätestens am ${until} läuft es von selbst ab. Hier kann es niemand mehr verwenden.`,
      expired: (at) =>
        `der Anmeldedienst hat es nie bestätigt, aber das Token ist abgelaufen; hier am ${at} vernichtet`,
      shredded: (at) =>
        `hier am ${at} vernichtet, sodass es hier niemand verwenden kann. Nightkeep kann es bei Ihrem Anmeldedienst nicht beenden, denn der bietet keinen Weg dazu.`,
    },
    endThere: 'Um es auch dort zu beenden:',
    endThereAt: 'die Seite Ihres Anmeldedienstes darüber, was Anwendungen dürfen',
    endThereBy:
      'Entfernen Sie den Zugang von Nightkeep in Ihrem Konto dort, falls es Anwendungen auflistet, oder bitten Sie einen Administrator Ihres Anmeldedienstes darum.',
    methods: {
      browser: '',
      device: '(auf einem anderen Gerät)',
      password: '(mit Benutzername und Passwort)',
      service: '(als Dienstkonto)',
    },
  },
  uses: {
    title: 'Nutzungen Ihrer Einwilligung',
    lead: (days) =>
      `Jedes Mal, wenn Nightkeep den Anmeldedienst um Zugang zu Ihren Daten bat, mindestens ${days === 1 ? 'am letzten Tag' : `in den letzten ${formats.number(days)} Tagen`}.`,
    all: (count) => (count === 1 ? 'Das ist die einzige.' : `Das sind alle ${formats.number(count)}.`),
    shown: (count) =>
      count === 1 ? 'Das ist eine davon.' : `Das sind ${formats.number(count)} davon, die neuesten zuerst.`,
    none: 'Sie wurde noch nicht genutzt.',
    noneOlder: 'Ältere gibt es nicht.',
    older: 'Ältere',
    when: 'Wann',
    what: 'Wofür',
    answer: 'Antwort',
    download: 'Alle herunterladen:',
    ofNight: (night) => `die Sicherung vom ${formats.night(night)}`,
    purposes: {
      consent: 'Ihre Einwilligung',
      run: 'eine Sicherung',
      'keep-alive': 'damit die Einwilligung gültig bleibt',
      heal: 'Fortsetzung nach einer Unterbrechung',
    },
    verdicts: {
      ok: 'gewährt',
      transient: 'keine Antwort, oder „nicht jetzt“; später wurde erneut gefragt',
      operator: 'Nightkeep selbst wurde abgelehnt; Näheres steht im Log des Betreibers',
      person: 'abgelehnt',
      unclear: 'ohne Grund abgelehnt; später wurde erneut gefragt',
      unsound:
        'es kam eine Antwort, die eine Prüfung durch Nightkeep nicht bestand; Näheres steht im Log des Betreibers',
      ambiguous: 'die Antwort ging unterwegs verloren oder war nicht zu gebrauchen',
    },
    hints: {
      withdrawn_at_provider: 'sie wurde dort widerrufen',
      signed_out: 'ein Administrator hatte Sie abgemeldet',
      account_disabled: 'Ihr Konto ist dort gesperrt',
      permission_missing: 'die Berechtigung für den Offline-Zugang fehlt',
      token_reused: 'das Token war schon einmal verwendet worden',
      interaction_required: 'Sie müssen sich dort neu anmelden',
    },
    open: 'noch keine Antwort',
  },
  withdraw: {
    title: 'Ihre Einwilligung widerrufen?',
    leads: {
      ended:
        'Nightkeep hört sofort auf, beendet das Token bei Ihrem Anmeldedienst und vernichtet es hier. Sie können später erneut einwilligen.',
      destroyed:
        'Nightkeep hört sofort auf und vernichtet das Token hier, sodass es hier niemand verwenden kann. Ihr Anmeldedienst bietet Nightkeep keinen Weg, es dort zu beenden. Sie können später erneut einwilligen.',
      unknown:
        'Nightkeep hört sofort auf, und niemand hier kann das Token von da an verwenden. Ihr Anmeldedienst antwortet gerade nicht: Sobald er antwortet, beendet Nightkeep das Token auch dort, wenn er das anbietet. Sie können später erneut einwilligen.',
    },
    legend: 'Ihre Sicherungsstände',
    keepFor: (days, until) => `bleiben ${days === 365 ? 'ein Jahr' : counted(days, 'Tag', 'Tage')}, bis ${until}`,
    eraseNow: 'werden sofort gelöscht, und Nightkeep kann sie nicht zurückholen',
    snapshots: 'Ihre Sicherungsstände',
    stay: 'Ihre Sicherungsstände bleiben, bis Sie etwas anderes entscheiden.',
    stayUntil: (at) =>
      `Ihre Sicherungsstände bleiben bis ${at} und werden dann gelöscht. Wenn Sie vorher erneut einwilligen, geht alles weiter wie bisher.`,
    change: 'Das ändern',
    erasing:
      'Sie werden gelöscht. Ein Arbeitsprozess von Nightkeep tut es und versucht es, bis es geschehen ist; diese Seite zeigt dann die Quittung.',
    erased: (at) => `Alles wurde am ${at} gelöscht.`,
    erasedWhat: (snapshots, count, size) =>
      `${counted(snapshots, 'Sicherungsstand', 'Sicherungsstände')} in ${files(count)} (${size}) ${snapshots === 1 ? 'wurde' : 'wurden'} entfernt, die Schlüssel zuerst. Danach wurde der Speicher noch einmal aufgelistet: Nichts ist übrig.`,
    repository: 'Repository',
    choose: 'Weiter',
    sureEndTitle: 'Ihre Einwilligung jetzt beenden?',
    sureEndLead: 'Danach kommt keine Nacht mehr. Bisher wurde nichts verändert.',
    sureEnd: 'Ja, meine Einwilligung widerrufen',
    sureTitle: 'Alles löschen?',
    sureLead:
      'Alle Ihre Sicherungsstände im Speicher werden gelöscht, und Nightkeep kann sie nicht zurückholen. Kopien des Speichers, die der Betreiber vielleicht anderswo gemacht hat, bleiben unberührt.',
    sureWithdraw: 'Widerrufen und alles löschen',
    sureErase: 'Alles löschen',
    back: 'Nein, zurück',
  },
  protection: {
    consent: {
      no_consent: {
        happened: 'Nightkeep braucht Ihre Einwilligung, um Ihre Daten zu sichern, während Sie abwesend sind.',
        act: 'Lesen Sie, worin Sie einwilligen würden; vorher wird nichts geholt.',
      },
      withdrawn: {
        happened: 'Sie haben Ihre Einwilligung hier widerrufen.',
        act: 'Es wird nichts mehr geholt. Sie können erneut einwilligen, wann immer Sie möchten.',
      },
      withdrawn_by_operator: {
        happened: 'Der Betreiber von Nightkeep hat Ihre Einwilligung hier widerrufen.',
        act: 'Es wird nichts mehr geholt. Sie können erneut einwilligen, wann immer Sie möchten.',
      },
      back_channel_logout: {
        happened:
          'Sie wurden bei Ihrem Anmeldedienst abgemeldet, und er hat Nightkeep gebeten, auch Ihre Einwilligung zu beenden.',
        act: again,
      },
      ended_at_provider: {
        happened: 'Ihr Anmeldedienst erkennt Ihre Einwilligung nicht mehr an; sie wurde dort beendet.',
        act: again,
      },
      withdrawn_at_provider: {
        happened: 'Ihre Einwilligung wurde beim Anmeldedienst widerrufen, von Ihnen oder von einem Administrator.',
        act: 'Wenn Ihre Nächte weitergehen sollen, willigen Sie erneut ein.',
      },
      signed_out: {
        happened:
          'Ein Administrator Ihres Anmeldedienstes hat Sie überall abgemeldet, und damit endete Ihre Einwilligung.',
        act: again,
      },
      account_disabled: {
        happened: 'Ihr Konto ist beim Anmeldedienst gesperrt.',
        act: 'Ein Administrator dort kann es freigeben. Ihre Einwilligung gilt dann von selbst wieder: Sie müssen nicht erneut einwilligen.',
      },
      permission_missing: {
        happened: 'Die Berechtigung für den Offline-Zugang wurde beim Anmeldedienst entzogen, Ihnen oder Nightkeep.',
        act: 'Ein Administrator dort kann sie zurückgeben. Ihre Einwilligung gilt dann von selbst wieder, oder sofort, wenn Sie erneut einwilligen.',
      },
      expired_idle: {
        happened: 'Ihre Einwilligung wurde so lange nicht genutzt, dass Ihr Anmeldedienst sie beendet hat.',
        act: again,
      },
      expired_maximum: {
        happened: 'Ihre Einwilligung hat die längste Zeit erreicht, die Ihr Anmeldedienst zulässt.',
        act: again,
      },
      lost_rotation: {
        happened:
          'Ihr Anmeldedienst hat das Token Ihrer Einwilligung ersetzt, und das neue ging verloren, bevor Nightkeep es speichern konnte. Sie haben nichts falsch gemacht.',
        act: again,
      },
      token_reused: {
        happened:
          'Ihr Anmeldedienst hat ein Token erhalten, das schon verwendet worden war, und hat Ihre Einwilligung zur Sicherheit beendet. Sie haben nichts falsch gemacht.',
        act: again,
      },
      interaction_required: {
        happened: 'Ihr Anmeldedienst möchte, dass Sie sich dort neu anmelden, bevor Nightkeep weitermachen darf.',
        act: again,
      },
      consent_ended: { happened: 'Ihr Anmeldedienst erkennt Ihre Einwilligung nicht mehr an.', act: again },
      lost_answers: {
        happened: 'Antworten Ihres Anmeldedienstes gingen unterwegs verloren oder waren nicht zu gebrauchen.',
        act: (when, above) => `Nightkeep fragt ${when} erneut; ${nothing(above)}.`,
      },
      consent_refused: {
        happened: 'Ihr Anmeldedienst hat Ihre Einwilligung zuletzt abgelehnt.',
        act: (when) =>
          `Nightkeep fragt ${when} erneut. Wenn Sie wissen, dass sie dort beendet wurde, willigen Sie erneut ein; dann ist es sofort behoben.`,
      },
      consent_unused: {
        happened: 'Ihre Einwilligung wurde länger nicht genutzt, als Ihr Anmeldedienst zulässt.',
        act: 'Der Betreiber von Nightkeep kann das beheben: Seine Arbeitsprozesse hätten sie gültig halten sollen.',
      },
      consent_ends: {
        happened: 'Ihre Einwilligung endet bald, was auch geschieht.',
        act: 'Erneuern Sie sie vorher, dann geht alles weiter wie bisher.',
      },
      provider_trouble: {
        happened: 'Es gibt ein Problem mit Ihrem Anmeldedienst oder mit dem Zugang von Nightkeep zu ihm.',
        act: (_, { asked }) =>
          `Der Betreiber von Nightkeep kann das beheben, und es steht in seinem Log. Bis dahin brauchen Sie ${asked ? 'außer dem, was oben steht, ' : ''}nichts zu tun; ob Ihre Einwilligung noch gilt, zeigt sich danach.`,
      },
    },
    nights: {
      complete: {
        happened: 'Ihre letzte Sicherung enthält alles, was da war.',
        act: onlyWait,
      },
      nothing_to_fetch: {
        happened: 'Nightkeep weiß nicht, wo Ihre Daten sind.',
        act: 'Der Betreiber von Nightkeep kann die Adresse einstellen.',
      },
      paused: {
        happened: 'Ihre Nächte sind ausgesetzt.',
        act: 'Der Betreiber von Nightkeep kann sie fortsetzen.',
      },
      paused_until: {
        happened: 'Ihre Nächte sind ausgesetzt, wie Sie es wollten.',
        act: (when) => `Sie beginnen wieder ${when}; in Ihren Einstellungen können Sie sie früher fortsetzen.`,
      },
      paused_beyond_consent: {
        happened: 'Ihre Nächte sind, wie Sie es wollten, länger ausgesetzt, als Ihre Einwilligung reicht.',
        act: (when) =>
          `Ihre Einwilligung endet ${when}, was auch geschieht. Erneuern Sie sie vorher, dann beginnen die Nächte nach der Pause wieder.`,
      },
      paused_for_all: {
        happened: 'Die Nacht ist für alle angehalten.',
        act: 'Bevor der Betreiber von Nightkeep sie fortsetzt, beginnt keine Sicherung.',
      },
      server_away: {
        happened: 'Ein Server, auf dem Ihre Daten sind, hat nicht geantwortet oder sie nicht geliefert.',
        act: triedAgain,
      },
      server_refuses: {
        happened: 'Ein Server, auf dem Ihre Daten sind, lässt Nightkeep nicht ein.',
        act: 'Der Betreiber von Nightkeep kann das beheben: Der Server muss die Tokens Ihres Anmeldedienstes annehmen.',
      },
      address_unknown: {
        happened: 'Ihr Anmeldedienst teilt Nightkeep etwas nicht mit, das für eine Adresse Ihrer Daten nötig ist.',
        act: 'Der Betreiber von Nightkeep kann das beheben: Die Seite der Sicherung sagt, was fehlt. Melden Sie sich danach neu an.',
      },
      address_refused: {
        happened:
          'Ein Server, auf dem Ihre Daten sind, steht nicht mehr in den Einstellungen von Nightkeep; deshalb wurde er nicht gefragt.',
        act: 'Der Betreiber von Nightkeep kann das beheben: Die Seite der Sicherung sagt, welcher Server es ist. Wenn diese Daten jetzt eine andere Adresse haben, können auch Sie es beheben: Die Seite „Einwilligung“ zeigt die Adresse aus den Einstellungen, und Sie können in diese einwilligen.',
      },
      address_wrong: {
        happened: 'Was unter einer Adresse Ihrer Daten antwortet, listet sie nicht auf.',
        act: 'Der Betreiber von Nightkeep kann das beheben: Die Seite der Sicherung sagt, was gefragt wurde und was kam.',
      },
      consent_in_use: {
        happened: 'Ein anderer Teil von Nightkeep benutzte gerade Ihre Einwilligung oder wurde dabei beendet.',
        act: triedAgain,
      },
      provider_away: {
        happened: 'Ihr Anmeldedienst hat nicht geantwortet oder keinen Zugang zu Ihren Daten gegeben.',
        act: triedAgain,
      },
      repository_locked: {
        happened: 'Ein anderes Programm arbeitete an Ihren Sicherungsständen.',
        act: triedAgain,
      },
      store_full: {
        happened:
          'Wo Ihre Sicherungsstände aufbewahrt werden, ist kein Platz mehr. Die Sicherungsstände, die dort sind, bleiben, wie sie sind.',
        act: 'Der Betreiber von Nightkeep kann Platz schaffen; die nächste Sicherung geht dann weiter.',
      },
      store_trouble: {
        happened: 'Der Ort, an dem Ihre Sicherungsstände aufbewahrt werden, war nicht zu benutzen.',
        act: 'Der Betreiber von Nightkeep kann das beheben.',
      },
      time_over: {
        happened:
          'Die Sicherung dauerte länger als erlaubt. Was sie gelesen hat, bleibt erhalten, und die nächste macht dort weiter.',
        act: triedAgain,
      },
      service_trouble: {
        happened: 'In Nightkeep selbst ist ein Fehler aufgetreten.',
        act: 'Der Betreiber von Nightkeep kann das beheben: Sein Log sagt, warum.',
      },
      no_worker: {
        happened: 'Kein Arbeitsprozess von Nightkeep bearbeitet Ihre Sicherungen.',
        act: 'Der Betreiber von Nightkeep kann einen starten oder die Nacht fortsetzen, wenn sie angehalten ist.',
      },
      run_under_way: { happened: 'Eine Sicherung läuft.', act: onlyWait },
      run_waits: {
        happened: 'Eine Sicherung wartet, bis sie an der Reihe ist.',
        act: onlyWait,
      },
      no_run: {
        happened: 'Es gibt keine Sicherung aus letzter Zeit.',
        act: 'Drücken Sie „Jetzt sichern“, oder warten Sie die nächste Nacht ab.',
      },
      unreadable: {
        happened: 'Ein Teil Ihrer Daten konnte nicht gelesen werden.',
        act: 'Sehen Sie nach, welche und warum. Wenn es eine frühere Kopie gibt, wird sie behalten.',
      },
      damaged: {
        happened: 'Ein Teil Ihrer gesicherten Daten ist beschädigt.',
        act: 'Ihre nächste Nacht liest ihn erneut, soweit er noch da ist, wo er herkam; es kommt keine, solange Ihre Nächte ausgesetzt sind, und keine ohne Ihre Einwilligung. Der Betreiber von Nightkeep sollte den Ort prüfen, an dem Ihre Sicherungsstände liegen.',
      },
      lost: {
        happened: 'Ein Teil Ihrer gesicherten Daten lässt sich nicht mehr wiederherstellen.',
        act: 'Sehen Sie nach, was es ist und in welchen Sicherungsständen. Eine vollständige Sicherung seither hat es dort, wo es herkam, nicht mehr unverändert vorgefunden.',
      },
      snapshots_removed: {
        happened:
          'Einige Ihrer Sicherungsstände sind von dort verschwunden, wo sie aufbewahrt werden, und Nightkeep hat sie nicht entfernt.',
        act: 'Sehen Sie nach, welche. Wenn Sie es waren, bestätigen Sie, dass Sie es angesehen haben. Wenn nicht, sollte der Betreiber von Nightkeep herausfinden, wer dort löschen kann.',
      },
      repository_damaged: {
        happened:
          'Der Ort, an dem Ihre Sicherungsstände liegen, ist beschädigt. Von Ihren gesicherten Daten ist nichts verloren.',
        act: 'Der Betreiber von Nightkeep kann es beheben.',
      },
      repository_gone: {
        happened:
          'Ihre Sicherungsstände sind nicht dort, wo sie angelegt wurden, oder nichts öffnet sie dort: Nightkeep kann zurzeit keinen davon wiederherstellen.',
        act: 'Der Betreiber von Nightkeep sollte dort nachsehen: Vielleicht ist eine Platte nicht eingehängt, oder jemand hat dort etwas gelöscht.',
      },
      key_damaged: {
        happened:
          'Der Wiederherstellungs\u00adschlüssel, den Sie bekommen haben, öffnet Ihre Sicherungsstände nicht mehr.',
        act: 'Lassen Sie einen neuen anfertigen: Ohne ihn sind Sie auf Nightkeep angewiesen.',
      },
      unverified: {
        happened:
          'Seit drei Tagen oder länger wurde nicht geprüft, ob Ihre Sicherungsstände wiederhergestellt werden können.',
        act: 'Der Betreiber von Nightkeep kann es beheben: Sein Log sagt, warum.',
      },
      great_loss: {
        happened:
          'Seit dem Sicherungsstand davor fehlt von Ihren Dateien, Kalendern, Kontakten oder E-Mails die Hälfte oder mehr oder hat einen anderen Inhalt, oder es fehlt ein ganzer Ordner, ein ganzer Kalender, ein ganzes Adressbuch oder ein ganzes Postfach.',
        act: 'Sehen Sie nach, ob das richtig ist. Was fehlt, ist noch in Ihren früheren Sicherungsständen.',
      },
      root_gone: {
        happened: 'Ein Teil Ihrer Daten, der in der Nacht davor angeboten wurde, wird nicht mehr angeboten.',
        act: 'Sehen Sie nach, ob das richtig ist. Die Kopie der Nacht davor wird behalten.',
      },
      great_change: {
        happened:
          'Von Ihren Dateien, Kalendern, Kontakten oder E-Mails hat die Hälfte oder mehr einen anderen Inhalt als im Sicherungsstand davor, oder sie fehlt.',
        act: 'Sehen Sie nach, ob das richtig ist. Was da war, ist noch in Ihren früheren Sicherungsständen.',
      },
    },
    soon: 'bald',
    at: (at, until) => `am ${at}${until === undefined ? '' : ` und danach bis ${until}`}`,
    pausedSince: (at) => `Sie ist spätestens seit dem ${at} angehalten.`,
  },
  notices: {
    late: (time) => `Das ist der Stand vom ${time}: Es ließ sich nicht früher zustellen.`,
    person: {
      subject: {
        protected: 'Nightkeep: Bitte erneuern Sie Ihre Einwilligung',
        partly: 'Nightkeep: Bitte sehen Sie sich Ihre letzte Sicherung an',
        late: 'Nightkeep: Eine Nacht verging ohne Sicherung',
        not: 'Nightkeep: Ihre Daten sind zurzeit nicht geschützt',
      },
      damaged: 'Nightkeep: Ein Teil Ihrer gesicherten Daten ist beschädigt',
      unverified: 'Nightkeep: Ihre Sicherungen wurden seit Tagen nicht geprüft',
      more: (url) => `Mehr ansehen und beheben: ${url}`,
    },
    digest: {
      subject: 'Nightkeep: Personen warten auf Sie oder sind verspätet',
      sum: ({ whole, partly, late, lateUnderWay, not, paused }) =>
        `Geschützt: ${formats.number(whole)}. Teilweise: ${formats.number(partly)}. Verspätet: ${formats.number(late)}${lateUnderWay === 0 ? '' : ` (bei ${formats.number(lateUnderWay)} läuft die Sicherung noch)`}. Nicht geschützt: ${formats.number(not)}.${paused === 0 ? '' : ` Pausiert, mit einer älteren Sicherung: ${formats.number(paused)}.`}`,
      line: (count, reason) => `${formats.number(count)} × ${reason}`,
      quoted: (sentence) => `„${sentence}“`,
      more: 'nightkeep protection nennt die Personen, nightkeep doctor die Abhilfe.',
    },
    circuit: {
      subject: 'Nightkeep: Es gibt ein Problem mit dem OpenID-Anmeldedienst',
      happened: (issuer) =>
        `${issuer} lehnt Nightkeep ab, oder viele Personen auf einmal. Bis das vorbei ist, wird keine Einwilligung genutzt, außer zu einer Probe in der Minute.`,
      more: 'nightkeep circuits sagt, warum, und nightkeep doctor, wie es zu beheben ist.',
      over: {
        subject: 'Nightkeep: Das Problem mit dem OpenID-Anmeldedienst ist vorbei',
        happened: (issuer, span) =>
          `Einwilligungen bei ${issuer} werden wieder genutzt. ${span} lang wurde es keine, außer zu einer Probe in der Minute.`,
        more: 'Läufe, die noch darauf warten, gehen von selbst weiter. nightkeep protection nennt, wer nicht geschützt ist.',
      },
    },
    night: {
      begun: (night) => `Nightkeep: Die Nacht zum ${formats.night(night)} hat begonnen`,
      quiet: (night) =>
        `Nightkeep: Die Nacht zum ${formats.night(night)} ist vorbei, und niemand wartet auf Sie oder ist verspätet`,
    },
    forecast: {
      tooShort: 'Nightkeep: Die kommenden Fenster sind zu kurz für alle Sicherungen',
      holds: 'Nightkeep: Die kommenden Fenster reichen wieder für alle Sicherungen',
    },
    rotationLost: {
      subject: 'Nightkeep: Tokens gingen verloren',
      happened: (grants) =>
        grants === 1
          ? 'Der Anmeldedienst hat das Token einer Einwilligung ersetzt, und Nightkeep hat das neue nicht. Diese Person muss erneut einwilligen.'
          : `Der Anmeldedienst hat die Tokens von ${formats.number(grants)} Einwilligungen ersetzt, und Nightkeep hat die neuen nicht. Diese Personen müssen erneut einwilligen.`,
      more: 'Heben Sie das Log auf, und suchen Sie darin nach grant.save.failed und spool.keep-failed: Was ankam, darf nie verloren gehen. Steht keines darin, kam die Antwort des Anmeldedienstes nie an, und nightkeep doctor nennt die Abhilfe.',
    },
    snapshotsLost: {
      subject: 'Nightkeep: Ihre früheren Sicherungsstände sind verloren',
      happened:
        'Der Betreiber von Nightkeep hat erklärt, dass Ihre früheren Sicherungsstände verloren sind: Der Ort, an dem sie lagen, ist nicht mehr da. Ihre Einwilligung und Ihre Nächte bleiben, wie sie sind.',
      act: 'Die erste Sicherung von jetzt an beginnt von vorn, mit einem neuen Wiederherstellungsschlüssel. Bewahren Sie diesen auf: Der frühere öffnet nichts mehr.',
    },
    filesMoved: {
      subject: (what) => `Nightkeep: Ihre ${what} werden von einer anderen Adresse geholt`,
      happened: (what, from, to) =>
        `Der Betreiber von Nightkeep hat erklärt, dass Ihre ${what} unverändert jetzt unter einer anderen Adresse liegen. Ihre nächste Sicherung holt sie unterhalb von ${to}, mit dem Zugang, den Ihre Einwilligung gibt. Als Sie einwilligten, war es ${from}.`,
      act: 'Wenn das stimmt, brauchen Sie nichts zu tun. Wenn nicht, widerrufen Sie Ihre Einwilligung, oder setzen Sie Ihre Nächte aus und fragen Sie den Betreiber.',
      more: (url) => `Mehr dazu, und in die neue Adresse einwilligen: ${url}`,
    },
    healed: {
      subject: 'Nightkeep: Der Schaden an Ihren Sicherungen ist behoben',
      happened:
        'Der Schaden an Ihren Sicherungen ist behoben: Alles, was davon gelesen wurde, kann wiederhergestellt werden.',
      more: (url) => `Mehr dazu: ${url}`,
    },
    repositories: {
      damaged: {
        subject: (people) =>
          people === 1 ? 'Nightkeep: Ein Repository ist beschädigt' : 'Nightkeep: Repositorys sind beschädigt',
        happened: (people) => `Es wurden Schäden ${inRepositories(people)} gefunden.`,
        more: 'Die nächste Nacht jeder dieser Personen liest erneut, was die Quelle noch hat; es kommt keine, solange Nächte ausgesetzt sind oder wenn eine Einwilligung zu Ende ist. Prüfen Sie die Platten oder den Bucket. nightkeep protection nennt die Personen, nightkeep doctor die Abhilfe.',
      },
      gone: {
        subject: (people) =>
          people === 1 ? 'Nightkeep: Ein Repository ist nicht da' : 'Nightkeep: Repositorys sind nicht da',
        happened: (people) =>
          `${people === 1 ? 'Das Repository einer Person ist nicht dort, wo Nightkeep es angelegt hat, oder nichts öffnet es' : `Die Repositorys von ${formats.number(people)} Personen sind nicht dort, wo Nightkeep sie angelegt hat, oder nichts öffnet sie`}. Solange das so ist, lässt sich nichts daraus wiederherstellen, und diese Nächte schlagen fehl.`,
        more: 'Ist eine Platte nicht eingehängt oder ein Bucket leer? Alle fünf Minuten sieht Nightkeep wieder nach. nightkeep protection nennt die Personen, nightkeep doctor die Abhilfe.',
      },
      back: {
        subject: (people) =>
          people === 1 ? 'Nightkeep: Ein Repository ist wieder da' : 'Nightkeep: Repositorys sind wieder da',
        happened: (people) =>
          people === 1
            ? 'Das Repository einer Person, das nicht da war, ist wieder da: Nightkeep öffnet es wieder.'
            : `Die Repositorys von ${formats.number(people)} Personen, die nicht da waren, sind wieder da: Nightkeep öffnet sie wieder.`,
        more: 'Sie brauchen nichts zu tun. Ob alles darin unversehrt ist, zeigt die nächste Prüfung, die sofort fällig ist.',
      },
      healed: {
        subject: (people) =>
          people === 1 ? 'Nightkeep: Ein Repository ist repariert' : 'Nightkeep: Repositorys sind repariert',
        happened: (people) => `Der Schaden ${inRepositories(people)} ist behoben.`,
        more: 'Sie brauchen nichts zu tun.',
      },
      unverified: {
        subject: (people) =>
          people === 1 ? 'Nightkeep: Ein Repository wird nicht geprüft' : 'Nightkeep: Repositorys werden nicht geprüft',
        happened: (people) =>
          `Seit drei Tagen oder länger ${people === 1 ? 'wurde das Repository einer Person' : `wurden die Repositorys von ${formats.number(people)} Personen`} nicht geprüft.`,
        more: 'nightkeep doctor nennt die Personen und sagt, warum.',
      },
      held: {
        subject: () => 'Nightkeep: Sicherungsstände oder ihre Daten werden nicht wie vereinbart gelöscht',
        happened: (people) =>
          `Seit drei Tagen oder länger ließen sich Sicherungsstände von ${people === 1 ? 'einer Person' : `${formats.number(people)} Personen`} oder Daten, die kein Sicherungsstand mehr braucht, nicht wie vereinbart löschen.`,
        more: 'nightkeep doctor nennt die Personen, die Ursache und die Abhilfe.',
      },
    },
    operatorTold: (at, means) => `Der Betreiber wurde am ${at} über dieses Problem benachrichtigt, durch ${means}.`,
    means: {
      mail: 'eine E-Mail',
      json: 'einen Webhook',
      ntfy: 'ntfy',
      slack: 'einen Chat',
      apprise: 'Apprise',
      healthchecks: 'Healthchecks',
      kuma: 'Uptime Kuma',
    },
  },
  formerAddress: {
    happened: (issuer) =>
      `Sie waren anscheinend schon einmal hier, unter einer anderen Adresse Ihres Anmeldedienstes: ${issuer}.`,
    act: 'Was damals gesichert wurde, ist nicht verloren, aber unter dieser Adresse nicht verfügbar. Bitten Sie den Betreiber von Nightkeep, es zu übertragen, bevor Sie einwilligen; sonst fangen Sie mit einem zweiten Bestand von vorn an.',
  },
  consentEnds: {
    endsIn: (days) =>
      days <= 1
        ? 'Ihre Einwilligung endet innerhalb eines Tages.'
        : `Ihre Einwilligung endet in ${formats.number(days)} Tagen, was auch geschieht.`,
    endsAt: (at) =>
      `Länger lässt Ihr Anmeldedienst sie nicht gelten als bis ${at}. Erneuern Sie sie vorher, dann geht alles weiter wie bisher.`,
    renew: 'Jetzt erneuern',
  },
  verification: {
    title: 'Kann es wiederhergestellt werden?',
    verified: (at) => `Zuletzt als wiederherstellbar geprüft: ${at}.`,
    notWhole: (at) => `Ihre Sicherungsstände wurden am ${at} geprüft und waren bisher nie ganz unversehrt.`,
    verifiedButLost: (at) => `Zuletzt als wiederherstellbar geprüft, bis auf das, was verloren ist: ${at}.`,
    never:
      'Ihre Sicherungsstände wurden noch nicht geprüft. Das geschieht einmal am Tag, einige Zeit nach einer Sicherung.',
    neverWas: 'Ihre Sicherungsstände wurden nie geprüft.',
    nothing: 'Es gibt nichts zu prüfen, da es kein Repository gibt. Eine Sicherung legt eines an.',
    what: (days) =>
      `Einmal am Tag werden Ihre Sicherungsstände geprüft: jeder Ordner und jede Schlüsseldatei, eine zufällige Stichprobe von Einträgen, die zur Probe wiederhergestellt werden, und ein Teil der Daten, sodass alle ${days === 1 ? 'innerhalb eines Tages' : `innerhalb von ${days} Tagen`} erneut gelesen werden.`,
    ended: (at) => `Ihre Sicherungsstände werden nicht mehr geprüft, denn sie werden am ${at} gelöscht.`,
    checked: 'Letzte Prüfung',
    packs: 'Dabei gelesene Datenpakete',
    sample: 'Dabei zur Probe wiederhergestellte Einträge',
    compared: 'Zur Probe wiederhergestellte und mit dem Server verglichene Einträge',
    comparedIn: (files, at) => `${formats.number(files)}, in der Sicherung vom ${at}`,
    comparedNever: 'noch keine',
    next: 'Nächste Prüfung',
    soon: 'bald',
    failed: 'Die letzte Prüfung ist fehlgeschlagen',
    foundAt: (at) => `Das wurde am ${at} gefunden.`,
    damagedBefore: (at) => `Schon vorher, am ${at}, wurde ein Schaden an Ihren Sicherungsständen gefunden.`,
    healedAt: (at) => `Am ${at} war der Schaden behoben.`,
    files: 'Was nicht wiederhergestellt werden kann',
    file: 'Eintrag',
    snapshots: 'In den Sicherungsständen von',
    more: (count) => `und ${formats.number(count)} weitere`,
    some: 'Nur die ersten davon sind aufgeführt.',
    whole: (count) =>
      `Aus ${counted(count, 'Sicherungsstand', 'Sicherungsständen')} kann nichts wiederhergestellt werden:`,
    removed: (count) =>
      count === 1
        ? 'Ein Sicherungsstand ist verschwunden, den die Aufbewahrungsregel nicht entfernt hat:'
        : `${formats.number(count)} Sicherungsstände sind verschwunden, die die Aufbewahrungsregel nicht entfernt hat:`,
    superseded:
      'Wo Ihre Sicherungsstände liegen, gibt es beschädigte Dateien, die aber kein Sicherungsstand mehr braucht: Ihr Inhalt wurde erneut gespeichert. Sie bleiben, denn dort darf nichts gelöscht werden.',
    accepted:
      'Sie haben bestätigt, dass Sie es angesehen haben. Es bleibt hier, bis eine Prüfung es nicht mehr findet.',
    looked: 'Bestätigen, dass ich es angesehen habe',
  },
  retention: {
    title: 'Welche Sicherungsstände bleiben',
    link: 'Welche Sicherungsstände bleiben, und warum',
    erasing: 'Alle Ihre Sicherungsstände werden gelöscht.',
    notAgreed: 'Alle Ihre Sicherungsstände bleiben, denn Sie haben nicht eingewilligt, dass welche entfallen.',
    offer: 'Damit Ihre Sicherungsstände nicht immer mehr Platz brauchen, können Sie in Folgendes einwilligen:',
    agree: 'Einwilligen, dass die anderen entfallen',
    agreedAt: (at) => `Darin haben Sie am ${at} eingewilligt.`,
    alarm:
      'Vorerst bleiben alle Ihre Sicherungsstände: In einer Sicherung war vieles entfallen oder geändert, und noch hat niemand nachgesehen. Die Übersicht sagt, welche Sicherung es war.',
    failed:
      'Beim letzten Mal ließ sich das nicht abschließen: Das Repository war in Gebrauch oder nicht zu lesen oder zu ändern. Nach der nächsten Sicherung wird es erneut versucht.',
    byHand:
      'Nightkeep selbst darf dort, wo Ihre Sicherungsstände liegen, nichts löschen. Die entfallen könnten, bleiben, bis der Betreiber sie mit einem anderen Schlüssel entfernt.',
    reckoned: (at) =>
      `Das gilt für eine nächste Sicherung, die ${at} endet. Endet sie später, können andere entfallen.`,
    doneAt: (at) => `Zuletzt geschah es am ${at}.`,
    caption: 'Ihre Sicherungsstände',
    snapshot: 'Sicherungsstand',
    what: 'Was mit ihm geschieht',
    why: 'Warum er bleibt',
    stays: 'bleibt',
    goes: 'entfällt nach der nächsten Sicherung',
    wouldGo: 'würde entfallen',
    goesByHand: 'entfällt, wenn der Betreiber ihn entfernt',
    countsByHand: (stay, go) =>
      `${formats.number(stay)} ${stay === 1 ? 'bleibt' : 'bleiben'}, ${go === 0 ? 'keiner entfällt' : `${formats.number(go)} ${go === 1 ? 'entfällt' : 'entfallen'}`}, wenn der Betreiber ${go === 1 ? 'ihn' : 'sie'} entfernt.`,
    counts: (stay, go) =>
      `${formats.number(stay)} ${stay === 1 ? 'bleibt' : 'bleiben'}, ${go === 0 ? 'keiner entfällt' : `${formats.number(go)} ${go === 1 ? 'entfällt' : 'entfallen'}`} nach der nächsten Sicherung.`,
    countsIfAgreed: (stay, go) =>
      `Wenn Sie einwilligten: ${formats.number(stay)} ${stay === 1 ? 'bliebe' : 'blieben'}, ${go === 0 ? 'keiner entfiele' : `${formats.number(go)} ${go === 1 ? 'entfiele' : 'entfielen'}`}.`,
    more: (count) =>
      `${count === 1 ? 'Ein älterer ist' : `${formats.number(count)} ältere sind`} hier nicht aufgeführt.`,
    reasons: {
      last: 'einer der letzten',
      hourly: 'der neueste seiner Stunde',
      daily: 'der neueste seines Tages',
      weekly: 'der neueste seiner Woche',
      monthly: 'der neueste seines Monats',
      yearly: 'der neueste seines Jahres',
      within: 'nicht alt genug, um zu entfallen',
      tag: 'durch sein Schlagwort',
      oldest: 'der älteste von allen',
      everything: 'alle bleiben',
      newest: 'der neueste',
      complete: 'der letzte vollständige',
      pinned: 'angeheftet',
      future: 'in die Zukunft datiert',
      foreign: 'von einem anderen Programm gemacht',
    },
  },
  restores: {
    way: 'Wiederherstellen',
    title: 'Am Herkunftsort wiederherstellen',
    titleAsFiles: 'Als Dateien wiederherstellen',
    lead: {
      files:
        'Nightkeep schreibt dies in einen neuen Ordner unter Ihren Dateien auf deren Server. Nichts von dem, was dort ist, wird verändert.',
      calendars:
        'Nightkeep legt neben Ihren Kalendern auf deren Server einen neuen an und schreibt dies hinein. Ihre Kalender dort bleiben, wie sie sind.',
      contacts:
        'Nightkeep legt neben Ihren Adressbüchern auf deren Server ein neues an und schreibt dies hinein. Ihre Adressbücher dort bleiben, wie sie sind.',
      mail: 'Nightkeep legt neben Ihren Postfächern auf dem Mailserver neue an und schreibt dies hinein, mit Markierungen und Empfangszeiten. Ihre Postfächer dort bleiben, wie sie sind.',
    },
    what: 'Was',
    all: 'Alles aus diesem Sicherungsstand',
    asOf: 'Wie es war',
    size: 'Größe',
    sizeOf: {
      files: (count, size) => `${files(count)}, ${size}`,
      calendars: (count, size) => `${items(count)}, ${size}`,
      contacts: (count, size) => `${items(count)}, ${size}`,
      mail: (count, size) => `${items(count)}, ${size}`,
    },
    asFiles:
      'Kalender, Kontakte und E-Mails werden dort als Dateien (.ics, .vcf und .eml) abgelegt: Nightkeep ändert keinen Kalender, kein Adressbuch und kein Postfach. Importieren Sie diese Dateien in Ihren Kalender, Ihr Adressbuch oder Ihr Mailprogramm, oder laden Sie sie stattdessen herunter.',
    byItself:
      'Ein Kalender oder ein Adressbuch, das Sie für sich allein wiederherstellen, wird stattdessen auf seinem Server neu angelegt: Öffnen Sie es im Sicherungsstand und wählen Sie dort „Wiederherstellen“.',
    mailByItself:
      'E-Mails, die Sie für sich allein wiederherstellen, kommen stattdessen in neue Postfächer auf dem Mailserver: Öffnen Sie „E-Mails“ im Sicherungsstand oder ein Postfach oder eine Nachricht darin und wählen Sie dort „Wiederherstellen“.',
    newName: {
      files: 'Der neue Ordner heißt „Restored“, gefolgt von Datum und Uhrzeit.',
      calendars:
        'Der neue Kalender heißt „Restored“, gefolgt von Datum und Uhrzeit und, in Klammern, dem Namen von diesem.',
      contacts:
        'Das neue Adressbuch heißt „Restored“, gefolgt von Datum und Uhrzeit und, in Klammern, dem Namen von diesem.',
      mail: 'Das neue Postfach heißt „Restored“, gefolgt von Datum und Uhrzeit. Werden mehrere angelegt, beginnen die Namen der anderen ebenso.',
    },
    access:
      'Ihr Anmeldedienst fragt Sie, ob Nightkeep das darf: Ihre Einwilligung für die Nächte wird dafür nicht verwendet.',
    notKept: 'Dieser Zugang bleibt im Arbeitsspeicher, bis alles geschrieben ist, und wird dann verworfen.',
    begin: 'Zum Anmeldedienst gehen und wiederherstellen',
    back: 'Zurück zum Sicherungsstand',
    running: 'Eine andere Wiederherstellung läuft noch.',
    see: 'Fortschritt ansehen',
    stateTitle: 'Wiederherstellung',
    states: {
      files: restoring(
        {
          into: 'einen neuen Ordner',
          the: 'den neuen Ordner',
          inThe: 'in dem neuen Ordner',
          it: 'ihn',
          inAnother: 'in einem anderen Ordner',
        },
        'unter Ihren Dateien',
      ),
      calendars: restoring(
        {
          into: 'einen neuen Kalender',
          the: 'den neuen Kalender',
          inThe: 'in dem neuen Kalender',
          it: 'ihn',
          inAnother: 'in einem anderen Kalender',
        },
        'unter Ihren Kalendern',
      ),
      contacts: restoring(
        {
          into: 'ein neues Adressbuch',
          the: 'das neue Adressbuch',
          inThe: 'in dem neuen Adressbuch',
          it: 'es',
          inAnother: 'in einem anderen Adressbuch',
        },
        'unter Ihren Adressbüchern',
      ),
      mail: restoring(
        {
          into: 'ein neues Postfach',
          the: 'das neue Postfach',
          inThe: 'in dem neuen Postfach',
          it: 'es',
          inAnother: 'in einem anderen Postfach',
        },
        'unter Ihren Postfächern',
      ),
    },
    failedBefore: 'Es konnte nicht begonnen werden. Nichts wurde geschrieben.',
    cancel: 'Abbrechen',
    cancelling: 'Es wird abgebrochen.',
    progress: 'Fortschritt der Wiederherstellung',
    folder: {
      files: 'Ordner auf dem Server',
      calendars: 'Neuer Kalender',
      contacts: 'Neues Adressbuch',
      mail: 'Neues Postfach',
    },
    written: {
      files: 'Geschriebene Dateien',
      calendars: 'Geschriebene Einträge',
      contacts: 'Geschriebene Einträge',
      mail: 'Geschrieben oder von vorher da',
    },
    continue: 'Zum Anmeldedienst gehen und fortsetzen',
    continues:
      'Sie lässt sich in demselben Postfach fortsetzen: Was schon da ist, wird nicht noch einmal geschrieben. Ihr Anmeldedienst fragt Sie erneut, ob Nightkeep das darf.',
    of: (files: string) => ` von ${files}`,
    bytes: 'Geschriebene Daten',
    started: 'Begonnen',
    finished: 'Beendet',
    problems: (count: string) => `Nicht geschrieben: ${count}`,
    problemsCaption: 'Was nicht geschrieben werden konnte, und warum',
    withoutFlags: 'Alles ist geschrieben, aber manche Nachrichten nicht mit allen Markierungen: siehe unten.',
    notes: 'Nicht mit allen Markierungen geschrieben',
    mostNotes: `Mehr als ${formats.number(mostNotes)} Postfächer werden hier nicht genannt.`,
    path: 'Pfad',
    why: 'Warum',
    more: (count: string) => `Und ${count} weitere.`,
    toSnapshot: 'Zum Sicherungsstand',
  },
  snapshots: {
    title: 'Sicherungsstände',
    none: 'Es gibt keinen Sicherungsstand. Eine Sicherung legt einen an.',
    taken: 'Aufgenommen',
    files: 'Einträge',
    kept: 'Alle Nächte, die aufbewahrt werden',
    zone: (zone) => `Zeiten gelten für ${zone}.`,
    root: 'Alles',
    columns: { name: 'Name', size: 'Größe', changed: 'Geändert' },
    sortBy: { name: 'Nach Namen sortieren', size: 'Größte zuerst', changed: 'Zuletzt geänderte zuerst' },
    below: items,
    sum: (count, below, size) => {
      if (below === undefined || size === undefined) return items(count);
      return below === count
        ? `${items(count)}, ${size}`
        : `${items(count)}; insgesamt ${formats.number(below)}, Ordner nicht mitgezählt; ${size}`;
    },
    linkTo: 'ein Verweis auf',
    special: 'ein Gerät oder eine Pipe; wird nicht wiederhergestellt',
    unreadableEntry: 'beschädigt oder von unbekannter Art',
    zip: (size) => `Diesen Ordner herunterladen (ZIP${size === undefined ? '' : `, ${size}`})`,
    zipAll: (size) => `Alles herunterladen (ZIP${size === undefined ? '' : `, ${size}`})`,
    odd: {
      count: (names) =>
        names === 1
          ? 'Einen der Namen hier kann nicht jedes System aufnehmen'
          : `${formats.number(names)} der Namen hier kann nicht jedes System aufnehmen`,
      lead: `Wo ein System einen Namen nicht aufnehmen kann, ändert ihn das Programm, das die ZIP-Datei dort entpackt, möglicherweise, lässt die Datei weg oder setzt eine Datei an die Stelle einer anderen. In der ZIP-Datei stehen diese Namen in ${zipNotes.odd.file} und jene, die dort anders geschrieben sind, in ${zipNotes.renamed.file}. Jede Datei lässt sich auch einzeln herunterladen.`,
      renamed: 'heißt in der ZIP-Datei',
      more: (count) => `und ${count} weitere`,
      unknown: `Nicht alle Namen unterhalb dieses Ordners wurden angesehen. Welche davon nicht jedes System aufnehmen kann, zählen in der ZIP-Datei ${zipNotes.odd.file} und ${zipNotes.renamed.file} auf, falls es solche gibt.`,
    },
    notes: zipNotes,
    empty: 'Dieser Ordner ist leer.',
    contents: (zone) => `Inhalt dieses Ordners; Zeiten gelten für ${zone}`,
    pages: 'Seiten dieses Ordners',
    entries: (first, last, all) =>
      `Einträge ${formats.number(first)} bis ${formats.number(last)} von ${formats.number(all)}`,
    nightPages: 'Seiten der Nächte',
    nightsShown: (first, last, all) =>
      `Nächte ${formats.number(first)} bis ${formats.number(last)} von ${formats.number(all)}`,
    previous: 'Vorherige Seite',
    following: 'Nächste Seite',
    where: 'Wo Sie sind',
    night: 'Die Nacht',
    nights: 'Andere Nächte',
    asAt: (time, zone) => `wie es um ${time} Uhr war (${zone})`,
    earlier: 'früher',
    later: 'später',
    stateOf: (moment) => `Wie es am ${moment} war`,
    goTo: 'Gehe zu',
    go: 'Zeigen',
    all: (nights) => (nights === 1 ? 'Die einzige Nacht' : `Alle ${formats.number(nights)} Nächte`),
    states: {
      first: 'neu',
      other: 'geändert',
      same: 'wie in der Nacht davor',
      absent: 'nicht da',
      unread: 'nicht bekannt',
    },
    preview: 'Vorschau',
    previewOf: (name) => `Vorschau von ${name}`,
    noPreview: 'Das lässt sich hier nicht zeigen; laden Sie es herunter, um es zu öffnen.',
    emptyFile: 'Es ist nichts darin.',
    cut: (size) => `Das sind die ersten ${size}; laden Sie es herunter, um alles zu sehen.`,
    damagedSnapshots: (count: number) =>
      count === 1
        ? 'Ein Sicherungsstand ist nicht zu lesen, weil seine Datei im Speicher beschädigt ist; er fehlt hier. Der Betreiber von Nightkeep muss nachsehen.'
        : `${formats.number(count)} Sicherungsstände sind nicht zu lesen, weil ihre Dateien im Speicher beschädigt sind; sie fehlen hier. Der Betreiber von Nightkeep muss nachsehen.`,
    damaged: 'Das ist in diesem Sicherungsstand nicht zu lesen. Eine andere Fassung davon ist vielleicht unversehrt.',
    fileFacts: (size, moment) => `${size}, geändert ${moment}`,
    download: 'Diese Fassung herunterladen',
    downloadOf: (moment) => `Die Fassung vom ${moment} herunterladen`,
    versions: (count) => (count === 1 ? 'Die einzige Fassung' : `${formats.number(count)} Fassungen`),
    fromTo: (first, last) => `${first} bis ${last}`,
    notFile: 'damals etwas anderes',
    newerVersions: 'Neuere Fassungen',
    olderVersions: 'Ältere Fassungen',
    versionsCut: 'Vielleicht gibt es mehr Fassungen: Nicht alle Nächte konnten durchsucht werden.',
    whatChanged: 'Was sich seit der Nacht davor geändert hat',
    changesTitle: 'Was sich geändert hat',
    between: (since, until, zone) => `Zwischen ${since} und ${until} (${zone})`,
    firstNight: (moment) => `${moment} ist die erste Nacht, die aufbewahrt wird, es gibt also nichts zum Vergleichen.`,
    since: 'Vergleichen mit',
    compare: 'Vergleichen',
    backToFolder: 'Zurück zum Ordner',
    what: 'Was',
    kinds: { new: 'neu', changed: 'geändert', gone: 'entfallen' },
    noChanges: 'Hier hat sich nichts geändert.',
    changeCount: (count) => counted(count, 'Änderung', 'Änderungen'),
    wholeFolder: 'der ganze Ordner',
    sizeBefore: (size) => `${size} → `,
    changesCut:
      'Vielleicht gibt es mehr Änderungen: Nicht alles konnte verglichen oder gezeigt werden. Sehen Sie die Ordner einzeln an.',
    changePages: 'Seiten der Änderungen',
    find: 'Einen Namen in allen Nächten suchen',
    search: 'Suchen',
    found: 'Namen, die dies enthalten:',
    byFileName: 'Termine und Kontakte werden an den Namen ihrer Dateien gefunden, nicht an ihren Titeln.',
    findIn: 'Gesucht wurde unterhalb von',
    findEverywhere: 'Überall suchen',
    foundCount: (found, nights, zone) =>
      `${found === 0 ? 'Nichts' : formats.number(found)} gefunden in ${nights === 1 ? 'einer Nacht' : `${formats.number(nights)} Nächten`}. Zeiten gelten für ${zone}.`,
    lastThere: 'Zuletzt da',
    stillThere: 'in der letzten Nacht',
    tooMany: (most) =>
      `Mehr als ${formats.number(most)} wurden gefunden; das sind die ersten davon. Suchen Sie nach einem längeren Text, um weniger zu finden.`,
    stopped: (nights, moment) =>
      `Die Suche hielt nach ${nights === 1 ? 'einer Nacht' : `${formats.number(nights)} Nächten`} an, bei ${moment}: Es gibt viel zu durchsuchen.`,
    stoppedWithin: (moment) =>
      `Die Suche hielt in der Nacht vom ${moment} an: Es gibt zu viel, um es auf einmal zu durchsuchen. Suchen Sie in einem Ordner.`,
    unreadable: (folders) =>
      `${folders === 1 ? 'Ein Ordner konnte' : `${formats.number(folders)} Ordner konnten`} nicht gelesen werden; was darin ist, lässt sich nicht finden.`,
    searchOn: 'Frühere Nächte durchsuchen',
    foundPages: 'Seiten mit dem, was gefunden wurde',
  },
  objects: {
    untitled: {
      event: 'Termin ohne Titel',
      task: 'Aufgabe ohne Titel',
      journal: 'Journaleintrag ohne Titel',
      contact: 'Kontakt ohne Namen',
      message: 'Nachricht ohne Betreff',
    },
    beside: {
      calendars: 'Eigenschaften dieses Kalenders',
      contacts: 'Eigenschaften dieses Adressbuchs',
      mail: 'Markierungen und Empfangszeiten dieser Nachrichten',
    },
    when: 'Wann',
    fromTo: (first, last) => `${first} bis ${last}`,
    repeats: 'Wiederholt sich; dies ist das erste Mal.',
    due: 'Fällig',
    where: 'Wo',
    notes: 'Notizen',
    organization: 'Organisation',
    mail: 'E-Mail',
    phone: 'Telefon',
    address: 'Anschrift',
    from: 'Von',
    to: 'An',
    copies: 'Kopie an',
    date: 'Datum',
    attachments: 'Anhänge',
    unnamed: 'ohne Namen',
    attachmentsCut:
      'Nicht die ganze Nachricht wurde nach Anhängen durchsucht; wenn Sie sie herunterladen, haben Sie alles.',
    noText: 'Es ist kein reiner Text darin: Laden Sie sie herunter, um sie in einem E-Mail-Programm zu lesen.',
    stored: 'Wie es gespeichert ist',
  },
  recovery: {
    title: 'Wiederherstellung im Notfall',
    lead: 'Ihre Sicherungsstände sind ein gewöhnliches restic-Repository. Mit dem Wiederherstellungsschlüssel und dem freien Programm restic lassen sie sich ohne Nightkeep wiederherstellen.',
    none: 'Es gibt kein Repository. Eine Sicherung legt eines an.',
    adopt: {
      title: 'Ihre früheren Sicherungsstände',
      link: 'Haben Sie einen Wiederherstellungsschlüssel von früher? Holen Sie Ihre Sicherungsstände zurück',
      lead: 'Wurden Sie hier früher schon gesichert und weiß Nightkeep nichts mehr davon, dann zeigt Ihr Wiederherstellungsschlüssel, dass diese Sicherungsstände Ihnen gehören. Tun Sie das, bevor Sie erneut in Sicherungen einwilligen.',
      where: 'Beides steht auf Ihrem Notfallblatt: das Repository ganz oben, und der Wiederherstellungsschlüssel.',
      folder: 'Repository',
      key: 'Wiederherstellungs\u00adschlüssel',
      button: 'Meine Sicherungsstände zurückholen',
      after:
        'Der Schlüssel öffnet das Repository und wird nirgends gespeichert. Er bleibt Ihr Wiederherstellungsschlüssel.',
      has: 'Sie haben hier schon ein Repository, mit den Sicherungsständen auf der Seite Sicherungsstände. Ein zweites lässt sich nicht hinzufügen; mit seinem Wiederherstellungsschlüssel können Sie jenes ohne Nightkeep öffnen.',
      back: 'Zur Seite Wiederherstellung im Notfall',
      refused: {
        another: 'Sie haben hier schon ein Repository. Es bleibt Ihres, und nichts wurde geändert.',
        known: 'Dieses Repository gehört hier schon jemandem. Nichts wurde geändert.',
        others: 'Dieses Repository gehört jemand anderem: Nightkeep kann noch lesen, wem. Nichts wurde geändert.',
        misspelled:
          'Das ist kein Wiederherstellungsschlüssel: Er hat sechs Gruppen aus je fünf Buchstaben und Ziffern. Geben Sie ihn so ein, wie er auf Ihrem Notfallblatt steht. Nichts wurde geändert.',
        wrong:
          'Ein solches Repository gibt es im Speicher nicht, oder dieser Wiederherstellungsschlüssel öffnet es nicht. Prüfen Sie noch einmal den oberen Teil Ihres Notfallblatts und alle sechs Gruppen: Ein Schlüssel, der durch einen neueren ersetzt wurde, öffnet nichts. Oder fragen Sie den Betreiber, ob es noch derselbe Speicher ist.',
      },
    },
    state: {
      unseen: 'Sie haben Ihren Wiederherstellungs\u00adschlüssel noch nicht gesehen',
      unseenLead: 'Halten Sie Papier, einen Drucker oder einen Passwortmanager bereit.',
      seen: (at) => `Ihr Wiederherstellungsschlüssel wurde am ${at} gezeigt`,
      seenLead:
        'Sie haben noch nicht bestätigt, dass Sie ihn aufbewahrt haben. Tippen Sie einen Teil davon ein, oder lassen Sie ihn noch einmal anzeigen.',
      kept: (at) => `Sie haben Ihren Wiederherstellungsschlüssel: Das haben Sie am ${at} bestätigt`,
      keptLead:
        'Hier ist er nicht mehr gespeichert. Probieren Sie ihn ab und zu aus: Die Befehle unten funktionieren ohne Nightkeep.',
      lost: (at) => `Ihr Wiederherstellungsschlüssel wurde am ${at} gezeigt und ist hier nicht mehr gespeichert`,
      lostLead: 'Ob Sie ihn aufbewahrt haben, ist nicht bekannt. Wenn Sie ihn nicht finden, machen Sie einen neuen.',
    },
    show: 'Wiederherstellungs\u00adschlüssel anzeigen',
    prove: {
      title: 'Bestätigen, dass Sie ihn aufbewahrt haben',
      lead: 'Sobald Sie ihn auf Papier oder in einem Passwortmanager haben, tippen Sie von dort diese beiden Fünfergruppen ab. Nightkeep löscht dann seine Kopie des Schlüssels.',
      third: 'Dritte Gruppe',
      fifth: 'Fünfte Gruppe',
      button: 'Bestätigen',
      wrong:
        'Das sind nicht die dritte und die fünfte Gruppe Ihres Wiederherstellungsschlüssels. Sehen Sie noch einmal nach; es wurde nichts gelöscht.',
    },
    reissue: {
      title: 'Wenn Sie ihn verloren haben',
      lead: 'Nightkeep kann einen neuen Wiederherstellungsschlüssel machen, der den alten ersetzt.',
      button: 'Einen neuen Wiederherstellungs\u00adschlüssel machen',
      sureTitle: 'Einen neuen Wiederherstellungs\u00adschlüssel machen?',
      sureLead:
        'Der alte öffnet Ihr Repository im Speicher dann nicht mehr, außer wenn der Speicher Nightkeep nichts löschen lässt. Kopien des Repositorys von vorher öffnet er weiterhin. Die Sicherungsstände bleiben, wie sie sind.',
      sure: 'Ja, einen neuen machen',
      back: 'Nein, zurück',
      stays: (count) =>
        `${count === 1 ? 'Ein Wiederherstellungsschlüssel, der ersetzt wurde, öffnet' : `${formats.number(count)} Wiederherstellungsschlüssel, die ersetzt wurden, öffnen`} Ihr Repository noch immer: Der Speicher ließ Nightkeep ${count === 1 ? 'ihn' : 'sie'} nicht löschen. Der neueste öffnet es auch. Jede Prüfung versucht es erneut; wenn der Speicher Nightkeep nichts löschen lässt, kann es der Betreiber von Nightkeep.`,
    },
    foreign: {
      title: 'Andere Schlüssel öffnen Ihr Repository',
      lead: 'Nightkeep hat sie nicht gemacht. Sind es nicht Ihre, entfernen Sie sie: Jemand hat sie mit Ihrem Wiederherstellungsschlüssel und mit Zugang zum Speicher hinzugefügt. Wer einen davon benutzt hat, kann eine Kopie dessen haben, was er öffnet.',
      added: 'Hinzugefügt',
      by: 'Von',
      noDate: 'nicht bekannt',
      button: 'Entfernen',
      unknown:
        'Ob andere Schlüssel Ihr Repository öffnen, lässt sich gerade nicht prüfen. Versuchen Sie es später noch einmal.',
    },
    sheet: {
      title: (name) => `Notfallblatt von ${name}`,
      hint: 'Drucken Sie diese Seite, oder speichern Sie sie als PDF, und bewahren Sie sie dort auf, wo Sie sie ohne diesen Computer finden. Wer sie und eine Kopie des Repositorys hat, kann alle Ihre Sicherungsstände lesen.',
      of: (repository, at) => `Repository ${repository}, Blatt vom ${at}`,
      key: 'Wiederherstellungs\u00adschlüssel',
      qr: 'Der Wiederherstellungsschlüssel als QR-Code',
      without: 'Er steht auf dem Blatt, das Sie gedruckt haben, oder in Ihrem Passwortmanager.',
      how: 'Wie Sie alles zurückbekommen',
      restic: 'Holen Sie sich restic, ein freies Programm (restic.net), Version 0.14 oder neuer:',
      copy: (folder) => `Besorgen Sie eine Kopie Ihres Repositorys: den Ordner ${folder}.`,
      where: (path) =>
        `Sie kommen selbst nicht heran: Bitten Sie den Betreiber von Nightkeep um eine Kopie, zum Beispiel auf einer Festplatte. Der Betreiber findet ihn unter ${path}.`,
      bucket: {
        key: 'Bitten Sie den Betreiber von Nightkeep um einen Zugangsschlüssel zum Objektspeicher, der Ihr Repository lesen darf: eine ID und ein Geheimnis.',
        where:
          'Ihr Repository liegt in einem Objektspeicher, unter der Adresse in den Befehlen unten. Bewahren Sie den Zugangsschlüssel getrennt von diesem Blatt auf; ohne ihn nützt der Wiederherstellungsschlüssel nichts.',
        certificates:
          'Bitten Sie auch um die Datei store-ca.pem mit den Zertifikaten des Speichers, und legen Sie sie in den Ordner, in dem Sie wiederherstellen.',
        type: 'Öffnen Sie ein Terminal (unter Windows: PowerShell) in einem leeren Ordner, und geben Sie dies ein, mit Ihrem Zugangsschlüssel anstelle von ID und SECRET. Wo restic nach einem Passwort fragt, geben Sie den Wiederherstellungsschlüssel ein.',
      },
      type: 'Öffnen Sie ein Terminal (unter Windows: PowerShell) in dem Ordner, der die Kopie enthält, und geben Sie dies ein. Wo restic nach einem Passwort fragt, geben Sie den Wiederherstellungsschlüssel ein.',
      unix: 'Linux und macOS',
      windows: 'Windows',
      after:
        'Ihre Daten sind dann im Ordner „restored“. Der erste Befehl listet die Sicherungsstände auf (restic nennt sie Snapshots): Für eine frühere Nacht setzen Sie deren ID anstelle von „latest“ ein.',
    },
  },
  setup: {
    title: 'Nightkeep einrichten',
    lead: 'Diese Installation ist neu: Noch hat sich kein Betreiber angemeldet. Wer sie betreibt, sieht hier, was eingestellt ist und was fehlt.',
    token: 'Einrichtungs-Token',
    whereToken:
      '„nightkeep start“ hat es ausgegeben. Diese Seite verschwindet, sobald sich ein Betreiber angemeldet hat.',
    show: 'Zeigen, was eingestellt ist',
    wrong: 'Das ist nicht das Token, das beim Start ausgegeben wurde.',
    well: 'Nichts ist falsch. Sichern Sie den Schlüsselbund, und melden Sie sich dann als Betreiber an.',
    toDo: (count) =>
      `${count === 1 ? 'Eine Sache ist' : `${formats.number(count)} Dinge sind`} falsch. Beheben Sie, was unten genannt ist, starten Sie Nightkeep neu, und kommen Sie hierher zurück.`,
    found: 'Was der Doktor findet',
    states: { ok: 'in Ordnung', warn: 'ansehen', wrong: 'falsch', unknown: 'nicht bekannt' },
    backups: 'Sicherungen einer verlorenen Installation',
    backupsLead: (count: number) =>
      `Im Speicher ${count === 1 ? 'liegt ein Repository, das' : `liegen ${formats.number(count)} Repositorys, die`} diese Datenbank nicht kennt. Jedes geht zurück an die Person, die seine Karte nennt: Sie meldet sich an und willigt erneut ein, dann gehen ihre Nächte dort weiter, wo sie aufgehört haben.`,
    exported: (at: string) =>
      `Auch der Zustand von Nightkeep selbst liegt dort, wie er am ${at} war: Einwilligungen, Pläne und Aufzeichnungen. Um auch ihn zurückzuholen, halten Sie Nightkeep an, und geben Sie ein, bevor Sie etwas übernehmen oder sich jemand anmeldet:`,
    moreBackups: (count: number) =>
      `Und ${count === 1 ? 'ein weiteres' : `${formats.number(count)} weitere`}: nightkeep adopt --dry-run nennt alle.`,
    adopt: 'Übernehmen, was lesbar ist',
    keyring: 'Den Schlüsselbund sichern',
    keyringLead:
      'Tokens und Passwörter der Repositorys sind damit versiegelt. Ohne ihn lässt sich nichts mehr öffnen: Bewahren Sie eine Kopie getrennt von den Sicherungen der Datenbank auf.',
    keyringSet: (where) => `Er kommt aus ${where}.`,
    keyringMade: (file) => `Er wurde beim ersten Start angelegt, in ${file}.`,
    keyringNone:
      'Es gibt noch keinen, oder er ist nicht zu lesen: Beim ersten Start, der alle Einstellungen hat, wird einer angelegt.',
    keyringKeys: (ids) =>
      `Seine Schlüssel, der neueste zuerst: ${ids}. Die Zeilen der Kopie müssen mit denselben beginnen.`,
    rest: (count) => `Was in Ordnung ist oder noch nicht zu prüfen (${formats.number(count)})`,
    settings: 'Was eingestellt ist',
    usual: (count) => `Alles andere, mit Standardwerten (${formats.number(count)})`,
    next: 'Danach',
    nextLead:
      'Melden Sie sich mit einem Konto an, das die Rolle des Betreibers hat. Später sagen nightkeep doctor und nightkeep settings dasselbe.',
    signIn: 'Anmelden',
    hint: 'Diese Installation ist neu: Noch hat sich kein Betreiber angemeldet. Wenn Sie sie betreiben, sehen Sie, was eingestellt ist und was fehlt.',
    link: 'Nightkeep einrichten',
  },
  errors: {
    wait: (time: string) => `In ${time} können Sie es wieder tun.`,
    told: {
      'request/invalid': {
        title: 'Das war nicht zu verstehen',
        happened: 'Eine Angabe fehlt, oder sie ist nicht so geschrieben, wie Nightkeep sie erwartet.',
        exactly: true,
        act: 'Gehen Sie zurück, und versuchen Sie es noch einmal.',
      },
      'request/wrong-method': {
        title: 'So nicht',
        happened: 'Diese Adresse gibt es, aber nicht für Anfragen dieser Art.',
      },
      'request/wrong-type': {
        title: 'Das war nicht zu verstehen',
        happened: 'Nightkeep nimmt nur Formulare entgegen.',
      },
      'request/forbidden': {
        title: 'Nicht erlaubt',
        happened: 'Das geht zurzeit nicht, oder das Formular ist veraltet oder kam von anderswo.',
        exactly: true,
        act: 'Gehen Sie zurück, und laden Sie die Seite neu: Sie zeigt dann, was jetzt möglich ist.',
      },
      'request/operators-only': {
        title: 'Nur für Betreiber',
        happened: 'Diese Seite ist für Personen, die die Rolle eines Betreibers haben.',
        exactly: true,
        act: 'Ein Administrator Ihres Anmeldedienstes kann Ihnen diese Rolle geben. Melden Sie sich danach ab und neu an.',
      },
      'request/too-many': {
        title: 'Das war zu oft',
        happened:
          'Das wurde öfter angefordert, als eine Person oder eine Adresse es darf. Ihre Sicherungen gehen weiter.',
      },
      'request/not-found': {
        title: 'Nicht gefunden',
        happened: 'Diese Seite gibt es nicht, oder sie gehört nicht Ihnen.',
      },
      'repository/not-found': {
        title: 'Nicht gefunden',
        happened: 'Es gibt kein Repository: Noch wurde nichts gesichert, oder alles wurde oder wird gerade gelöscht.',
      },
      'repository/not-usable': {
        title: 'Ihre Sicherungsstände sind nicht zu lesen',
        happened: 'Der Ort, an dem Ihre Sicherungsstände aufbewahrt werden, war nicht zu benutzen.',
        act: 'Der Betreiber von Nightkeep kann das beheben: Sein Log sagt, warum.',
      },
      'repository/no-such-snapshot': {
        title: 'Nicht gefunden',
        happened: 'Diesen Sicherungsstand gibt es nicht oder nicht mehr.',
      },
      'repository/no-such-path': {
        title: 'Nicht gefunden',
        happened: 'Das ist in diesem Sicherungsstand nicht enthalten.',
      },
      'repository/damaged': {
        title: 'Das ist nicht zu lesen',
        happened: 'Ein Teil dieses Sicherungsstands ist beschädigt.',
        act: 'Eine andere Nacht enthält es vielleicht unversehrt: Wählen Sie eine unter Ihren Sicherungsständen. Der Betreiber von Nightkeep findet Näheres im Log.',
      },
      'consent/invalid-callback': {
        title: 'Bitte beginnen Sie noch einmal',
        happened:
          'Was vom Anmeldedienst zurückkam, lässt sich keinem Vorgang zuordnen, der in diesem Browser gerade begonnen wurde, oder ist zu alt. Es wurde nichts übernommen.',
        exactly: true,
      },
      'consent/foreign-answer': {
        title: 'Das war keine Antwort Ihres Anmeldedienstes',
        happened:
          'Womit Ihr Browser zurückkam, ist keine Antwort Ihres Anmeldedienstes auf das, was hier begonnen wurde. Es wurde nichts übernommen.',
        exactly: true,
      },
      'consent/denied': {
        title: 'Sie haben nicht eingewilligt',
        happened: 'Sie oder Ihr Anmeldedienst haben Nein gesagt, darum wurde nichts verändert.',
        act: 'Sie können einwilligen, wann immer Sie möchten.',
      },
      'consent/not-offline': {
        title: 'Ihr Anmeldedienst erlaubt es noch nicht',
        happened:
          'Sie haben sich angemeldet, aber Ihr Anmeldedienst lässt Nightkeep nicht arbeiten, während Sie abwesend sind.',
        act: 'Ein Administrator Ihres Anmeldedienstes kann es erlauben: Ihr Konto und Nightkeep brauchen dort beide die Berechtigung offline_access. Willigen Sie danach erneut ein.',
      },
      'provider/refused': {
        title: 'Ihr Anmeldedienst hat abgelehnt',
        happened: 'Ihr Anmeldedienst hat die Anfrage abgelehnt; Sie oder ein Administrator dort können das beheben.',
        exactly: true,
      },
      'provider/refused-client': {
        title: 'Ihr Anmeldedienst nimmt Nightkeep nicht an',
        happened: 'Ihr Anmeldedienst hat Nightkeep selbst abgelehnt; mit Ihnen hat das nichts zu tun.',
        act: 'Der Betreiber von Nightkeep kann dessen Einstellungen beim Anmeldedienst berichtigen: Das Log sagt, was falsch ist.',
      },
      'provider/wrong-answer': {
        title: 'Die Antwort Ihres Anmeldedienstes ist nicht annehmbar',
        happened: 'Sie hat eine Prüfung von Nightkeep nicht bestanden.',
        exactly: true,
        act: 'Nichts wurde verändert. Zeigen Sie dies dem Betreiber von Nightkeep; er kann es beheben.',
      },
      'source/missing-claim': {
        title: 'Es ist noch nicht für Sie bereit',
        happened: 'Ihr Anmeldedienst teilt Nightkeep etwas nicht mit, das für eine Adresse Ihrer Daten nötig ist.',
        exactly: true,
        act: 'So könnte keine Sicherung gelingen, und es wurde in nichts eingewilligt. Zeigen Sie dies dem Betreiber von Nightkeep; er kann es beheben.',
      },
      'grant/not-usable': {
        title: 'Ihre Einwilligung ist zu Ende',
        happened: 'Ihre Einwilligung gilt nicht mehr. Willigen Sie zuerst erneut ein; dann geht es weiter.',
      },
      'grant/wrong-subject': {
        title: 'Das war jemand anders',
        happened:
          'Beim Anmeldedienst hat eine andere Person eingewilligt als die, die hier angemeldet ist. Es wurde nichts übernommen.',
      },
      'provider/unavailable': {
        title: 'Ihr Anmeldedienst hat ein Problem',
        happened:
          'Ihr Anmeldedienst antwortet gerade nicht, oder er sagt, dass er selbst ein Problem hat. Nichts wurde verändert.',
        act: 'Versuchen Sie es in einigen Minuten noch einmal.',
      },
      'database/unavailable': away,
      'queue/unavailable': away,
      'queue/damaged': away,
      'store/unavailable': away,
      'store/full': away,
    },
    unexpected: {
      title: 'Das hat nicht geklappt',
      happened: 'Ein interner Fehler ist aufgetreten. Der Betreiber findet Näheres im Log.',
    },
    agree: 'Zurück zur Seite der Einwilligung',
    signIn: 'Neu anmelden',
    again: 'Noch einmal versuchen',
    back: 'Zurück',
    home: 'Zur Übersicht',
  },
  operator: {
    menu: { tonight: 'Diese Nacht', grants: 'Einwilligungen', queues: 'Warteschlange', audit: 'Prüfprotokoll' },
    pages: 'Seiten für den Betrieb',
    somebody: 'jemand, der gelöscht wurde',
    tonight: {
      title: 'Diese Nacht',
      courses: {
        paused: 'Die Nacht ist angehalten.',
        nobody: 'In dieser Nacht ist bei niemandem eine Sicherung fällig.',
        to_come: 'Die Nacht hat noch nicht begonnen.',
        no_worker: 'Kein Worker arbeitet: Läufe warten, und keiner wird bearbeitet.',
        too_slow: 'Diese Nacht wird nicht rechtzeitig fertig.',
        on_time: 'Diese Nacht liegt in der Zeit.',
        under_way: 'Die Nacht ist im Gange.',
        all_well: 'Die Nacht ist vorbei, und alle ihre Sicherungen sind vollständig.',
        over: 'Die Nacht ist vorbei.',
      },
      countedAt: (at) => `Gezählt ${at}.`,
      toComeAt: (at) => `Was noch kommt, wurde ${at} gezählt.`,
      forecast: {
        title: (needed, there) =>
          `${needed < 180_000 ? `Weniger als ${formats.hours(360_000)}` : formats.hours(needed)} nötig, ${formats.hours(there)} verfügbar`,
        busiest: (plans, from, to) =>
          `Am dichtesten wird es von ${from} bis ${to}: ${plans === 1 ? 'Eine Sicherung wird' : `${formats.number(plans)} Sicherungen werden`} fällig.`,
        holds: 'Alle Sicherungen passen in die kommenden Fenster.',
        mend: {
          provider:
            'Geben Sie dem Anmeldedienst mehr Prozessoren und erlauben Sie mehr Anfragen an ihn (OIDC_RATE). Ein breiteres Fenster (WINDOW) gilt nur für Personen, die danach einwilligen.',
          workers:
            'Starten Sie einen weiteren Worker, oder lassen Sie jeden mehr zugleich tun (CONCURRENCY). Ein breiteres Fenster (WINDOW) gilt nur für Personen, die danach einwilligen.',
        },
        how: 'Geschätzt aus der Dauer der letzten Sicherungen, den Workern der letzten Nacht und der erlaubten Zahl von Anfragen an den Anmeldedienst. Ausgesetzte Nächte zählen nicht mit, es sei denn, sie gehen weiter, bevor sich das nächste Fenster öffnet.',
      },
      done: (done, all) =>
        `${formats.number(done)} von ${formats.number(all)} ${all === 1 ? 'Sicherung' : 'Sicherungen'} ${done === 1 ? 'ist' : 'sind'} zu Ende.`,
      expected: (at) => `Voraussichtliches Ende ${at}, bei der Geschwindigkeit der letzten Viertelstunde.`,
      begins: (at) => `Die erste beginnt um ${at}.`,
      until: (at) => `Was fehlschlägt, wird bis spätestens ${at} erneut versucht.`,
      night: (from, to) => `Die Nacht zählt von ${from} bis ${to}.`,
      bar: (counts) => `Fortschritt der Nacht: ${counts}`,
      legend: {
        succeeded: 'vollständig',
        partial: 'teilweise',
        failed: 'fehlgeschlagen',
        dropped: 'übersprungen oder abgebrochen',
        running: 'laufen',
        waiting: 'warten',
        again: 'werden erneut versucht',
        toCome: 'kommen noch',
      },
      rate: 'Sicherungen je Stunde',
      rateValue: (perHour) => formats.number(perHour),
      rateNone: 'keine',
      rateNote: (ended) => `${formats.number(ended)} in der letzten Viertelstunde zu Ende`,
      workers: (count) => `${counted(count, 'Worker hat', 'Worker haben')} Läufe in Arbeit`,
      backlog: 'Warten',
      oldest: 'Am längsten wartet',
      nothingWaits: 'nichts',
      partial: 'Teilweise',
      failed: 'Fehlgeschlagen',
      ofNight: 'in dieser Nacht',
      rotations: 'Verlorene Rotationen',
      rotationsNote: 'Einwilligungen, deren Token Nightkeep verloren hat; muss 0 sein',
      provider: 'Anmeldedienst',
      providerWell: 'in Ordnung',
      providerTrouble: 'Problem',
      providerNote: 'keine Sperre besteht',
      providerOpen: (issuer) => `${issuer}: Eine Anfrage je Minute geht dorthin`,
      trouble: 'Was schiefging, nach Ursache',
      troubleLead: 'Von jeder Person die letzte Sicherung, wenn sie nicht alles gesichert hat.',
      noTrouble: 'Soweit bekannt, hat bei allen die letzte Sicherung alles gesichert.',
      cause: 'Ursache',
      people: 'Personen',
      since: 'Seit',
      doSomething: 'Was zu tun ist',
      retry: 'Erneut versuchen',
      show: 'Zeigen',
      retried: (count) =>
        count === 0
          ? 'Es wurde keine Sicherung angefordert: Für alle in dieser Gruppe wartet oder läuft schon eine, oder sie gehören nicht mehr dazu.'
          : count === 1
            ? 'Eine Sicherung wurde angefordert.'
            : `${formats.number(count)} Sicherungen wurden angefordert.`,
      retriedPart: 'In der Gruppe sind noch mehr: Versuchen Sie es erneut, sobald diese fertig sind.',
      outcomes: {
        partial: (cause) => `Teilweise: ${cause}`,
        failed: (cause) => `Fehlgeschlagen: ${cause}`,
        queued: (cause) => `Wartet: ${cause}`,
      },
      kept: 'Frühere Kopien werden behalten.',
      again: (at) => `Wird automatisch erneut versucht, ab ${at}.`,
      ended: 'Beim Anmeldedienst beendete Einwilligungen',
      verified: (at) => `Älteste der letzten Prüfungen, die alles wiederherstellbar fanden: ${at}.`,
      pending: (people) => `Noch nicht geprüft: ${formats.number(people)}.`,
      damaged: (people) => `Beschädigt: ${counted(people, 'Repository', 'Repositorys')}.`,
      gone: (people) =>
        people === 1
          ? 'Verschwunden: Ein Repository ist nicht da, oder nichts öffnet es.'
          : `Verschwunden: ${formats.number(people)} Repositorys sind nicht da, oder nichts öffnet sie.`,
      unverified: (people) => `Seit drei Tagen nicht geprüft: ${formats.number(people)}.`,
      damagedNote: 'nightkeep doctor nennt die Personen.',
      exported: (at) => `Der Zustand von Nightkeep selbst wurde zuletzt in den Speicher exportiert: ${at}.`,
      exportedNever: 'Der Zustand von Nightkeep selbst wurde noch nicht in den Speicher exportiert.',
      exportedOff: 'Der Zustand von Nightkeep selbst wird nicht in den Speicher exportiert: STATE_EXPORTS ist 0.',
      exportLate: 'Ein Export wurde versäumt: nightkeep doctor sagt, warum.',
      endedNote: 'Ihre Seiten sagen den Personen, dass sie erneut einwilligen müssen.',
      servers: 'Langsamste Server',
      serversLead: 'Dauer einer Sicherung je Anfrage, in den letzten 24 Stunden.',
      noServers: 'In den letzten 24 Stunden ging keine Sicherung zu Ende.',
      runs: (count) => counted(count, 'Sicherung', 'Sicherungen'),
      nights: 'Dreißig Nächte',
      nightsLead:
        'Jeder Balken ist eine Nacht: vollständig, teilweise, fehlgeschlagen. Von jeder Person zählt die beste Sicherung der Nacht.',
      noNights: 'Noch ist keine Nacht vergangen.',
      numbers: 'Dasselbe in Zahlen',
      nightOf: ({ night, succeeded, partial, failed }) =>
        `${formats.night(night)}: ${formats.number(succeeded)} vollständig, ${formats.number(partial)} teilweise, ${formats.number(failed)} fehlgeschlagen`,
    },
    grants: {
      title: 'Einwilligungen',
      states: {
        active: 'gültig',
        suspect: 'zweifelhaft',
        needs_consent: 'zu Ende',
        withdrawn: 'widerrufen',
        none: 'nie eingewilligt',
      },
      reasons: {
        withdrawn: 'von der Person',
        withdrawn_by_operator: 'von einem Betreiber',
        client_changed: 'durch eine Einwilligung für einen anderen Client',
        back_channel_logout: 'beim Anmeldedienst abgemeldet, der darum bat',
        ended_at_provider: 'der Anmeldedienst nimmt sie nicht mehr an',
        withdrawn_at_provider: 'beim Anmeldedienst widerrufen',
        signed_out: 'dort von einem Administrator abgemeldet',
        account_disabled: 'das Konto ist dort gesperrt',
        permission_missing: 'die Erlaubnis für Offline-Zugriff fehlt',
        expired_idle: 'zu lange nicht genutzt',
        expired_maximum: 'die längste Zeit ist erreicht',
        lost_rotation: 'Nightkeep hat ein Token verloren',
        token_reused: 'ein Token wurde zweimal genutzt',
        interaction_required: 'der Anmeldedienst verlangt eine neue Anmeldung',
        lost_answers: 'Antworten des Anmeldedienstes gingen verloren oder waren nicht zu gebrauchen',
        consent_ended: 'sie ist zu Ende',
        imported: 'ohne ihr Token importiert',
      },
      notes: {
        active: 'werden nachts genutzt',
        suspect: 'zuletzt abgelehnt, werden automatisch erneut versucht',
        needs_consent:
          'diese Personen müssen erneut einwilligen, oder ihr Konto muss beim Anmeldedienst in Ordnung gebracht werden',
        withdrawn: 'es wird nichts mehr geholt',
      },
      forecast: 'Was bald endet',
      forecastLead: (days) =>
        `Einwilligungen, die innerhalb von ${days === 1 ? 'einem Tag' : `${formats.number(days)} Tagen`} enden.`,
      forecastMax: (count, all) =>
        `${formats.number(count)} von ${formats.number(all)} ${count === 1 ? 'endet, was auch geschieht: Diese Person muss' : 'enden, was auch geschieht: Diese Personen müssen'} erneuern.`,
      forecastIdle: (count) =>
        `${formats.number(count)} ${count === 1 ? 'würde' : 'würden'} enden, wenn ab jetzt kein Token ausgetauscht würde.`,
      byDay: (day, max, idle) =>
        `In ${counted(day, 'Tag', 'Tagen')}: ${formats.number(max)}, oder ${formats.number(idle)} ohne einen Austausch`,
      numbers: 'Dasselbe in Zahlen',
      verdicts: 'Token-Austausch je Stunde',
      verdictsLead: 'Was der Anmeldedienst in den letzten 24 Stunden sagte: gewährt, keine Antwort, abgelehnt.',
      noVerdicts: 'In den letzten 24 Stunden wurde kein Token ausgetauscht.',
      verdictsOf: (hour, ok, unanswered, refused) =>
        `${hour}: ${formats.number(ok)} gewährt, ${formats.number(unanswered)} ohne Antwort, ${formats.number(refused)} abgelehnt`,
      circuits: 'Sperren',
      noCircuits: 'Es gab noch nie eine Sperre.',
      circuitOpen: (reason, since) => `besteht seit ${since}: ${reason}`,
      circuitClosed: (reason, at) => `aufgehoben am ${at}; der Grund war: ${reason}`,
      people: 'Personen',
      search: 'Benutzername, Name, Subjekt oder ID',
      state: 'Zustand',
      any: 'alle',
      show: 'Zeigen',
      none: 'Es wurde niemand gefunden.',
      more: 'Weitere Personen',
      first: 'Von Anfang an',
      person: 'Person',
      idle: 'Endet, wenn nicht vorher genutzt',
      max: 'Endet spätestens',
      next: 'Nächste Nacht',
      paused: 'ausgesetzt',
    },
    queues: {
      title: 'Warteschlange',
      place: { postgres: 'Sie liegt in PostgreSQL.', redis: 'Sie liegt in Redis.' },
      runs: 'Die Warteschlange gibt Läufe aus.',
      pausedBy: (who, at) => `Die Nacht wurde von ${who} am ${at} angehalten.`,
      pausedElsewhere:
        'Die Warteschlange ist angehalten, aber nicht durch Nightkeep: Ein anderes Programm, etwa ein Queue-Board, hat das getan. Kein Worker beginnt einen Lauf.',
      pausedNote: 'Kein Worker beginnt einen Lauf; begonnene Läufe gehen weiter.',
      reason: (words) => `Der Grund: ${words}`,
      damaged:
        'Ein anderes Programm hat in Redis dort etwas abgelegt, wo die Warteschlange liegt, darum wird kein Lauf ausgegeben. Nichts ist verloren: Die Läufe stehen in PostgreSQL und werden wieder eingereiht, sobald es gelöscht ist.',
      away: 'Die Warteschlange antwortet nicht. Nichts ist verloren: Die Läufe stehen in PostgreSQL und werden wieder eingereiht, sobald sie zurück ist.',
      waiting: 'Warten',
      active: 'In Arbeit',
      delayed: 'Aufgeschoben',
      notes: { waiting: 'auf einen Worker', active: 'bei den Workern', delayed: 'werden später erneut versucht' },
      pause: 'Die Nacht anhalten',
      pauseLead:
        'Solange die Nacht angehalten ist, beginnt kein Worker einen Lauf, auf keinem Rechner. Begonnene Läufe gehen weiter.',
      resume: 'Die Nacht fortsetzen',
      drain: 'Die Nacht vorzeitig beenden',
      drainLead:
        'Begonnene Läufe gehen weiter. Wartende Läufe werden übersprungen und kommen in der nächsten Nacht wieder. Sicherungen, die jemand angefordert hat, behalten ihren Platz.',
      drainTitle: 'Die Nacht vorzeitig beenden?',
      drainNow: 'Diese Nacht beenden',
      back: 'Nein, zurück',
      why: 'Warum (für das Prüfprotokoll)',
      jobs: 'Aufträge',
      jobsLead: (shown) => `Höchstens ${formats.number(shown)} davon, die in Arbeit zuerst.`,
      noJobs: 'Die Warteschlange ist leer.',
      job: 'Auftrag',
      state: 'Zustand',
      since: 'Eingereiht',
      states: { active: 'in Arbeit', waiting: 'wartet', delayed: 'aufgeschoben' },
      board: 'Jeden Auftrag in Bull Board ansehen',
      readOnly: 'Das Queue-Board ist nur zum Ansehen da: QUEUE_BOARD ist nicht `writable`.',
      told: {
        paused: 'Die Nacht ist angehalten.',
        resumed: 'Die Nacht geht weiter.',
        drained: 'Die Nacht endet vorzeitig: Wartende Läufe werden übersprungen.',
        'nothing-waits': 'Kein Lauf der Nacht wartet, also wurde keiner übersprungen.',
        unchanged: 'Es wurde nichts geändert: Es ist schon so.',
      },
    },
    person: {
      verdicts: {
        protected: 'geschützt',
        partly: 'teilweise geschützt',
        late: 'verspätet',
        not: 'nicht geschützt',
      },
      damaged: (files, snapshots, since) =>
        `Schaden, bekannt seit ${since}: ${items(files)}${files >= mostNames ? ' oder mehr' : ''} nicht wiederherstellbar${snapshots === 0 ? '' : `, und nichts von ${counted(snapshots, 'Sicherungsstand', 'Sicherungsständen')}`}.`,
      gone: (since) => `Das Repository ist nicht da, oder nichts öffnet es: bekannt seit ${since}.`,
      damages: {
        healing: 'die nächste Nacht liest es noch einmal',
        lost: 'eine vollständige Nacht hat es nicht zurückgebracht',
        removed: 'im Speicher fehlen Sicherungsstände, die die Aufbewahrungsregel nicht entfernt hat',
        key: 'die Person braucht einen neuen Wiederherstellungsschlüssel',
        mending: 'nichts ist verloren',
        superseded: 'kein Sicherungsstand braucht, was beschädigt ist',
        accepted: 'die Person hat angesehen, was verloren ist',
      },
      notVerified: (cause) => `Die letzte Prüfung ist fehlgeschlagen: ${cause}.`,
      allPaused: 'Die Nacht ist für alle angehalten: Kein Worker beginnt einen Lauf.',
      reads: (sentence) => `Was die Person auf ihrer Übersicht liest: „${sentence}“`,
      who: 'Wer',
      name: 'Name',
      id: 'ID',
      subject: 'Subjekt',
      issuer: 'Anmeldedienst',
      signedIn: 'Zuletzt angemeldet',
      never: 'nie',
      consent: 'Einwilligung',
      state: 'Zustand',
      sources: 'Gesichert werden',
      lastUsed: 'Zuletzt genutzt',
      asked: 'Nächste Nachfrage',
      plan: 'Nächte',
      window: 'Zeitraum',
      next: 'Nächste',
      runs: 'Sicherungen',
      runsLead: 'Die neuesten fünfzig. Weder Namen noch Inhalte dessen, was gesichert wurde, werden hier gezeigt.',
      noRuns: 'Es gibt keine.',
      night: 'Nacht',
      outcome: 'Ergebnis',
      cause: 'Ursache',
      notRead: (count) => `${items(count)} nicht gelesen`,
      tries: 'Versuche',
      started: 'Begonnen',
      took: 'Dauer',
      actions: 'Was Sie tun können',
      actionsLead:
        'Alles davon kommt mit Ihrem Namen ins Prüfprotokoll; die Person sieht das Ergebnis auf ihren Seiten.',
      why: 'Warum (für das Prüfprotokoll)',
      askAgain: 'Den Anmeldedienst erneut fragen',
      run: 'Jetzt sichern',
      pause: 'Nächte der Person aussetzen',
      resume: 'Nächte der Person fortsetzen',
      signOut: 'Die Person von Nightkeep abmelden',
      withdraw: 'Für die Person widerrufen',
      withdrawTitle: 'Für diese Person widerrufen?',
      withdrawLead:
        'Ihre Einwilligung endet sofort, und ihre Nächte hören auf. Die Sicherungsstände bleiben, bis die Person selbst, oder Sie auf der Befehlszeile, etwas anderes entscheiden. Die Person liest, dass ein Betreiber es getan hat, und kann erneut einwilligen.',
      withdrawNow: 'Einwilligung der Person widerrufen',
      back: 'Nein, zurück',
      audit: 'Prüfprotokoll zu dieser Person ansehen',
      told: {
        accepted: 'Der Anmeldedienst erkennt die Einwilligung wieder an.',
        asking: 'Der Anmeldedienst wird schon gefragt. Laden Sie diese Seite neu, um seine Antwort zu sehen.',
        refused: 'Der Anmeldedienst lehnt die Einwilligung noch immer ab.',
        unanswered: 'Der Anmeldedienst gab keine brauchbare Antwort; er wird automatisch erneut gefragt.',
        run: 'Eine Sicherung wurde angefordert.',
        'run-under-way': 'Nichts wurde geändert: Eine Sicherung läuft schon oder beginnt als Nächstes.',
        'no-run': 'Die Einwilligung ist zu Ende, darum kann keine Sicherung laufen.',
        paused: 'Für die Person beginnt keine neue Nacht. Eine Sicherung, die läuft oder wartet, geht weiter.',
        resumed: 'Die Nächte der Person sind nicht mehr ausgesetzt. Versäumte werden nicht nachgeholt.',
        'signed-out':
          'Die Person ist in allen Browsern von Nightkeep abgemeldet. Ihre Einwilligung und ihre Nächte sind wie vorher.',
        withdrawn: 'Die Einwilligung ist hier zu Ende.',
        undoubted: 'Der Anmeldedienst wurde nicht gefragt: Die Einwilligung ist gültig.',
        'no-consent': 'Der Anmeldedienst wurde nicht gefragt: Die Einwilligung wurde widerrufen oder nie gegeben.',
        'no-nights': 'Es wurde nichts geändert: Ohne Einwilligung gibt es keine Nächte.',
        unchanged: 'Es wurde nichts geändert: Es ist schon so.',
      },
    },
    causes: {
      server_away: 'ein Server mit Daten von Personen antwortet nicht oder liefert sie nicht',
      server_refuses: 'ein Server mit Daten von Personen verweigert den Zugriff',
      address_unknown: 'ein Claim, den eine Adresse der Daten braucht, fehlt',
      address_refused: 'die Einstellungen nennen einen Server nicht, in den eingewilligt wurde (FILES_ORIGINS)',
      address_wrong: 'was unter einer Adresse der Daten antwortet, listet sie nicht auf',
      consent_refused: 'der Anmeldedienst lehnt die Einwilligung ab',
      consent_in_use: 'ein anderer Worker benutzt die Einwilligung oder wurde dabei beendet',
      provider_away: 'der Anmeldedienst antwortet nicht',
      provider_trouble: 'es gibt ein Problem mit dem Anmeldedienst oder mit dem Zugang von Nightkeep zu ihm',
      repository_locked: 'ein anderes Programm benutzt das Repository',
      store_full: 'der Speicher ist voll',
      store_trouble: 'der Speicher war nicht zu benutzen',
      time_over: 'die Sicherung dauerte am Stück länger, als RUN_TIME erlaubt',
      service_trouble: 'in Nightkeep selbst ist ein Fehler aufgetreten',
    },
    unreadable: 'etwas konnte nicht gelesen werden',
    changed: 'etwas änderte sich, während es gelesen wurde',
    damaged: 'eine Datei des Repositorys ist beschädigt',
    zone: (zone) => `Zeiten gelten für ${zone}.`,
    audit: {
      title: 'Prüfprotokoll',
      lead: 'Wer was an wem getan hat und warum. Niemand kann einen Eintrag ändern oder einen entfernen, der jünger als ein Jahr ist, auch Betreiber nicht. Wird eine Person gelöscht, entfallen die Begründungen, die über sie geschrieben wurden.',
      when: 'Wann',
      who: 'Wer',
      what: 'Was',
      whom: 'An wem',
      about: 'Worüber',
      now: 'sofort',
      exports: {
        'into the store': 'in den Speicher',
        'with tokens': 'mit Offline-Token',
        'without tokens': 'ohne Offline-Token',
      },
      snapshots: (count) => counted(count, 'Sicherungsstand', 'Sicherungsstände'),
      files: items,
      backups: (count) => counted(count, 'Sicherung', 'Sicherungen'),
      skipped: (count) => `${counted(count, 'Sicherung', 'Sicherungen')} übersprungen`,
      retried: (cause, count) => `${cause}: ${formats.number(count)} angefordert`,
      erased: (snapshots, count, size) =>
        `${counted(snapshots, 'Sicherungsstand', 'Sicherungsstände')} mit ${files(count)}, ${size}`,
      kept: (rule) => (isEmpty(rule) ? 'alle' : staying(rule)),
      oneSnapshot: (id) => `Sicherungsstand ${id}`,
      twoSnapshots: (first, second) => `Sicherungsstände ${first} und ${second}`,
      allSnapshots: 'alle Sicherungsstände',
      toSource: (id) => `Sicherungsstand ${id}, am Herkunftsort`,
      putBack: 'ältere Zeilen, die in die Datenbank zurückgebracht wurden',
      movedAddress: (from, to) => `von ${from} nach ${to}`,
      language: (name) => `Sprache: ${name}`,
      browserLanguage: 'wie im Browser eingestellt',
      noMail: (kinds) => `keine E-Mail: ${kinds}`,
      everyMail: 'jede Art von E-Mail',
      hours: (start, end, zone) => `Nächte von ${start} bis ${end}, ${zone}`,
      why: 'Warum',
      filter: 'Filter',
      anybody: 'alle',
      anything: 'alles',
      person: 'Person (Benutzername, Subjekt oder ID)',
      since: 'Von',
      until: 'Bis einschließlich',
      show: 'Zeigen',
      none: 'Solche Einträge gibt es nicht.',
      unknownPerson: (name) => `Niemand hier heißt „${name}“, oder mehrere heißen so.`,
      older: 'Ältere',
      newest: 'Die neuesten',
      download: 'Alle diese herunterladen:',
      actors: {
        user: 'eine Person',
        operator: 'ein Betreiber',
        command: 'die Befehlszeile',
        provider: 'der Anmeldedienst',
        schedule: 'der Zeitplan',
        outside: 'etwas anderes als Nightkeep',
      },
      acts: {
        'consent-given': 'hat eingewilligt',
        'consent-renewed': 'hat die Einwilligung erneuert',
        'consent-withdrawn': 'hat die Einwilligung widerrufen',
        'consent-asked-again': 'ließ den Anmeldedienst erneut fragen',
        'key-shown': 'bekam den Wiederherstellungsschlüssel gezeigt',
        'key-kept': 'hat bestätigt, dass der Wiederherstellungsschlüssel aufbewahrt ist',
        'key-reissued': 'ließ einen neuen Wiederherstellungsschlüssel machen',
        'foreign-key-removed': 'hat einen anderen Schlüssel des Repositorys entfernt',
        'erasure-chosen': 'hat gewählt, wann die Sicherungsstände gelöscht werden',
        'snapshots-erased': 'hat die Sicherungsstände gelöscht',
        'retention-changed': 'hat geändert, welche Sicherungsstände bleiben',
        'snapshots-forgotten': 'ließ Sicherungsstände wie vereinbart entfallen',
        'data-pruned': 'hat Daten entfernt, die kein Sicherungsstand braucht',
        'repository-repaired': 'hat das Repository repariert',
        'key-files-mended': 'hat Schlüsseldateien des Repositorys repariert',
        'repository-adopted': 'hat die Sicherungen einer Person aus einer verlorenen Installation übernommen',
        'repository-moved': 'hat die Sicherungen einer Person an einen anderen Ort gebracht',
        'repository-lost': 'hat das Repository einer Person für verloren erklärt',
        'old-copy-deleted': 'hat die alte Kopie von Sicherungen gelöscht, die an einem anderen Ort sind',
        'person-erased': 'hat eine Person gelöscht',
        'settings-changed': 'hat Einstellungen geändert',
        'sources-chosen': 'hat gewählt, was gesichert wird',
        'changes-confirmed': 'hat einen großen Verlust oder eine große Änderung bestätigt',
        'losses-accepted': 'hat angesehen, was sich nicht mehr wiederherstellen lässt',
        'run-requested': 'hat eine Sicherung angefordert',
        'runs-retried': 'ließ eine Gruppe von Sicherungen erneut versuchen',
        'plan-paused': 'hat die Nächte einer Person ausgesetzt',
        'plan-resumed': 'hat die Nächte einer Person fortgesetzt',
        'signed-out': 'hat eine Person von Nightkeep abgemeldet',
        'operator-signed-in': 'hat sich als Betreiber angemeldet',
        'files-restored': 'hat Daten einer Person wiederhergestellt',
        'names-read': 'hat Namen in den Sicherungen einer Person gelesen',
        'night-paused': 'hat die Nacht angehalten',
        'night-drained': 'hat die Nacht vorzeitig beendet',
        'night-resumed': 'hat die Nacht fortgesetzt',
        'refusals-trusted': 'hat Ablehnungen eines Anmeldedienstes als wahr angenommen',
        'database-migrated': 'hat die Datenbank auf die neue Version umgestellt',
        'queue-changed': 'hat die Warteschlange mit ihrem Board verändert',
        'files-moved': 'hat eine andere Adresse dessen erklärt, was von einer Person gesichert wird',
        'provider-moved': 'hat Personen zu einer anderen Adresse des Anmeldedienstes übertragen',
        'keys-rotated': 'hat alles mit dem neuesten Schlüssel versiegelt',
        'key-retired': 'hat einen Schlüssel ausgemustert',
        'rows-confirmed': 'hat bestätigt, was die Datenbank über eine Person sagt',
        'service-healed': 'hat unterbrochene Arbeit wieder aufgenommen',
        'state-exported': 'hat den Zustand von Nightkeep exportiert',
        'state-imported': 'hat einen Zustand von Nightkeep importiert',
        'audit-exported': 'hat das Prüfprotokoll heruntergeladen',
      },
    },
  },
};
