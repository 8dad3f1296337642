/** A message in a mailbox. */
export interface HeldMessage {
  readonly uid: number;
  content: Buffer;
  readonly receivedAt: Date;
  flags: string[];
  /** The size that is listed, where it is another than that of the content. */
  listedSize?: number;
}

export interface HeldMailbox {
  readonly messages: HeldMessage[];
  uidValidity: number;
  uidNext: number;
  modSeq: number;
  /** Such as `\Sent`. */
  attributes: string[];
  /** What it says as it is opened of how many messages there are, where that is not so. */
  exists?: string;
  /** Flags that it keeps; all where it does not say. */
  permanentFlags?: string[];
}

/** What one person has at a mail server, by the names of the mailboxes. */
export type HeldMailboxes = Map<string, HeldMailbox>;

/** The mailbox of that name, made where it is not there. */
export function mailboxIn(mailboxes: HeldMailboxes, path: string): HeldMailbox {
  const known = mailboxes.get(path);
  if (known !== undefined) return known;
  const made = { messages: [], uidValidity: 7, uidNext: 1, modSeq: 1, attributes: [] };
  mailboxes.set(path, made);
  return made;
}

/** Puts a message into a mailbox, behind all others. */
export function putInto(
  mailbox: HeldMailbox,
  content: string | Buffer,
  { receivedAt, flags = [] }: { readonly receivedAt: Date; readonly flags?: string[] | undefined },
): HeldMessage {
  const message = { uid: mailbox.uidNext++, content: Buffer.from(content), receivedAt, flags };
  mailbox.messages.push(message);
  mailbox.modSeq++;
  return message;
}
