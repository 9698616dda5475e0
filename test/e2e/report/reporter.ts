// Writes the report of the end-to-end tests once they have run, and says where it is.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AggregatedResult } from '@jest/reporters'
import type { PartName } from '../../parts/catalogue.ts'
import { collect } from './collect.ts'
import { evidenceFolder, forgetEvidence, REPORT_FOLDER, readEvidence } from './evidence.ts'
import { asHtml } from './html.ts'
import { asText } from './text.ts'
import { versionsOf } from './versions.ts'

export default class EndToEndReport {
  onRunStart(): void {
    forgetEvidence(evidenceFolder())
  }

  async onRunComplete(_: unknown, { testResults, startTime }: AggregatedResult): Promise<void> {
    const evidence = readEvidence(evidenceFolder())
    const parts = evidence.flatMap(each => (each.kind === 'stage' ? (each.parts as PartName[]) : []))
    if (evidence.some(({ kind }) => kind === 'picture')) parts.push('chromium')
    const seconds = (Date.now() - startTime) / 1000
    const report = collect({ files: testResults, evidence, seconds }, await versionsOf(parts))
    mkdirSync(REPORT_FOLDER, { recursive: true })
    writeFileSync(join(REPORT_FOLDER, 'report.html'), asHtml(report))
    const file = join(REPORT_FOLDER, 'report.txt')
    writeFileSync(file, asText(report))
    for (const each of [file, join(REPORT_FOLDER, 'report.html')]) process.stdout.write(`Report: ${each}\n`)
  }
}
