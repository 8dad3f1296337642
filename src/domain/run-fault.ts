/** What keeps a run from going well, as a word that pages turn into a sentence, and what mends it. */
export type RunFault =
  | 'server_away'
  | 'server_refuses'
  | 'address_unknown'
  | 'address_refused'
  | 'address_wrong'
  | 'consent_refused'
  | 'consent_in_use'
  | 'provider_away'
  | 'provider_trouble'
  | 'repository_locked'
  | 'store_full'
  | 'store_trouble'
  | 'time_over'
  | 'service_trouble';

/** The codes of src/errors.ts that a run may end with; the first entry that fits decides. */
const faults: readonly (readonly [RegExp, RunFault])[] = [
  [/^source\/(unavailable|changed|too-slow)$/, 'server_away'],
  [/^source\/(unauthorized|forbidden)$/, 'server_refuses'],
  [/^source\/missing-claim$/, 'address_unknown'],
  [/^source\/foreign-origin$/, 'address_refused'],
  // A server that answers something else than a listing of files was asked at the wrong place, or asks for it.
  [/^(source\/|config\/invalid$)/, 'address_wrong'],
  [/^(grant\/not-usable|provider\/refused)$/, 'consent_refused'],
  [/^grant\/busy$/, 'consent_in_use'],
  [/^(provider\/(circuit-open|refused-client|wrong-answer)|grant\/wrong-subject)$/, 'provider_trouble'],
  [/^provider\//, 'provider_away'],
  [/^repository\/locked$/, 'repository_locked'],
  [/^store\/full$/, 'store_full'],
  [/^(store|repository)\//, 'store_trouble'],
  [/^run\/out-of-time$/, 'time_over'],
];

/** Whether it concerns the repository of the run, or where that is kept. */
export function isOfStore(errorCode: string | null): boolean {
  return ['repository_locked', 'store_full', 'store_trouble'].includes(runFaultOf(errorCode));
}

/** The fault behind the error code of a run; what nobody foresaw, and a worker that is gone, are the service's own. */
export function runFaultOf(errorCode: string | null): RunFault {
  return faults.find(([codes]) => codes.test(errorCode ?? ''))?.[1] ?? 'service_trouble';
}
