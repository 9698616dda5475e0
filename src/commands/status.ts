// `portcullis status`: every route that is labelled or should be, protected by whom or why not. Writes nothing.
import { gateways } from '../gateways/index.ts'
import { type ClusterOptions, reachInstalled } from './installed.ts'
import { type Io, OK, REFUSED, USAGE } from './io.ts'
import { readFacts } from './read-facts.ts'
import { isReported, reportOf } from './status/report.ts'
import { asJson, asText } from './status/table.ts'

export type StatusOptions = ClusterOptions & { readonly namespace?: string; readonly output: 'table' | 'json' }

export async function status(options: StatusOptions, io: Io): Promise<number> {
  const installed = await reachInstalled(options)
  if ('problems' in installed) return sayAll(installed.problems, io)
  if (installed.note !== undefined) io.err(`note: ${installed.note}\n`)
  const read = await readFacts(installed, isReported, options.namespace)
  installed.connection.close()
  if ('problems' in read) return sayAll(read.problems, io)
  const report = reportOf(read, gateways, installed.connection.timeOfDay(), options.namespace)
  io.out(options.output === 'json' ? asJson(report) : asText(report))
  return report.routes.every(({ ok }) => ok) ? OK : REFUSED
}

function sayAll(problems: readonly string[], io: Io): number {
  for (const problem of problems) io.err(`${problem}\n`)
  return USAGE
}
