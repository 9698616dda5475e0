// What the report says of a run: of every test what came of it, where it ran, and what it has left.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { TestResult } from '@jest/test-result'
import { collect } from './collect.ts'
import {
  type Evidence,
  forgetEvidence,
  leaveFigure,
  leaveRow,
  leaveScreenshot,
  leaveStage,
  readEvidence,
} from './evidence.ts'
import { asHtml } from './html.ts'
import { type Report, sumsOf } from './model.ts'
import { asText } from './text.ts'

describe('what a test leaves', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-report-'))
  const before = process.env.PORTCULLIS_E2E_REPORT
  beforeAll(() => {
    process.env.PORTCULLIS_E2E_REPORT = join(folder, 'evidence')
  })
  afterAll(() => {
    if (before === undefined) delete process.env.PORTCULLIS_E2E_REPORT
    else process.env.PORTCULLIS_E2E_REPORT = before
    rmSync(folder, { recursive: true })
  })

  test('is read again with the test that has left it', () => {
    leaveStage('traefik', ['traefik'], 12)
    leaveFigure('leaks', '0 in 1,000')
    leaveRow('holes', { hole: 'a second route', off: 'open' })
    leaveScreenshot('login', Buffer.from([0x89, 0x50]))
    const left = readEvidence(join(folder, 'evidence'))
    expect(left).toMatchObject([
      { kind: 'stage', gateway: 'traefik', parts: ['traefik'], seconds: 12 },
      { kind: 'figure', scenario: 'leaks', text: '0 in 1,000' },
      { kind: 'row', table: 'holes', row: { hole: 'a second route', off: 'open' } },
      { kind: 'picture', scenario: 'login', type: 'image/png', base64: 'iVA=' },
    ])
    for (const { file, test } of left) {
      expect([file, test]).toEqual([
        import.meta.filename,
        'what a test leaves is read again with the test that has left it',
      ])
    }
  })

  test('is forgotten before the next run, and nothing else that is there', () => {
    writeFileSync(join(folder, 'evidence/mine'), '')
    forgetEvidence(join(folder, 'evidence'))
    expect(readEvidence(join(folder, 'evidence'))).toEqual([])
    expect(readdirSync(join(folder, 'evidence'))).toEqual(['mine'])
  })

  test('is nothing where nobody has left anything', () => {
    expect(readEvidence(join(folder, 'nowhere'))).toEqual([])
  })
})

type Told = { readonly title: string; readonly status?: string; readonly at: number; readonly why?: string }

function file(path: string, ...tests: readonly Told[]): TestResult {
  const testResults = tests.map(({ title, status = 'passed', at, why = '' }) => ({
    ancestorTitles: ['a route', 'a group'],
    title,
    fullName: `a route a group ${title}`,
    status,
    startAt: at,
    duration: 500,
    failureMessages: why === '' ? [] : [why],
  }))
  return { testFilePath: path, testResults } as unknown as TestResult
}

describe('the report', () => {
  const left = (evidence: object) => ({ file: '/a', test: '', ...evidence }) as Evidence
  const evidence = [
    left({ at: 0, kind: 'stage', gateway: 'traefik', parts: [], seconds: 20 }),
    left({ at: 900, kind: 'stage', gateway: 'envoy-gateway', parts: [], seconds: 30 }),
    left({ at: 10, test: 'a route a group is closed', kind: 'figure', scenario: 'leaks', text: '0 in 1,000' }),
    left({ at: 10, kind: 'row', table: 'Holes', row: { hole: 'a <b> route', off: 'open: 200', on: 'refused' } }),
    left({ at: 11, kind: 'row', table: 'Holes', row: { hole: 'a name', note: 'random' } }),
    left({
      at: 10,
      test: 'a route a group is closed',
      kind: 'picture',
      scenario: 'login',
      type: 'image/png',
      base64: 'x',
    }),
  ]
  const files = [
    file(
      '/a',
      { title: 'is closed', at: 10 },
      { title: 'is closed too', at: 1000, status: 'failed', why: '\u001b[31mgot\u001b[39m <200>' },
      { title: 'is left out', at: 1000, status: 'pending' },
    ),
  ]
  const report: Report = collect({ files, evidence, seconds: 90 }, [{ part: 'Traefik', version: '3' }])

  test('has a section for each gateway, with the tests that ran on its stage', () => {
    const seen = report.sections.map(({ gateway, groups, stageSeconds }) => [
      gateway,
      stageSeconds,
      groups.flatMap(({ title, scenarios }) => scenarios.map(each => `${title}: ${each.title}: ${each.outcome}`)),
    ])
    expect(seen).toEqual([
      ['Traefik', [20], ['a group: is closed: passed']],
      ['Envoy Gateway', [30], ['a group: is closed too: failed', 'a group: is left out: left out']],
    ])
  })

  test('has the figures and pictures of a test beside it, and what made it fail without colours', () => {
    const [closed, failed] = report.sections.flatMap(({ groups }) => groups.flatMap(({ scenarios }) => scenarios))
    expect(closed).toMatchObject({
      figures: ['leaks: 0 in 1,000'],
      pictures: [{ title: 'login', source: 'data:image/png;base64,x' }],
    })
    expect(failed?.failure).toBe('got <200>')
  })

  test('has every column that any row has', () => {
    expect(report.tables).toEqual([
      {
        title: 'Holes',
        columns: ['hole', 'off', 'on', 'note'],
        rows: [
          ['a <b> route', 'open: 200', 'refused', ''],
          ['a name', '', '', 'random'],
        ],
      },
    ])
  })

  test('sums up what a table decides', () => {
    expect(report.tables.flatMap(sumsOf)).toEqual([
      { column: 'off', sums: '1 open, 1 neither' },
      { column: 'on', sums: '1 refused, 1 neither' },
    ])
  })

  test('says as text what has failed before anything else', () => {
    const text = asText(report)
    expect(text).toContain('1 passed, 1 failed, 1 left out')
    expect(text.indexOf('got <200>')).toBeLessThan(text.indexOf('is closed\n'))
    expect(text).toMatch(/^ {2}ok +0\.5 s {2}is closed\n +leaks: 0 in 1,000\n +picture: login$/m)
    expect(text).toMatch(/^a <b> route {2}open: 200 {2}refused$/m)
  })

  test('says the same as a page that needs nothing from elsewhere', () => {
    const page = asHtml(report)
    expect(page.indexOf('<h2>Failed</h2>')).toBeLessThan(page.indexOf('<h2>Traefik</h2>'))
    expect(page).toContain('got &lt;200&gt;')
    expect(page).toContain('<td>a &lt;b&gt; route</td><td><span class="mark failed">open</span>: 200</td>')
    expect(page).toContain('src="data:image/png;base64,x"')
    expect(page.match(/(?:src|href)="(?!data:|#)/g)).toBeNull()
  })
})

test('a file that does not run at all is in the report as failed', () => {
  const broken = { testFilePath: '/x/test/e2e/b.test.ts', testResults: [], testExecError: { message: 'no such part' } }
  const { sections } = collect({ files: [broken as unknown as TestResult], evidence: [], seconds: 1 }, [])
  expect(sections[0]?.groups).toMatchObject([
    { title: 'b.test.ts', scenarios: [{ outcome: 'failed', failure: 'no such part' }] },
  ])
})
