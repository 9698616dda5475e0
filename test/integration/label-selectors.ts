// The label selectors of policies, as kubectl takes them, and routes with every combination of our labels to try them on.
import { array, object, strings } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'

export type Selector = { readonly matchExpressions: readonly Expression[] }
type Expression = { readonly key: string; readonly operator: string; readonly values?: readonly string[] }

/** Those of these objects, each once. */
export function selectorsOf(objects: readonly KubeObject[]): Selector[] {
  const all = objects.flatMap(({ spec }) => array(object(spec).targetSelectors))
  return [...new Set(all.map(each => JSON.stringify(each)))].map(each => JSON.parse(each))
}

export function written({ matchExpressions }: Selector): string {
  return matchExpressions.map(writeExpression).join(',')
}

function writeExpression({ key, operator, values = [] }: Expression): string {
  switch (operator) {
    case 'Exists':
      return key
    case 'DoesNotExist':
      return `!${key}`
    default:
      return `${key} ${operator.toLowerCase()} (${values.join(',')})`
  }
}

/** With every value of our labels that a selector names, with others and with none. */
export function labelledRoutes(namespace: string, selectors: readonly Selector[]): KubeObject[] {
  const combinations = valuesOf('auth.example/protect', selectors).flatMap(protect =>
    valuesOf('auth.example/access', selectors).map(access => ({ ...protect, ...access })),
  )
  return combinations.map((labels, index) => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: `route-${index}`, namespace, labels },
    spec: { hostnames: [`route-${index}.example.com`] },
  }))
}

function valuesOf(key: string, selectors: readonly Selector[]): Record<string, string>[] {
  const expressions = selectors.flatMap(each => each.matchExpressions).filter(each => each.key === key)
  const values = new Set(['', 'another', ...expressions.flatMap(each => each.values ?? [])])
  return [{}, ...[...values].map(value => ({ [key]: value }))]
}

export function labels({ metadata }: KubeObject): ReturnType<typeof strings> {
  return strings(metadata.labels)
}
