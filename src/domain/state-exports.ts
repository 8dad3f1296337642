/** Nightkeep's own state is exported each night: after so long one was missed. */
export const stateExportLateMs = 36 * 3_600_000;
