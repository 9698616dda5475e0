// What tests leave for the report beside passed or failed: figures, rows of tables, pictures. One JSON line each.
import { appendFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Which test it was left by, where it was in one; names are those that jest has. */
type Origin = { readonly at: number; readonly file: string; readonly test: string }

export type Evidence = Origin &
  (
    | { readonly kind: 'figure'; readonly scenario: string; readonly text: string }
    | { readonly kind: 'row'; readonly table: string; readonly row: Readonly<Record<string, string>> }
    | { readonly kind: 'picture'; readonly scenario: string; readonly type: string; readonly base64: string }
    | { readonly kind: 'stage'; readonly gateway: string; readonly parts: readonly string[]; readonly seconds: number }
  )

type Left = Evidence extends infer Each ? (Each extends Evidence ? Omit<Each, keyof Origin> : never) : never

export const REPORT_FOLDER = join(import.meta.dirname, '../../../e2e-report')

export function evidenceFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env.PORTCULLIS_E2E_REPORT || join(REPORT_FOLDER, 'evidence')
}

/** A result in words, such as "0 answers from an application in 104,312 requests". */
export function leaveFigure(scenario: string, text: string): void {
  leave({ kind: 'figure', scenario, text })
}

/** A row of a table of this title; columns are in the order of the first row that is left. */
export function leaveRow(table: string, row: Record<string, string>): void {
  leave({ kind: 'row', table, row })
}

/** PNG or JPEG; small ones, as the report holds them all. */
export function leaveScreenshot(scenario: string, picture: Uint8Array): void {
  const type = picture[0] === 0x89 ? 'image/png' : 'image/jpeg'
  leave({ kind: 'picture', scenario, type, base64: Buffer.from(picture).toString('base64') })
}

/** Tests of the same file that begin later are on this gateway. */
export function leaveStage(gateway: string, parts: readonly string[], seconds: number): void {
  leave({ kind: 'stage', gateway, parts, seconds })
}

/** Of a run before; whatever else is in the folder stays. */
export function forgetEvidence(folder: string): void {
  rmSync(join(folder, FILE), { force: true })
}

export function readEvidence(folder: string): Evidence[] {
  let text = ''
  try {
    text = readFileSync(join(folder, FILE), 'utf8')
  } catch {
    return []
  }
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))
}

const FILE = 'evidence.jsonl'

/** What jest gives each test file; there is none in the demo, which has no report. */
type InJest = { readonly expect?: { getState(): { testPath?: string; currentTestName?: string } } }

function leave(left: Left): void {
  const state = (globalThis as InJest).expect?.getState()
  if (state === undefined) return
  const origin: Origin = { at: Date.now(), file: state.testPath ?? '', test: state.currentTestName ?? '' }
  const folder = evidenceFolder()
  mkdirSync(folder, { recursive: true })
  appendFileSync(join(folder, FILE), `${JSON.stringify({ ...origin, ...left })}\n`)
}
