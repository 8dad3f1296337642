/** An address of PostgreSQL that names several servers: `postgres://user:password@one:5432,two:5432/database`. */
const severalHosts = /^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)([^/?#@]*,[^/?#@]*)([/?#].*)?$/s;

/**
 * One address for each server that the text names, in its order: libpq's list of hosts (PostgreSQL's manual, "Connection URIs"), each with
 * its own port. An address of one server comes back as it is. `target_session_attrs`, by which libpq chooses a server, is left out.
 */
export function addressesOfServers(text: string): string[] {
  const [, start = '', hosts, end = ''] = severalHosts.exec(text) ?? [];
  if (hosts === undefined) return [text];
  const rest = end.replace(/([?&])target_session_attrs=[^&#]*&?/, '$1').replace(/[?&](?=$|#)/, '');
  return hosts.split(',').map((host) => `${start}${host}${rest}`);
}

/** The value of `target_session_attrs`, if the address has one: which of the servers libpq is to choose. */
export function wantedServer(text: string): string | undefined {
  return /[?&]target_session_attrs=([^&#]*)/.exec(text)?.[1];
}
