// What went wrong in a setup as it was made by hand, for the report.
import { leaveRow } from '../report/evidence.ts'

export type LeaveFault = (fault: string, seen: string, now: string) => void

export function faultsOf(setup: string): LeaveFault {
  return (fault, seen, now) =>
    leaveRow('faults of hand-made setups', { setup, fault, 'seen here': seen, 'with the label': now })
}
