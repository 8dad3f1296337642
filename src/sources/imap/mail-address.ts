import { AppError } from '../../errors.ts';

/** A mail server, and whom it is asked for. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** Whether TLS is spoken from the first byte (RFC 8314). */
  readonly isSecure: boolean;
  /** The name that the person has there. */
  readonly user: string;
}

/** An address of a person as in RFC 5092: `imaps://alice@imap.example.org`. Throws `config/invalid` where it is none. */
export function parseMailAddress(text: string): MailServer {
  const url = URL.parse(text);
  const isMail = url !== null && /^imaps?:$/.test(url.protocol) && url.hostname !== '' && url.username !== '';
  if (!isMail || url.password + url.search + url.hash !== '' || !/^\/?$/.test(url.pathname))
    throw new AppError(
      'config/invalid',
      'The mail address is not an imap or imaps URL of a person. Write it as imaps://{preferred_username}@imap.example.org.',
    );
  const isSecure = url.protocol === 'imaps:';
  return {
    host: url.hostname.replace(/^\[|\]$/g, '').toLowerCase(),
    port: Number(url.port) || (isSecure ? 993 : 143),
    isSecure,
    user: decodeURIComponent(url.username),
  };
}
