// Golden cases as kubectl meets them: facts for the webhook, manifests with and without the label, what is to be stored.
import { existsSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { array, isObject, object, strings } from '../../src/core/json.ts'
import { ROUTE_LABELS } from '../../src/core/keys.ts'
import { routeKind } from '../../src/core/route.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { findCases, type GoldenCase, nameOf, readCase } from '../golden/case.ts'
import { withoutLabel } from '../golden/run.ts'

export type Manifest = {
  readonly labelled: KubeObject
  readonly unlabelled: KubeObject
  /** Our labels, those that `unlabelled` is without. */
  readonly labels: Readonly<Record<string, string>>
  /** By the golden: what becomes of `labelled`. */
  readonly stored: KubeObject
}

export type Refused = { readonly labelled: KubeObject; readonly unlabelled: KubeObject; readonly codes: string[] }

export type Setup = {
  readonly title: string
  readonly facts: readonly KubeObject[]
  readonly manifests: readonly Manifest[]
  readonly refused: readonly Refused[]
}

/** The cases of a folder of goldens that an API server with the webhook can play. */
export function setupsIn(folder: string): Setup[] {
  const { cases } = findCases()
  return cases
    .filter(path => path.startsWith(`${folder}/`))
    .map(readCase)
    .filter(golden => golden.requests === undefined && golden.guards === undefined && existsSync(golden.outFile))
    .map(readSetup)
}

function readSetup(golden: GoldenCase): Setup {
  const { title, documents, planned, outFile } = golden
  const decisions = readDecisions(readFileSync(outFile, 'utf8'))
  const manifests: Manifest[] = []
  const refused: Refused[] = []
  for (const labelled of planned) {
    const decision = decisions.get(nameOf(labelled))
    if (decision === undefined) throw new Error(`${title} does not say what becomes of ${nameOf(labelled)}`)
    const unlabelled = withoutLabel(labelled)
    const labels = ourLabels(labelled)
    if (decision.outcome === 'protect') {
      manifests.push({ labelled, unlabelled, labels, stored: decision.stored ?? labelled })
    }
    if (decision.outcome === 'deny') refused.push({ labelled, unlabelled, codes: decision.codes })
  }
  return { title, facts: documents.filter(each => !planned.includes(each)), manifests, refused }
}

type Decision = { readonly outcome: string; readonly codes: string[]; readonly stored?: KubeObject }

/** Each decision, with the object that follows it under the heading "stored". */
function readDecisions(text: string): Map<string, Decision> {
  const decisions = new Map<string, Decision>()
  for (const part of text.split(/^---\n/m)) {
    const value: unknown = parse(part)
    if (!isObject(value)) continue
    if (typeof value.route === 'string') {
      const codes = array(value.reasons).map(each => String(object(each).code))
      decisions.set(value.route, { outcome: String(value.outcome), codes })
    }
    if (!part.startsWith('# stored\n')) continue
    const name = nameOf(value as KubeObject)
    const decision = decisions.get(name)
    if (decision !== undefined) decisions.set(name, { ...decision, stored: value as KubeObject })
  }
  return decisions
}

function ourLabels(labelled: KubeObject): Record<string, string> {
  const labels = strings(labelled.metadata.labels)
  return Object.fromEntries(ROUTE_LABELS.flatMap(key => (labels[key] === undefined ? [] : [[key, labels[key]]])))
}

/** Every namespace that something of these is in. */
export function namespacesOf(setups: readonly Setup[]): KubeObject[] {
  const routes = setups.flatMap(each => [...each.manifests, ...each.refused].map(({ labelled }) => labelled))
  return [...setups.flatMap(each => each.facts), ...routes]
    .flatMap(({ metadata }) => (typeof metadata?.namespace === 'string' ? [metadata.namespace] : []))
    .map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
}

/** Facts that are objects of a cluster, one of each name, and every namespace that something is in. */
export function clusterObjects(setups: readonly Setup[]): KubeObject[] {
  const facts = setups.flatMap(each => each.facts)
  const namespaces = namespacesOf(setups)
  const real = facts.filter(each => each.kind !== 'PortcullisConfig' && routeKind(each) === undefined)
  const first = new Map<string, KubeObject>()
  // A namespace comes before what is in it, and as a fact it may have labels.
  const ordered = [...real.filter(each => each.kind === 'Namespace'), ...namespaces, ...real]
  for (const each of ordered) if (!first.has(nameOf(each))) first.set(nameOf(each), each)
  return [...first.values()]
}
