// Puts together what jest says of the tests and what they have left themselves.
import { cpus, release, totalmem } from 'node:os'
import type { AssertionResult, TestResult } from '@jest/test-result'
import type { Evidence } from './evidence.ts'
import type { Group, Outcome, Report, Scenario, Section, Table, Version } from './model.ts'

/** For tests that start no stage. */
const NO_GATEWAY = 'Without a gateway'

const TITLES: Readonly<Record<string, string>> = { 'envoy-gateway': 'Envoy Gateway', traefik: 'Traefik' }

export type Run = {
  readonly files: readonly TestResult[]
  readonly evidence: readonly Evidence[]
  readonly seconds: number
}

export function collect({ files, evidence, seconds }: Run, versions: readonly Version[]): Report {
  const groups = new Map<string, Map<string, Scenario[]>>()
  for (const file of files) {
    const left = evidence.filter(each => each.file === file.testFilePath)
    for (const { gateway, group, scenario } of scenariosOf(file, left)) {
      const ofGateway = groups.get(gateway) ?? new Map<string, Scenario[]>()
      groups.set(gateway, ofGateway.set(group, [...(ofGateway.get(group) ?? []), scenario]))
    }
  }
  const sections = [...groups].map(([gateway, byTitle]): Section => {
    const stageSeconds = stagesIn(evidence).flatMap(stage =>
      titleOf(stage.gateway) === gateway ? [stage.seconds] : [],
    )
    return {
      gateway,
      stageSeconds,
      groups: failedFirst([...byTitle].map(([title, scenarios]) => ({ title, scenarios }))),
    }
  })
  sections.sort((a, b) => Number(a.gateway === NO_GATEWAY) - Number(b.gateway === NO_GATEWAY))
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`
  return { at: new Date(), seconds, machine, versions, sections, tables: tables(evidence) }
}

type Placed = { readonly gateway: string; readonly group: string; readonly scenario: Scenario }

function scenariosOf(file: TestResult, left: readonly Evidence[]): Placed[] {
  const { testExecError, failureMessage, testFilePath } = file
  if (testExecError !== undefined) {
    const failure = plain(failureMessage ?? testExecError.message)
    const scenario: Scenario = {
      title: 'does not run',
      outcome: 'failed',
      seconds: 0,
      failure,
      figures: [],
      pictures: [],
    }
    return [{ gateway: gatewayAt(left, Number.POSITIVE_INFINITY), group: fileTitle(testFilePath), scenario }]
  }
  return file.testResults.map(result => {
    // Of the outermost only where it is all there is: it names the gateway.
    const [outer = fileTitle(testFilePath), ...inner] = result.ancestorTitles
    const group = inner.join(' › ') || outer
    return { gateway: gatewayAt(left, endOf(result)), group, scenario: scenarioOf(result, left) }
  })
}

function scenarioOf(result: AssertionResult, left: readonly Evidence[]): Scenario {
  const own = left.filter(each => each.test === result.fullName)
  return {
    title: result.title,
    outcome: OUTCOMES[result.status] ?? 'left out',
    seconds: (result.duration ?? 0) / 1000,
    failure: plain(result.failureMessages.join('\n\n')),
    figures: own.flatMap(each => (each.kind === 'figure' ? [`${each.scenario}: ${each.text}`] : [])),
    pictures: own.flatMap(each =>
      each.kind === 'picture' ? [{ title: each.scenario, source: `data:${each.type};base64,${each.base64}` }] : [],
    ),
  }
}

const fileTitle = (path: string) => path.split('/test/e2e/').at(-1) ?? path

const OUTCOMES: Readonly<Record<string, Outcome>> = { passed: 'passed', failed: 'failed' }

function endOf({ startAt, duration }: AssertionResult): number {
  // A test that was left out has no time; it is of the first stage of its file, or of none.
  return startAt === null || startAt === undefined ? 0 : startAt + (duration ?? 0)
}

type LeftStage = Extract<Evidence, { kind: 'stage' }>

function stagesIn(evidence: readonly Evidence[]): LeftStage[] {
  return evidence.filter(each => each.kind === 'stage')
}

function gatewayAt(left: readonly Evidence[], at: number): string {
  const stages = stagesIn(left)
  const stage = stages.findLast(each => each.at <= at) ?? stages[0]
  return stage === undefined ? NO_GATEWAY : titleOf(stage.gateway)
}

const titleOf = (gateway: string) => TITLES[gateway] ?? gateway

function failedFirst(groups: readonly Group[]): Group[] {
  const failed = ({ scenarios }: Group) => scenarios.some(({ outcome }) => outcome === 'failed')
  return [...groups.filter(failed), ...groups.filter(each => !failed(each))]
}

function tables(evidence: readonly Evidence[]): Table[] {
  const byTitle = Map.groupBy(
    evidence.filter(each => each.kind === 'row'),
    each => each.table,
  )
  return [...byTitle].map(([title, rows]) => {
    const columns = [...new Set(rows.flatMap(({ row }) => Object.keys(row)))]
    return { title, columns, rows: rows.map(({ row }) => columns.map(column => row[column] ?? '')) }
  })
}

/** Without the colours of a terminal. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  return text.replaceAll(/\u001b\[[0-9;]*m/g, '').trim()
}
