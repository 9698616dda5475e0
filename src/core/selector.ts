// Whether a Kubernetes label selector selects a set of labels.
import { array, isObject, type JsonObject, object, type StringMap, string } from './json.ts'

export type LabelSelector = {
  readonly matchLabels?: StringMap | undefined
  readonly matchExpressions?:
    | readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] | undefined }[]
    | undefined
}

/**
 * An empty selector selects everything, as in Kubernetes; an unknown operator and a malformed selector, which only a file
 * can hold, select nothing.
 */
export function selects(selector: LabelSelector, labels: StringMap): boolean {
  const matchLabels: unknown = selector.matchLabels ?? {}
  const matchExpressions: unknown = selector.matchExpressions ?? []
  if (!isObject(matchLabels) || !Array.isArray(matchExpressions)) return false
  for (const [key, value] of Object.entries(matchLabels)) {
    if (labels[key] !== value) return false
  }
  return matchExpressions.map(object).every(expression => meets(labels, expression))
}

function meets(labels: StringMap, expression: JsonObject): boolean {
  const key = string(expression.key)
  if (key === undefined) return false
  const value = labels[key]
  const values = array(expression.values)
  switch (expression.operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      return false
  }
}

/** Whether a policy's target selector means other namespaces than the policy's own (Envoy Gateway 1.8 and newer). */
export function selectsAcross(selector: unknown): boolean {
  const { from } = object(object(selector).namespaces)
  return from === 'All' || from === 'Selector'
}
