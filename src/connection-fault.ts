/** Why no conversation with a server came about: worded to follow its name, and the cure. */
export interface ConnectionFault {
  readonly what: string;
  readonly cure: string;
}

/** By the code of the system, of Node's TLS or of undici; the first that fits. */
const faults: readonly (readonly [codes: RegExp, what: string, cure: string])[] = [
  [
    /^(ENOTFOUND|EAI_AGAIN)$/,
    'has a host name that cannot be resolved',
    'Correct the name in AT, or the name service of this machine',
  ],
  [
    /^CERT_HAS_EXPIRED$/,
    'shows a certificate that has expired',
    'Renew the certificate; if it is still valid, the clock of this machine is ahead',
  ],
  [
    /^CERT_NOT_YET_VALID$/,
    'shows a certificate that is not valid yet',
    'Correct the clock of this machine, or the certificate',
  ],
  [
    /ALTNAME|HOSTNAME_MISMATCH/,
    'shows a certificate for another name',
    'Write a name in AT that the certificate contains, or give the server one for this name',
  ],
  [
    /CERT|SELF_SIGNED|UNABLE_TO_|ISSUER|ERR_TLS/,
    'shows a certificate that is not trusted',
    'Give it a valid one, or put its authority into CA',
  ],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH/,
    'speaks no TLS at that port',
    'Correct the port in AT, or write the address without TLS there',
  ],
];

/**
 * What the code of a failure (`codeIn`) says about the connection; undefined where it says no more than that there is none. `at` is the setting that names the server, `ca` the one that names authorities to trust.
 */
export function connectionFault(
  code: string | undefined,
  { at, ca = 'NODE_EXTRA_CA_CERTS' }: { at: string; ca?: string },
): ConnectionFault | undefined {
  const [, what, cure] = faults.find(([codes]) => codes.test(code ?? '')) ?? [];
  if (what === undefined || cure === undefined) return undefined;
  return { what, cure: cure.replace('AT', () => at).replace('CA', () => ca) };
}
