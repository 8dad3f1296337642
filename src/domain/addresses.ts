/** Whether the address can only be reached on this machine, where plain http is safe enough. */
export function isLoopback({ hostname }: URL): boolean {
  return /^(127(\.\d+){3}|\[::1\]|localhost)$/.test(hostname) || hostname.endsWith('.localhost');
}

/** Plain http over a network: whoever is on the way reads along. */
export function isOpenToListeners(url: URL): boolean {
  return url.protocol === 'http:' && !isLoopback(url);
}
