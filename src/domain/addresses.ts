/** Whether the address can only be reached on this machine, where plain http is safe enough. */
export function isLoopback({ hostname }: URL): boolean {
  return /^(127(\.\d+){3}|\[::1\]|localhost)$/.test(hostname) || hostname.endsWith('.localhost');
}

/** Plain http over a network: whoever is on the way reads along. */
export function isOpenToListeners(url: URL): boolean {
  return url.protocol === 'http:' && !isLoopback(url);
}

/** The host as addresses have it: IPv6 in brackets (RFC 3986, section 3.2.2). */
export function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Whether browsers ask nothing of the address whatever listens there: its port is one of another protocol (WHATWG Fetch, "bad port"). */
export function isBlockedByBrowsers({ port }: URL): boolean {
  return blockedPorts.has(Number(port));
}

/** Those of the standard, in its order. */
const blockedPorts: ReadonlySet<number> = new Set([
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
  111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
  540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
  6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);
